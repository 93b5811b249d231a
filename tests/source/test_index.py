"""What consumers believe in, and what they must be told so that they go on believing the right thing."""

import pytest

from bridge.model.event import Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import Epoch
from bridge.source.index import Index
from tests.source.words import added, at, deleted, inferred, listed, modified

RESTARTED = Restarted(Epoch(6), RestartReason.EXPIRED, "", at(5, "90"))
AGAIN = Restarted(Epoch(7), RestartReason.INTERRUPTED, "", at(5, "90"))
SYNCED = Synced(at(6, "300"))


def index(**uids: str) -> Index:
    """What the durable index said; a name's usual uid where it is empty."""
    return Index({f"pods/default/{name}": uid or f"uid-{name}" for name, uid in uids.items()})


def test_the_first_sight_of_an_object_is_fresh() -> None:
    """Its uid goes into the durable index with the record: else its delete in a gap could never be inferred."""
    events: list[Event] = [added("a", "101"), modified("a", "102"), added("b", "103")]

    assert index().apply(events) == [
        added("a", "101", fresh=True),
        modified("a", "102"),
        added("b", "103", fresh=True),
    ]


def test_an_object_of_the_durable_index_is_not_fresh() -> None:
    """A change of a known object, the bulk, must cost nothing but its own record."""

    assert index(a="").apply([modified("a", "101")]) == [modified("a", "101")]


def test_another_uid_is_another_object() -> None:
    """The durable index must learn it, though the key is the same."""

    assert index(a="uid-1").apply([added("a", "101", "uid-2"), modified("a", "102", "uid-2")]) == [
        added("a", "101", "uid-2", fresh=True),
        modified("a", "102", "uid-2"),
    ]


def test_an_object_that_was_deleted_and_comes_back_is_fresh() -> None:
    """Its entry was removed with the delete."""
    events: list[Event] = [deleted("a", "101"), added("a", "102")]

    assert index(a="").apply(events) == [deleted("a", "101"), added("a", "102", fresh=True)]


def test_a_delete_that_was_said_is_not_said_again() -> None:
    """A resumed watch repeats the deletes behind the position; each change reaches Kafka exactly once."""
    events: list[Event] = [deleted("a", "101"), deleted("a", "101"), deleted("b", "101")]

    assert index(a="", b="").apply(events) == [deleted("a", "101"), deleted("b", "101")]


def test_a_delete_of_what_nobody_knows_is_not_said() -> None:
    """It was said before the crash: the durable index is of the same transaction as the delete."""

    assert index().apply([deleted("a", "101")]) == []


def test_what_the_snapshot_does_not_bring_was_deleted() -> None:
    """52: in the order of the keys, so that two runs say the same; behind the last object, before the end."""
    events: list[Event] = [RESTARTED, listed("b", "98"), SYNCED]

    assert index(c="", a="", b="").apply(events) == [RESTARTED, listed("b", "98"), inferred("a"), inferred("c"), SYNCED]


def test_nothing_is_inferred_before_the_end_of_the_snapshot() -> None:
    """What has not come may still come."""

    assert index(a="").apply([RESTARTED, listed("b", "98")]) == [RESTARTED, listed("b", "98", fresh=True)]


def test_a_snapshot_may_come_in_pieces() -> None:
    """Reads and pages; what an earlier one brought is not missing in a later one."""
    live = index(a="", b="")
    pieces: list[list[Event]] = [[RESTARTED], [listed("a", "98")], [SYNCED], [deleted("b", "301")]]

    assert [live.apply(events) for events in pieces] == [
        [RESTARTED],
        [listed("a", "98")],
        [inferred("b"), SYNCED],
        [],
    ]


def test_an_object_made_anew_in_a_gap_was_deleted_first() -> None:
    """53: whoever counts objects or keeps what belongs to them must see the end of the old one."""
    events: list[Event] = [RESTARTED, listed("a", "250", "uid-2"), SYNCED]

    assert index(a="uid-1").apply(events) == [
        RESTARTED,
        inferred("a", "uid-1"),
        listed("a", "250", "uid-2", fresh=True),
        SYNCED,
    ]


def test_outside_of_a_snapshot_nothing_is_inferred() -> None:
    """A live stream says its deletes itself."""

    assert index(a="uid-1").apply([added("a", "101", "uid-2")]) == [added("a", "101", "uid-2", fresh=True)]


def test_an_interrupted_snapshot_infers_nothing_but_is_remembered() -> None:
    """52, 55: consumers saw the objects that it brought; if the next one does not bring them, they are gone."""
    events: list[Event] = [RESTARTED, listed("b", "98"), AGAIN, listed("c", "99"), Synced(at(7, "400"))]

    assert index(a="").apply(events) == [
        RESTARTED,
        listed("b", "98", fresh=True),
        AGAIN,
        listed("c", "99", fresh=True),
        inferred("a"),
        inferred("b"),
        Synced(at(7, "400")),
    ]


def test_an_object_inferred_as_deleted_is_fresh_when_it_comes_back() -> None:
    events: list[Event] = [RESTARTED, SYNCED, added("a", "301")]

    assert index(a="").apply(events) == [RESTARTED, inferred("a"), SYNCED, added("a", "301", fresh=True)]


def test_progress_is_passed_on() -> None:
    progress = Progress(at(5, "105"))

    assert index(a="").apply([progress]) == [progress]


def test_the_index_knows_how_many_are_alive() -> None:
    """What the stream's status shows."""
    live = index(a="", b="")
    live.apply([added("c", "101"), deleted("a", "102"), deleted("a", "102"), modified("b", "103")])

    assert len(live) == 2


def test_an_end_without_a_beginning_is_our_mistake() -> None:
    """Consumers would take the end of nothing for an empty snapshot, and drop all they have."""

    with pytest.raises(AssertionError):
        index(a="").apply([SYNCED])
