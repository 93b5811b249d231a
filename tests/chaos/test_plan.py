"""A failure of a run can be repeated only if its plan can."""

from collections import Counter

from tests.chaos.plan import DECK, PACE, Fault, plan, storm


def test_the_same_seed_is_the_same_plan() -> None:
    """What failed at night is tried again by day."""
    assert plan(7, 900, 3, 6) == plan(7, 900, 3, 6)
    assert plan(7, 900, 3, 6) != plan(8, 900, 3, 6)


def test_a_long_run_has_every_fault_in_its_share() -> None:
    """Luck must not leave out what matters most."""
    decks = 10
    cards = sum(many for _, many, _, _ in DECK.values())
    faults = plan(1, decks * cards * PACE / 0.9, 3, 6)

    assert Counter(fault.what for fault in faults) == {what: decks * many for what, (_, many, _, _) in DECK.items()}
    assert {fault.which for fault in faults if fault.side == "replica"} == {0, 1, 2}
    assert {fault.which for fault in faults if fault.side == "stream"} == set(range(6))
    assert faults == sorted(faults, key=lambda fault: fault.second)


def test_a_storm_is_the_same_each_time_and_ends() -> None:
    """It is a fault like others: its plan is its own."""
    fault = Fault(20.5, "restart storm", 12.0, 1)
    gusts = storm(fault, 3)

    assert gusts == storm(fault, 3)
    assert fault.lasting <= sum(gust.pause for gust in gusts) <= fault.lasting + 3
    assert all(1 <= gust.pause <= 3 and len(gust.killed) == 3 for gust in gusts)
    assert {True, False} <= {killed for gust in gusts for killed in gust.killed}
