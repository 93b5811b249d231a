"""A failure of a run can be repeated only if its plan can."""

from collections import Counter

from tests.chaos.plan import DECK, PACE, plan


def test_the_same_seed_is_the_same_plan() -> None:
    """What failed at night is tried again by day."""
    assert plan(7, 900, 3) == plan(7, 900, 3)
    assert plan(7, 900, 3) != plan(8, 900, 3)


def test_a_long_run_has_every_fault_in_its_share() -> None:
    """Luck must not leave out what matters most."""
    decks = 10
    cards = sum(many for _, many, _, _ in DECK.values())
    faults = plan(1, decks * cards * PACE / 0.9, 3)

    assert Counter(fault.what for fault in faults) == {what: decks * many for what, (_, many, _, _) in DECK.items()}
    assert {fault.replica for fault in faults} == {0, 1, 2}
    assert faults == sorted(faults, key=lambda fault: fault.second)
