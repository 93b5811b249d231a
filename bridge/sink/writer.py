"""The door: events in, transactions out, each with the checkpoint that covers exactly its records.

Taking over a stream is, in this order: start the producer (fences the old owner, ends its transaction), settle what
Kafka may have left open of it, read checkpoint and index, see to the topics. Any other order loses or repeats records
(measured: 59 repeated in 100 s of chaos).
"""

import time
from typing import NoReturn

from msgspec import Struct
from msgspec.structs import replace

from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint, Identity, Phase, Restart, Resume
from bridge.model.event import Change, Event, Progress, Restarted, Synced
from bridge.model.position import Position
from bridge.model.resource import Resource
from bridge.sink import covers, takeover, topics
from bridge.sink.batch import Batches
from bridge.sink.draft import Draft, Drafter
from bridge.sink.formats import Envelope, showing
from bridge.sink.hanging import Unsettled
from bridge.sink.mask import Mask
from bridge.sink.producer import Producer
from bridge.sink.proof import Proof, alone
from bridge.sink.route import Target
from bridge.sink.takeover import Alone, Takeover
from bridge.sink.telling import (
    ObjectOversized,
    RecordsCommitted,
    RecordsRepeated,
    RelistCompleted,
    StreamRestarted,
    TopicCompacted,
)
from bridge.sink.whereabouts import Whereabouts

EARLY = 0.9
"""Of the progress interval: bookmarks come every minute, now and then a little early, and every one should count."""


class Opened(Struct, frozen=True):
    """A stream that is ours. *index*: key -> uid of the objects that consumers believe in, where they belong.

    *request* is the id of the last request for a new epoch that is known: *start* has followed it, or one before has.
    """

    writer: "Writer"
    start: Resume | Restart
    index: dict[str, str]
    request: str


