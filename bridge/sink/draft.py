"""Events become the records of a transaction. Pure: what is committed, when and how is the writer's.

The record protocol of an epoch (docs/protocol.md) is kept here: markers go to every partition of every topic of the
stream, `SYNCED` counts what was `LISTED` in its partition, and no record precedes the `RESTARTED` of its partition.
"""

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct

from bridge.model.event import DELETED, LISTED, Change, ChangeType, Event, Restarted, RestartReason
from bridge.model.position import Epoch, Position
from bridge.model.resource import Resource
from bridge.sink.batch import Batches, largest_record
from bridge.sink.covers import index_prefix
from bridge.sink.formats import Envelope, Value
from bridge.sink.route import Displaced, Place, Router, Target

FULL = 8 << 20
"""Bytes of a transaction: an open one holds back all readers, and a full one costs least per record."""

RESTARTED, SYNCED, PROGRESS = "RESTARTED", "SYNCED", "PROGRESS"


class Oversize(Struct, frozen=True):
    key: str
    bytes: int
    limit: int


class Draft:
    """One transaction as it grows. Owns its batches, and what is to be told of it once it is committed."""

    def __init__(self, limits: dict[str, int], time: int) -> None:
        self.time = time
        self.records = Batches(limits)
        self.covers = Batches(limits)
        self.types: Counter[str] = Counter()
        self.oversize: list[Oversize] = []
        self.edits: list[tuple[bytes, bytes | None]] = []
        """Of the index: keys with their uids, None where the object is gone."""

    @property
    def is_full(self) -> bool:
        return self.records.bytes >= FULL or self.covers.bytes >= FULL

    def additions(self) -> Iterator[tuple[bytes, bytes]]:
        """Entries under keys of which the index knew nothing before."""
        seen = set[bytes]()
        for key, value in self.edits:
            if value is not None and key not in seen:
                yield key, value
            seen.add(key)


