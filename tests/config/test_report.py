from bridge.config.problem import Misread
from bridge.config.report import Report


def test_a_problem_takes_the_line_of_the_nearest_known_field() -> None:
    """A missing or derived field has no line of its own; the reader is sent to where it belongs."""
    report = Report("f")
    report.place("kafka", 3)
    report.place("kafka.tls", 5)
    report.place("watches[0]", 9)

    for path in ("kafka.tls.key", "kafka.sasl", "watches[0].drop[2]", "name"):
        report.add(path, Misread("wrong", ""))

    lines = [(problem.path, problem.line) for problem in report.problems]
    assert lines == [("name", 0), ("kafka.sasl", 3), ("kafka.tls.key", 5), ("watches[0].drop[2]", 9)]


def test_blame_covers_what_is_around_and_inside() -> None:
    """One mistake, one message: consequences of it are not reported as well."""
    report = Report("f")
    report.add("kafka.tls", Misread("wrong", ""))

    assert [report.blames(path) for path in ("kafka", "kafka.tls", "kafka.tls.ca")] == [True, True, True]
    assert [report.blames(path) for path in ("kafka.tlsx", "kafka.sasl", "name")] == [False, False, False]
