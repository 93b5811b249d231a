from bridge.config.problem import ConfigError, Problem


def test_a_problem_reads_like_a_compilers() -> None:
    """Terminals and editors jump to `file:line`, so the place comes first and in that form."""
    problem = Problem("bridge.yaml", 12, "watches[0].topik", "unknown field", "Did you mean 'topic'?")

    assert str(problem) == "bridge.yaml:12: watches[0].topik: unknown field. Did you mean 'topic'?"


def test_what_is_unknown_of_a_place_is_left_out() -> None:
    """No `None` or `:0:` in front of a person."""
    assert str(Problem("bridge.yaml", 0, "", "cannot read it", "Mend.")) == "bridge.yaml: cannot read it. Mend."
    assert str(Problem("", 0, "standalone", "not yet", "Mend.")) == "standalone: not yet. Mend."
    assert str(Problem("", 0, "", "no config file", "Mend.")) == "no config file. Mend."


def test_the_error_shows_every_problem() -> None:
    """Whoever only prints the exception still sees all of it."""
    error = ConfigError([Problem("a", 1, "x", "wrong", "Mend."), Problem("a", 2, "y", "bad", "Cure.")])

    assert str(error) == "a:1: x: wrong. Mend.\na:2: y: bad. Cure."