class Drafter:
    """Fills drafts. Owns the places of keys, the epoch's count of `LISTED` records and of inferred deletes.

    *limits* has the largest batch of every topic of *router*, and of the checkpoint topic.
    """

    def __init__(self, stream: str, router: Router, envelope: Envelope, covers: Target, types: tuple[str, ...]) -> None:
        self.router = router
        self.limits: dict[str, int] = {}
        self.inferred = 0
        self.indexed = 0
        """Objects that the index in Kafka holds, with the edits of the draft."""
        self._key = stream.encode()
        self._index = index_prefix(stream)
        self._covers = covers
        self._envelope = envelope
        self._wanted = {LISTED, *(ChangeType(name) for name in types)}
        self._listed: Counter[Target] = Counter()
        self._always_fits = 0

    @property
    def listed(self) -> int:
        """How many records of the epoch are `LISTED`, in all partitions."""
        return self._listed.total()

    def begin(self, time: int) -> Draft:
        self._envelope.stamp(time)
        return Draft(self.limits, time)

    def learn(self, topic: str, count: int, limit: int) -> None:
        """*topic* may be written to from now on."""
        self.router.learn(topic, count)
        self.allow(topic, limit)

    def allow(self, topic: str, limit: int) -> None:
        """Batches to *topic* may have *limit* bytes."""
        self.limits[topic] = limit
        smallest = min(self.limits.values())
        self._always_fits = largest_record(smallest) - 1024  # the longest key: a stream's and three Kubernetes names

    def enter(self, epoch: Epoch) -> None:
        """Records from now on are of *epoch*."""
        self._envelope.begin(epoch)
        self._listed.clear()
        self.inferred = 0

    def take(self, draft: Draft, events: list[Event], start: int) -> int:
        """Add the changes from *start* on. Returns where it stopped.

        That is at a marker, at a change whose topic is not known yet, behind the change that made the draft full, or
        at the end.
        """
        records, covers, fits = draft.records, draft.covers, self._always_fits
        known, value_of, put = self.router.places.get, self._envelope.change, records.put
        counts = dict.fromkeys(self._wanted, 0)
        for at in range(start, len(events)):
            change = events[at]
            if type(change) is not Change:
                break
            kind = change.type
            if kind in counts:
                place = known(change.key) or self.router.place(change.key)
                if place is None:
                    break
                size, value = value_of(change)
                if size > fits:
                    size, value = self._fitting(draft, change, place, size, value)
                put(place.target, place.key, size, value)
                counts[kind] += 1
                if kind is LISTED:
                    self._listed[place.target] += 1
            if change.fresh or kind is DELETED:
                self._edit(draft, change)
            if records.bytes >= FULL or covers.bytes >= FULL:
                at += 1  # noqa: PLW2901 - this one is in
                break
        else:
            at = len(events)
        draft.types.update({kind.value: count for kind, count in counts.items() if count})
        return at

    def unknown_topics(self, events: list[Event], start: int) -> list[str]:
        """The topics that the changes from *start* on need and nobody has learnt yet, up to the next marker."""
        topics = dict[str, None]()  # a set that keeps the order
        for at in range(start, len(events)):
            change = events[at]
            if type(change) is not Change:
                break
            if change.type in self._wanted and self.router.place(change.key) is None:
                topics[self.router.topic_of(change.key)] = None
        return list(topics)

    def _fitting(self, draft: Draft, change: Change, place: Place, size: int, value: Value) -> tuple[int, Value]:
        """The whole object if its topic takes it, else its metadata."""
        limit = self.limits[place.target.topic]
        room = largest_record(limit) - len(place.key)
        if size <= room:
            return size, value
        draft.oversize.append(Oversize(change.key, len(change.body), limit))
        reduced = self._envelope.oversize(change, room)
        return len(reduced), (reduced,)

    def _edit(self, draft: Draft, change: Change) -> None:
        """What the index in Kafka must learn of *change*, published or not."""
        if change.type is not DELETED:
            self.indexed += 1
            self._enter(draft, change.key, change.uid.encode())
            return
        self.indexed -= 1
        self._enter(draft, change.key, None)
        self.router.forget(change.key)
        self.inferred += change.inferred

    def _enter(self, draft: Draft, key: str, uid: bytes | None) -> None:
        entry = self._index + key.encode()
        draft.covers.add(self._covers, entry, uid)
        draft.edits.append((entry, uid))

    def retract(self, draft: Draft, displaced: list[Displaced], resource: Resource) -> int:
        """Delete objects where they no longer belong; they were of *resource*. Returns how many fitted."""
        for at, (key, uid, target) in enumerate((each.key, each.uid, each.target) for each in displaced):
            if draft.is_full:
                return at
            if target is not None and DELETED in self._wanted:
                draft.records.add(target, key.encode(), self._envelope.inferred(key, uid, resource))
                draft.types[DELETED.value] += 1
            self._enter(draft, key, None)
            self.inferred += 1
            self.indexed -= 1
        return len(displaced)

    def restarted(self, draft: Draft, marker: Restarted) -> None:
        self.enter(marker.epoch)
        for target, count in self._everywhere():
            self._mark(draft, RESTARTED, target, self._envelope.restarted(marker, target.partition, count))

    def synced(self, draft: Draft, at: Position) -> None:
        for target, count in self._everywhere():
            self._mark(draft, SYNCED, target, self._envelope.synced(at, self._listed[target], target.partition, count))

    def progressed(self, draft: Draft, at: Position) -> None:
        for target, count in self._everywhere():
            self._mark(draft, PROGRESS, target, self._envelope.progress(at, target.partition, count))

    def admit(self, draft: Draft, topic: str, epoch: Epoch, live_at: Position | None) -> None:
        """Open the running epoch in a topic that the stream has not written to yet.

        If the stream is live, its empty snapshot is closed as well, at *live_at*.
        """
        opening = Restarted(epoch, RestartReason.INITIAL, "the first record to this topic")
        for target, count in self._everywhere():
            if target.topic == topic:
                self._mark(draft, RESTARTED, target, self._envelope.restarted(opening, target.partition, count))
                if live_at is not None:
                    value = self._envelope.synced(live_at, 0, target.partition, count)
                    self._mark(draft, SYNCED, target, value)

    def _everywhere(self) -> list[tuple[Target, int]]:
        """Every partition of every topic, with the topic's count."""
        return [(target, self.router.count(target.topic)) for target in self.router.targets]

    def _mark(self, draft: Draft, kind: str, target: Target, value: bytes) -> None:
        draft.records.add(target, self._key, value)
        draft.types[kind] += 1
