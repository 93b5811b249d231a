"""The rules one by one. The whole is in the vectors, and in a property: the state is always the cluster's."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.consumer.follower import Delete, Follower, GapOpened, Outcome, Resynced, Upsert
from bridge.consumer.intake import Intake
from bridge.consumer.records import Entry, Keyed, read
from bridge.consumer.state import Log, Scope, Standing
from bridge.consumer.stores.memory import MemoryStore
from tests.consumer.told import change, entries, inferred, progress, restarted, synced

LOG = Log("topic", 0)
SCOPE = Scope("topic", 0, "pods")


def outcomes(*records: tuple[bytes, bytes], store: MemoryStore | None = None) -> list[Outcome]:
    follower = Follower(store or MemoryStore())
    found: list[Outcome] = []
    for key, value in records:
        keyed = read(key, value)
        assert isinstance(keyed, Keyed)
        found += follower.take(LOG, keyed)
    return found


def words(told: list[Outcome]) -> list[str]:
    found = []
    for outcome in told:
        match outcome:
            case Upsert(key=key, change=change):
                found.append(f"{change} {key}")
            case Delete(key=key, inferred=inferred):
                found.append(f"delete {key}{' inferred' * inferred}")
            case GapOpened(epoch=epoch, reason=reason):
                found.append(f"gap {epoch} {reason}")
            case Resynced(epoch=epoch, swept=swept):
                found.append(f"resynced {epoch}, swept {','.join(swept) or 'nothing'}")
    return found


def test_an_epoch_is_told_from_its_gap_to_its_sweep() -> None:
    """What a consumer that keeps a database of its own is called with."""
    told = outcomes(
        restarted(10),
        change("LISTED", 10, "x", 1),
        change("LISTED", 10, "y", 2),
        synced(10, 5, 2),
        change("MODIFIED", 10, "x", 6),
        restarted(11, "expired"),
        change("LISTED", 11, "x", 6),
        synced(11, 9, 1),
    )

    assert words(told) == [
        "gap 10 initial",
        "LISTED pods/a/x",
        "LISTED pods/a/y",
        "resynced 10, swept nothing",
        "MODIFIED pods/a/x",
        "gap 11 expired",
        "LISTED pods/a/x",
        "resynced 11, swept pods/a/y",
    ]


def test_a_delete_is_told_once_and_only_of_what_was_held() -> None:
    """Whoever acts on deletes must not act twice."""
    told = outcomes(
        restarted(10),
        change("LISTED", 10, "x", 1),
        synced(10, 5, 1),
        change("DELETED", 10, "x", 6),
        change("DELETED", 10, "x", 6),
        change("DELETED", 10, "never", 7),
        restarted(11),
        inferred(11, "x"),
    )

    assert [word for word in words(told) if word.startswith("delete")] == ["delete pods/a/x"]


def test_a_repeated_marker_is_told_once() -> None:
    """Gaps are counted and alerted on: at-least-once must not double them."""
    told = outcomes(restarted(10), restarted(10), synced(10, 5, 0), synced(10, 5, 0), restarted(10))

    assert words(told) == ["gap 10 initial", "resynced 10, swept nothing"]


def test_an_older_epoch_says_nothing() -> None:
    """It is over: the newer one's snapshot has covered whatever it says."""
    told = outcomes(restarted(11), synced(11, 5, 0), change("ADDED", 10, "x", 3), restarted(10), synced(10, 4, 0))

    assert words(told) == ["gap 11 initial", "resynced 11, swept nothing"]


def test_a_snapshot_that_was_not_read_whole_is_no_whole_one() -> None:
    """A consumer that begins in the middle must know that it knows only a part."""
    store = MemoryStore()

    told = outcomes(change("LISTED", 10, "y", 2), synced(10, 5, 2), store=store)

    assert isinstance(told[-1], Resynced)
    assert (told[-1].whole, told[-1].listed, told[-1].promised) == (False, 1, 2)
    assert store.chapters()[SCOPE].standing is Standing.PARTIAL

    outcomes(restarted(11), change("LISTED", 11, "y", 2), synced(11, 9, 1), store=store)

    assert store.chapters()[SCOPE].standing is Standing.WHOLE


def test_how_fresh_a_stream_is_can_be_asked() -> None:
    """A reader of the state wants to know how old it may be."""
    store = MemoryStore()

    outcomes(restarted(10), synced(10, 5, 0), progress(10, 77), store=store)

    assert store.chapters()[SCOPE].version == "77"
    assert store.chapters()[SCOPE].time == "2026-11-23T08:30:00.123Z"


