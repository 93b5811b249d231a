import pytest

from bridge.model.position import NO_EPOCH, Epoch, Position, ResourceVersion, is_newer, is_resumable, next_epoch


@pytest.mark.parametrize(
    ("a", "b", "newer"),
    [
        ("2", "1", True),
        ("1", "2", False),
        ("1", "1", False),
        ("10", "9", True),
        ("9", "10", False),
        ("18446744073709551616", "18446744073709551615", True),
        ("9" * 40, "1" + "0" * 40, False),
    ],
)
def test_versions_are_integers_of_any_length(a: str, b: str, newer: bool) -> None:
    """Compared as text, 10 would be older than 9, and every stream would relist at each new digit."""

    assert is_newer(a, b) is newer


@pytest.mark.parametrize(("version", "resumable"), [("", False), ("0", False), ("1", True), ("10", True)])
def test_no_version_and_zero_are_no_place_to_start(version: str, resumable: bool) -> None:
    """They mean "any": a watch from there sends a snapshot of unknown age, and consumers would go back in time."""

    assert is_resumable(version) is resumable


def test_an_epoch_is_named_by_the_clock() -> None:
    """So that epochs grow although the checkpoint topic was lost, and with it the last epoch."""

    assert next_epoch(NO_EPOCH, 1763886600123) == 1763886600123


@pytest.mark.parametrize("now", [0, 4, 5])
def test_an_epoch_is_later_than_the_one_before_it_though_the_clock_goes_back(now: int) -> None:
    """A consumer ignores epochs that are older than its own: it would ignore the whole snapshot."""

    assert next_epoch(Epoch(5), now) == 6


def test_the_newest_version_heard_of_may_be_that_of_a_delete() -> None:
    """A server whose own newest is lower has been put back, though it may have the position."""
    here = Position(Epoch(5), ResourceVersion("100"), 1)

    assert here.newest == "100"
    assert here.after_delete(ResourceVersion("100")) == here
    assert here.after_delete(ResourceVersion("102")).after_delete(ResourceVersion("101")).newest == "102"