class Writer:
    """Owns the stream's producer, the draft under way and the events in it, and the last committed checkpoint.

    After an exception it must be killed: only what Kafka has counts then.
    """

    def __init__(self, config: Config, spec: StreamSpec, producer: Producer, take: Takeover) -> None:
        self.checkpoint = take.checkpoint
        self._config = config
        self._stream = spec.name
        self._producer = producer
        self._repeats = config.kafka.delivery == "at-least-once"
        self._identity = take.identity
        self._held = take.checkpoint
        self._displaced = take.displaced
        self._request = take.request
        self._honoured = take.checkpoint.honoured
        self._target, self._drafter = _drafter(config, spec, take)
        self._draft = self._drafter.begin(_now())
        self._events: list[Event] = []
        self._whereabouts = Whereabouts(producer, take.topics)
        self._progressed = self._restarted = float("-inf")
        self._trusted = _seconds(take.checkpoint.position)

    @classmethod
    async def open(
        cls,
        config: Config,
        spec: StreamSpec,
        identity: Identity,
        unsettled: Unsettled | None = None,
        proof: Proof = alone,
    ) -> Opened:
        """Take over the stream. Whoever owned it before can commit nothing more.

        *unsettled* is what an attempt before has left over, and is left over if this one fails. *proof* tells whether
        the stream is ours.
        """
        unsettled = unsettled or Unsettled()
        checkpoint_topic = await topics.ensure_checkpoints(config)
        topics.assert_led([checkpoint_topic])
        producer = await Producer.start(config.kafka, f"{config.name}.{spec.name}", unsettled, proof)
        try:
            found = await takeover.settled(config, spec.name, producer, checkpoint_topic)
            unsettled.settled()
            take = await takeover.prepare(config, spec.name, identity, found, Alone(config, spec.name, producer))
            take = takeover.salted(take)
            made = [topic for name, topic in take.topics.items() if name not in found.existing]
            await producer.discard(target for topic in made for target in topic.targets)
            for topic in take.topics.values():
                if topic.compacted:
                    TopicCompacted(spec.name, topic.name).emit()
            writer = cls(config, spec, producer, take)
            await producer.track([config.checkpoint_topic, *take.topics])
        except BaseException:
            await producer.kill()
            raise
        return Opened(writer, take.start, take.index, take.request)

    def adopt(self, config: Config) -> None:
        """Another one that runs the same stream: its interval of progress, and how topics are made."""
        self._config = config

    @property
    def worn_out(self) -> bool:
        """It works, but should be closed and opened again."""
        return self._producer.worn_out

    async def hold(self) -> NoReturn:
        """Raises when Kafka has to be asked anew what is committed, though nothing is being written."""
        await self._producer.hold()

    async def write(self, events: list[Event]) -> None:
        """Returns when all of *events* is committed, in transactions of about 8 MB at the most."""
        await self._whereabouts.assert_unchanged(self._drafter.router.counts)
        at = 0
        self._draft = self._drafter.begin(_now())
        while at < len(events):
            until = self._drafter.take(self._draft, events, at)
            self._events += events[at:until]
            at = until
            if self._draft.is_full:
                await self._commit()
            elif at < len(events):
                at = await self._meet(events, at)
        if self._events:
            await self._commit()

    async def close(self) -> None:
        """What `write` returned from is committed, so nothing is left to be said."""
        await self._producer.kill()

    async def kill(self) -> None:
        """As `close`, in whatever state it is. Twice does no harm."""
        await self._producer.kill()

    async def _meet(self, events: list[Event], at: int) -> int:
        """What needs more than adding. Returns where to go on: a change has only got its topic yet."""
        event = events[at]
        if isinstance(event, Change):
            await self._admit(self._drafter.unknown_topics(events, at))
            return at
        if isinstance(event, Restarted) and self._repeats and self._events:
            await self._commit()  # what was before the gap is told before the gap is remembered
        self._events.append(event)
        match event:
            case Restarted():
                await self._restart(event)
            case Synced(position):
                self._drafter.synced(self._draft, position)
                await self._commit()
                self._tell_relist(event)
            case Progress(position):
                if time.monotonic() - self._progressed >= EARLY * self._config.progress_interval:
                    self._progressed = time.monotonic()
                    self._drafter.progressed(self._draft, position)
        return at + 1

    async def _admit(self, names: list[str]) -> None:
        """The first records to topics: they must exist, and the epoch begins in them."""
        found = await topics.ensure(self._config, names)
        topics.assert_led(found.values())
        await self._producer.discard(target for topic in found.values() for target in topic.targets)
        await self._producer.track(names)
        self._whereabouts.learn(found)
        now = self._covering(_now())
        for name in names:
            self._drafter.learn(name, found[name].partitions, takeover.limit(self._config, found[name]))
            self._drafter.admit(self._draft, name, now.epoch, now.position if now.phase is Phase.LIVE else None)

    async def _restart(self, event: Restarted) -> None:
        """Begin the epoch everywhere, then delete what no longer belongs where consumers know it."""
        self._restarted = time.monotonic()
        self._drafter.restarted(self._draft, event)
        self._honoured = self._request  # whatever the epoch's reason: it is what was asked for
        resource = self._held.identity.selection.resource
        while self._displaced:
            await self._retract(resource)
        await self._commit()
        previous = event.previous.version if event.previous is not None else ""
        self._trusted = _seconds(event.previous)
        reason, message = event.reason.value, event.message
        StreamRestarted(self._stream, event.epoch, reason, message, previous, self._trusted).emit()

    async def _retract(self, resource: Resource) -> None:
        count = self._drafter.retract(self._draft, self._displaced, resource)
        left = self._displaced[count:]
        if left:
            await self._commit()
        self._displaced = left

    def _covering(self, now: int) -> Checkpoint:
        """The checkpoint that covers the draft.

        While displaced objects are left, it keeps the identity and the counts that they were placed by, so that a
        successor finds them again.
        """
        after = replace(self.checkpoint.after(self._events, now), honoured=self._honoured)
        counts, ids, indexed = self._drafter.router.counts, dict(self._whereabouts.ids), self._drafter.indexed
        if self._displaced:
            counts, ids = counts | self._held.partitions, self._held.ids | ids
            return replace(after, identity=self._held.identity, partitions=counts, ids=ids, indexed=indexed)
        return replace(after, identity=self._identity, partitions=counts, ids=ids, indexed=indexed)

    async def _commit(self) -> None:
        """Commit the draft with its checkpoint, and begin the next one."""
        draft, now = self._draft, _now()
        checkpoint = self._covering(now)
        if self._repeats:
            await self._foretell(draft, checkpoint, now)
        draft.covers.add(self._target, self._stream.encode(), covers.encode(checkpoint, now))
        began = time.monotonic()
        try:
            await self._producer.publish(draft.records, draft.covers, draft.time)
        except BaseException:
            if self._repeats:
                RecordsRepeated(self._stream, draft.records.count).emit()
            raise
        self.checkpoint = checkpoint
        self._events = []
        self._draft = self._drafter.begin(_now())
        self._tell(draft, time.monotonic() - began)

    async def _foretell(self, draft: Draft, checkpoint: Checkpoint, now: int) -> None:
        """Without transactions: objects that the index lacks would go without a word, epochs stay open for ever."""
        early = self._drafter.begin(now).covers
        for key, value in draft.additions():
            early.add(self._target, key, value)
        if any(isinstance(event, Restarted) for event in self._events):
            early.add(self._target, self._stream.encode(), covers.encode(checkpoint, now))
        if early.runs:
            await self._producer.publish(Batches({}), early, now)

    def _tell(self, draft: Draft, seconds: float) -> None:
        position = self.checkpoint.position
        version = position.version if position is not None else ""
        learnt = _seconds(position)
        size, topics = draft.records.bytes, self.checkpoint.partitions
        RecordsCommitted(self._stream, dict(draft.types), size, seconds, version, learnt, topics).emit()
        for each in draft.oversize:
            ObjectOversized(self._stream, each.key, each.bytes, each.limit).emit()

    def _tell_relist(self, event: Synced) -> None:
        took = time.monotonic() - self._restarted
        gap = max(0.0, time.time() - self._trusted) if self._trusted else 0.0
        drafter = self._drafter
        RelistCompleted(
            self._stream,
            event.position.epoch,
            event.position.version,
            drafter.listed,
            drafter.inferred,
            round(took, 3),
            round(gap, 3),
        ).emit()


def _drafter(config: Config, spec: StreamSpec, take: Takeover) -> tuple[Target, Drafter]:
    mask = Mask(take.checkpoint.salt) if take.identity.mask != "none" else None
    show = showing(spec.watch.drop, mask)
    envelope = Envelope(take.identity.cluster, spec.name, take.identity.selection.resource, show)
    target = covers.target_of(config.checkpoint_topic, config.checkpoints.partitions, spec.name)
    drafter = Drafter(spec.name, take.router, envelope, target, spec.watch.types)
    drafter.allow(config.checkpoint_topic, takeover.limit(config, take.checkpoint_topic))
    for name, topic in take.topics.items():
        drafter.allow(name, takeover.limit(config, topic))
    drafter.enter(take.checkpoint.epoch)
    drafter.indexed = len(take.index) + len(take.displaced)
    return target, drafter


def _seconds(position: Position | None) -> float:
    """When it was learnt, since 1970; 0 if there is none."""
    return position.time / 1000 if position is not None else 0.0


def _now() -> int:
    return time.time_ns() // 1_000_000