class Cluster:
    """One stream in one partition as the bridge would tell it, and the objects as they really are."""

    def __init__(self, stream: str, partition: int) -> None:
        self.stream, self.partition = stream, partition
        self.epoch, self.version = 0, 0
        self.truth: dict[str, int] = {}
        self.told: dict[str, int] = {}
        self.records: list[tuple[bytes, bytes]] = []
        self.known: list[bool] = []
        """For every record: whether the truth must be held after it."""
        self.truths: list[dict[str, int]] = []

    def say(self, record: tuple[bytes, bytes], *, known: bool) -> None:
        self.records.append(record)
        self.known.append(known)
        self.truths.append(dict(self.truth))

    def gap(self, changes: list[tuple[str, bool]], upto: int, *, infer: bool) -> None:
        """*changes* happen unseen; the snapshot is cut off after *upto* records, if it has so many."""
        for name, is_there in changes:
            self._change(name, is_there)
        self.epoch += 1
        pods = self.stream
        gone = [inferred(self.epoch, name, pods) for name in sorted(self.told.keys() - self.truth.keys()) if infer]
        listed = [change("LISTED", self.epoch, name, version, pods) for name, version in sorted(self.truth.items())]
        snapshot = [restarted(self.epoch, stream=pods), *gone, *listed]
        for record in snapshot[:upto]:
            self.say(record, known=False)
        if upto >= len(snapshot):
            self.say(synced(self.epoch, self.version, len(listed), pods), known=True)
            self.told = dict(self.truth)

    def live(self, name: str, is_there: bool) -> None:
        """As watched. Only in an epoch that is SYNCED."""
        if not self.known or not self.known[-1]:
            return
        was = name in self.truth
        if not was and not is_there:
            return
        self._change(name, is_there)
        kind = "DELETED" if not is_there else "MODIFIED" if was else "ADDED"
        self.say(change(kind, self.epoch, name, self.version, self.stream), known=True)
        self.told = dict(self.truth)

    def _change(self, name: str, is_there: bool) -> None:
        self.version += 1
        if is_there:
            self.truth[name] = self.version
        else:
            self.truth.pop(name, None)


NAMES = st.sampled_from("abcde")
UNSEEN = st.lists(st.tuples(NAMES, st.booleans()), max_size=6)
ACTS = st.one_of(
    st.tuples(st.just("live"), NAMES, st.booleans()),
    st.tuples(st.just("gap"), UNSEEN, st.integers(1, 12), st.booleans()),
)
HISTORIES = st.lists(st.tuples(st.integers(0, 3), ACTS), max_size=40)


def play(history: list[tuple[int, Any]]) -> list[Cluster]:
    clusters = [Cluster(stream, partition) for stream in ("pods", "web") for partition in (0, 1)]
    for which, act in history:
        kind, *what = act
        if kind == "live":
            clusters[which].live(*what)
        else:
            changes, upto, infer = what
            clusters[which].gap(changes, upto, infer=infer)
    return clusters


def truth_of(store: MemoryStore, cluster: Cluster) -> dict[str, int]:
    scope = Scope("topic", cluster.partition, cluster.stream)
    return {
        json.loads(held.body)["metadata"]["name"]: int(held.version) for at, _, held in store.objects() if at == scope
    }


@given(HISTORIES, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_whatever_happens_the_state_is_the_clusters(history: list[tuple[int, Any]], dice: Any) -> None:  # noqa: ANN401
    """Streams and partitions in any mixture, gaps, relists that are cut off, deletes that are told or not; records that
    come in batches, and come again after a restart.
    """
    clusters = play(history)
    store, offsets, done = MemoryStore(), {0: 0, 1: 0}, dict.fromkeys(range(4), 0)
    logs: dict[int, list[Entry]] = {0: [], 1: []}
    while left := [n for n, cluster in enumerate(clusters) if done[n] < len(cluster.records)]:
        which = dice.choice(left)
        cluster = clusters[which]
        at, partition = done[which], cluster.partition
        logs[partition].append(Entry(offsets[partition], *cluster.records[at]))
        offsets[partition] += 1
        done[which] += 1

        again = dice.randint(0, 3)
        Intake(store).take(Log("topic", partition), logs[partition][-1 - again :])

        if cluster.known[at]:
            assert truth_of(store, cluster) == cluster.truths[at]


@given(HISTORIES)
@settings(max_examples=100, deadline=None)
def test_a_follower_agrees_with_the_protocols_naive_one(history: list[tuple[int, Any]]) -> None:
    """Also in the middle of a snapshot, where the cluster's state is not known."""
    naive: dict[tuple[str, str], int] = {}
    store = MemoryStore()
    intake = Intake(store)
    for cluster in play(history)[:1]:
        for number, (key, value) in enumerate(cluster.records):
            intake.take(LOG, [Entry(number, key, value)])
            record = json.loads(value)
            place = (record["stream"], key.decode())
            if record["type"] in ("LISTED", "ADDED", "MODIFIED"):
                naive[place] = record["epoch"]
            elif record["type"] == "DELETED":
                naive.pop(place, None)
            elif record["type"] == "SYNCED":
                naive = {place: epoch for place, epoch in naive.items() if epoch == record["epoch"]}
            assert {(at.stream, key): held.epoch for at, key, held in store.objects()} == naive


def test_entries_of_tests_are_numbered() -> None:
    """The property above would prove nothing with offsets that do not grow."""
    assert [entry.offset for entry in entries(restarted(1), synced(1, 1, 0), begin=5)] == [5, 6]
