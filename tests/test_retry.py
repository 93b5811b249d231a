import pytest

from bridge.retry import Backoff, between, spread

TRIES = range(300)


def longest(waits: list[list[float]]) -> list[float]:
    """The longest wait of each try: of so many, one is within a tenth of the bound (but for 1 in 10^13)."""
    return [max(column) for column in zip(*waits, strict=True)]


def test_each_wait_may_be_twice_as_long_up_to_a_cap() -> None:
    """43: 0.8 s, doubled, 30 s at the most: a server in trouble is asked ever less, and soon again when it is well."""
    waits = []
    for _ in TRIES:
        backoff = Backoff()
        waits.append([backoff.next() for _ in range(8)])
    bounds = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30]

    assert all(wait <= bound for row in waits for wait, bound in zip(row, bounds, strict=True))
    assert longest(waits) == pytest.approx(bounds, rel=0.1)


def test_the_cap_may_be_another() -> None:
    """36: what only people can mend is asked for more rarely."""
    backoff = Backoff(60.0)
    waits = [backoff.next() for _ in TRIES][8:]

    assert 54 < max(waits) <= 60


def test_waits_are_spread() -> None:
    """A thousand streams that lost the same server must not come back in the same instant."""
    backoff = Backoff()
    waits = [backoff.next() for _ in TRIES][8:]

    assert min(waits) < 3
    assert 10 < sum(waits) / len(waits) < 20


def test_health_begins_the_growth_anew() -> None:
    """Else a stream that had a bad hour last week would wait half a minute after each small fault."""
    backoff = Backoff()
    for _ in range(8):
        backoff.next()
    backoff.reset()

    assert backoff.next() <= 0.8


def test_it_knows_whether_anything_has_failed_since_it_was_well() -> None:
    """So that a stream says once that it is in trouble, and not at every try."""
    backoff = Backoff()
    fresh = [backoff.fresh]
    backoff.next_but_first()
    fresh.append(backoff.fresh)
    backoff.reset()

    assert [*fresh, backoff.fresh] == [True, False, True]


def test_what_is_mended_by_asking_again_is_asked_at_once_but_only_once() -> None:
    """35, 29: a renewed token or a relist mostly helps; where it does not, a loop at full speed would help nobody."""
    firsts, seconds = [], []
    for _ in TRIES:
        backoff = Backoff()
        firsts.append(backoff.next_but_first())
        seconds.append(backoff.next_but_first())

    assert set(firsts) == {0.0}
    assert 0.7 < max(seconds) <= 0.8


def test_only_the_first_trouble_is_free() -> None:
    """A token that is refused in the midst of other trouble is no reason for haste."""
    waits = []
    for _ in TRIES:
        backoff = Backoff()
        backoff.next()
        waits.append(backoff.next_but_first())

    assert max(waits) > 0


def test_between_is_between() -> None:
    """22: how long a watch is asked to last: spread, so that many do not end together."""
    values = [between(300.0, 600.0) for _ in TRIES]

    assert all(300 <= value <= 600 for value in values)
    assert min(values) < 330 < 570 < max(values)


def test_spread_is_anything_up_to_all() -> None:
    values = [spread(10.0) for _ in TRIES]

    assert all(0 <= value <= 10 for value in values)
    assert min(values) < 1 < 9 < max(values)
