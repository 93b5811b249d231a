"""What sparklines are drawn from."""

from bridge.web.rates import STEP, STEPS, Rates


def busy(rates: Rates, now: float) -> dict[int, float]:
    """Records per second by how many steps ago they were."""
    read = rates.read(now)
    assert len(read) == STEPS
    return {STEPS - at: rate for at, rate in enumerate(read) if rate}


def test_a_step_is_shown_when_it_is_over() -> None:
    """One that has just begun would look like a stream that falls silent."""
    rates = Rates(1000.0)
    rates.add(7, 1001.0)
    rates.add(3, 1004.9)

    assert (busy(rates, 1004.9), busy(rates, 1005.0)) == ({}, {1: 2.0})


def test_steps_move_to_the_left_and_out() -> None:
    """The picture is of the last minutes, however long the bridge runs, and however long nothing came."""
    rates = Rates(1000.0)
    rates.add(5, 1000.0)
    rates.add(10, 1012.0)

    assert busy(rates, 1016.0) == {3: 1.0, 1: 2.0}
    assert busy(rates, 1000.0 + STEPS * STEP) == {60: 1.0, 58: 2.0}
    assert busy(rates, 1000.0 + (STEPS + 1) * STEP) == {59: 2.0}
    assert busy(rates, 9000.0) == {}


def test_a_clock_that_is_set_back_a_little_costs_nothing() -> None:
    """As time servers do it: the step under way goes on."""
    rates = Rates(1000.0)
    rates.add(5, 1006.0)
    rates.add(5, 1001.0)

    assert busy(rates, 1010.0) == {1: 2.0}


def test_a_clock_that_is_set_back_by_hours_begins_anew() -> None:
    """Else nothing would be counted until it has caught up."""
    rates = Rates(100_000.0)
    rates.add(5, 100_000.0)
    rates.add(15, 50_000.0)

    assert busy(rates, 50_005.0) == {1: 3.0}
