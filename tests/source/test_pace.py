"""`bridge.source.pace`: what a busy stream is spared, and that nobody waits for it who need not."""

from bridge.source.pace import CLOSE, GATHER, MANY, PLENTY, ROW, Pace


def waits(*reads: tuple[float, int], size: int = 1000) -> list[float]:
    """After each read (at a second, so many lines)."""
    pace = Pace()
    told = []
    for now, lines in reads:
        pace.read(lines, size, now)
        told.append(pace.wait)
    return told


def test_a_change_now_and_then_is_never_kept_waiting() -> None:
    """At 10 changes a second a consumer hears of each within 15 ms."""

    assert waits(*[(number * 0.1, 1) for number in range(50)]) == [0.0] * 50


def test_an_object_that_changes_a_few_times_at_once_makes_no_stream_busy() -> None:
    assert waits((0.0, 1), (0.004, 2), (0.008, 1), (0.1, 2), (0.2, 1)) == [0.0] * 5


def test_reads_that_follow_closely_make_it_busy_until_a_burst_holds_one() -> None:
    """500 a second: the fourth read in a row is followed by bursts; the last burst of one change ends that."""
    row = [(number * CLOSE / 2, 1) for number in range(ROW + 1)]
    bursts = [(1.00, 25), (1.05, 2), (1.10, 1), (1.11, 1)]

    assert waits(*row, *bursts) == [0.0] * ROW + [GATHER] + [GATHER, GATHER, 0.0, 0.0]


def test_many_at_once_make_it_busy() -> None:
    assert waits((0.0, MANY - 1), (0.1, MANY)) == [0.0, GATHER]


def test_a_flood_is_read_without_a_pause() -> None:
    """A pause would only cost speed: each read brings hundreds of changes as it is."""

    assert waits((0.0, 100), (0.001, 100), (0.002, 100), size=PLENTY) == [0.0] * 3
