"""The time line of gaps: what consumers may have missed, and nothing else."""

from bridge.web.document import Gap, Restart
from bridge.web.gaps import gaps_of


def restart(reason: str, gap_began: float | None, synced: float | None) -> Restart:
    return Restart(1, 0.0, reason, "", gap_began, synced)


def test_a_gap_lasts_from_the_last_trusted_position_to_the_snapshot() -> None:
    """Not from when it was noticed: what was missed lies before."""
    assert gaps_of([restart("expired", 100.0, 160.0)]) == (Gap(100.0, 160.0, ("expired",)),)


def test_a_first_start_is_no_gap() -> None:
    """Nothing was promised before it."""
    assert gaps_of([restart("initial", None, 10.0)]) == ()


def test_a_snapshot_that_was_interrupted_is_part_of_the_gap() -> None:
    """Consumers cannot trust anything between: one gap, with both reasons."""
    told = [restart("expired", 100.0, None), restart("interrupted", 100.0, 300.0), restart("rewound", 400.0, 410.0)]

    assert gaps_of(told) == (Gap(100.0, 300.0, ("expired", "interrupted")), Gap(400.0, 410.0, ("rewound",)))


def test_a_gap_that_lasts_has_no_end() -> None:
    """The page draws it to the edge of now."""
    assert gaps_of([restart("initial", None, 5.0), restart("expired", 100.0, None)]) == (
        Gap(100.0, None, ("expired",)),
    )
