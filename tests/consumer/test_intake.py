from pathlib import Path

import pytest

from bridge.consumer.follower import Upsert
from bridge.consumer.intake import SUSPICION, ForeignTopic, Intake, Refused
from bridge.consumer.state import Log
from bridge.consumer.stores.memory import MemoryStore
from bridge.consumer.stores.sqlite import SqliteStore
from tests.consumer.told import change, entries, restarted, synced

LOG = Log("topic", 0)
GARBAGE = (b"k", b"hello")


def test_what_was_taken_is_not_taken_again() -> None:
    """After a rebalance two members may read the same records into one file, or one reads them twice."""
    intake = Intake(MemoryStore())
    batch = entries(restarted(10), change("LISTED", 10, "x", 1), synced(10, 5, 1))

    first = intake.take(LOG, batch)
    again = intake.take(LOG, [*batch, *entries(change("ADDED", 10, "y", 6), begin=3)])

    assert len(first) == 3
    assert [type(notice) for notice in again] == [Upsert]


def test_a_stray_record_is_passed_over_and_named() -> None:
    """Somebody's test message must not stop a consumer for ever."""
    store = MemoryStore()

    told = Intake(store).take(LOG, entries(restarted(10), GARBAGE, change("LISTED", 10, "x", 1)))

    assert Refused(LOG, 1, "JSON is malformed: invalid character (byte 0)") in told
    assert store.offset(LOG) == 3
    assert [key for _, key, _ in store.objects()] == ["pods/a/x"]


def test_a_topic_of_another_format_is_refused_as_a_whole() -> None:
    """Passing over a million records in silence would look like an empty cluster."""
    store = MemoryStore()

    with pytest.raises(ForeignTopic, match="topic holds nothing of the bridge's: 100 records were read"):
        Intake(store).take(LOG, entries(*[GARBAGE] * SUSPICION))

    assert store.offset(LOG) is None


def test_a_topic_that_was_ours_is_never_refused(tmp_path: Path) -> None:
    """Garbage that somebody pours into it is passed over, also after a restart."""
    store = SqliteStore(tmp_path / "state.db")
    Intake(store).take(LOG, entries(restarted(10), synced(10, 5, 0)))

    told = Intake(store).take(LOG, entries(*[GARBAGE] * 2 * SUSPICION, begin=2))

    assert len(told) == 2 * SUSPICION
    assert store.offset(LOG) == 2 + 2 * SUSPICION
    store.close()


def test_a_batch_that_fails_is_not_taken_in_part(tmp_path: Path) -> None:
    """State and offset are one thing."""
    store = SqliteStore(tmp_path / "state.db")
    intake = Intake(store)
    intake.take(LOG, entries(restarted(10), change("LISTED", 10, "x", 1)))
    other = Log("foreign", 0)

    with pytest.raises(ForeignTopic):
        intake.take(other, entries(*[GARBAGE] * SUSPICION))

    assert (store.offset(LOG), store.offset(other)) == (2, None)
    assert len(list(store.objects())) == 1
    store.close()
