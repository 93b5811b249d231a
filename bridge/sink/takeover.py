"""What a stream finds when it is taken over, and how it goes on from there: resume, or restart with which debts."""

import secrets
import time
from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint, Identity, Restart, Resume, nothing_yet, start
from bridge.model.event import RestartReason
from bridge.sink import checkpoints, covers, topics
from bridge.sink.batch import Batches
from bridge.sink.checkpoints import Saved
from bridge.sink.producer import Producer
from bridge.sink.route import Displaced, Router, displaced
from bridge.sink.telling import TopicForgotten
from bridge.sink.topics import Topic, ids_of


class Takeover(Struct, frozen=True):
    """How a stream begins. *request* is the id of the last request for a new epoch, followed or not; else empty.

    *topics* are those that it may write to at once, and *router* knows them. *index* is without the *displaced*.
    """

    start: Resume | Restart
    checkpoint: Checkpoint
    identity: Identity
    topics: dict[str, Topic]
    checkpoint_topic: Topic
    router: Router
    index: dict[str, str]
    displaced: list[Displaced]
    request: str


class Found(Struct, frozen=True):
    """What there is of a stream in Kafka. *existing* are those of its checkpoint's topics that are left (`left_of`)."""

    saved: Saved
    existing: dict[str, Topic]
    checkpoint_topic: Topic


SALT = 32
"""Bytes: as many as HMAC-SHA256 can use."""

Remember = Callable[[Checkpoint], Awaitable[None]]


async def prepare(config: Config, stream: str, identity: Identity, found: Found, remember: Remember) -> Takeover:
    """Decide. Makes the topics that are known without any object, if it comes to a restart.

    *remember* commits a checkpoint alone: what is gone must be known to a successor before anything is made anew.
    """
    saved, existing = found.saved, found.existing
    before = saved.checkpoint or nothing_yet(identity)
    noted = _noted(stream, before, existing, saved.index)
    if noted != before:
        await remember(noted)
        before, saved = noted, replace(saved, checkpoint=noted)
    identity = _recalled(config, identity, saved.checkpoint)
    decision = decide(config, identity, saved, existing)
    request = saved.request.id if saved.request is not None else ""
    if isinstance(decision, Resume):
        kept = replace(
            before,
            identity=identity,
            partitions=_partitions(existing),
            ids=ids_of(existing),
        )
        router = _router(identity, kept.partitions)
        return Takeover(decision, kept, identity, existing, found.checkpoint_topic, router, saved.index, [], request)
    mine = existing | await topics.ensure(config, _router(identity, {}).fixed_topics())
    router = _router(identity, _partitions(mine))
    moved = displaced(saved.index, _router(before.identity, before.partitions), router) if before.partitions else []
    index = _without(saved.index, moved)
    return Takeover(decision, before, identity, mine, found.checkpoint_topic, router, index, moved, request)


def salted(take: Takeover) -> Takeover:
    """With a salt, where there is something to mask: it is committed with the first records that it is in."""
    if take.identity.mask == "none" or take.checkpoint.salt:
        return take
    return replace(take, checkpoint=replace(take.checkpoint, salt=secrets.token_hex(SALT)))


def left_of(before: Checkpoint | None, present: dict[str, Topic]) -> dict[str, Topic]:
    """Of the topics that are *present* those that are still what *before* says was written to.

    One that was deleted and made anew, by another stream or by people, is gone as far as this stream is concerned.
    """
    return {name: topic for name, topic in present.items() if before is None or before.is_of(name, topic.id)}


def decide(config: Config, identity: Identity, saved: Saved, existing: dict[str, Topic]) -> Resume | Restart:
    """How a stream begins that finds *saved*; *existing* are those of its checkpoint's topics that are still there."""
    before = saved.checkpoint or nothing_yet(identity)
    identity = _recalled(config, identity, saved.checkpoint)
    decision = start(saved.checkpoint, identity, _counts(before, existing, saved.index))
    if isinstance(decision, Resume) and (lack := _lack(config, before, saved)):
        return Restart(RestartReason.DESYNCHRONIZED, lack, before.epoch, before.position)
    if isinstance(decision, Resume) and (request := saved.request) is not None and request.id != before.honoured:
        return Restart(RestartReason.REQUESTED, f"asked for by {request.by}", before.epoch, before.position)
    return decision


def _noted(stream: str, before: Checkpoint, existing: dict[str, Topic], index: dict[str, str]) -> Checkpoint:
    """*before*, with what is gone: 0 for a topic with objects in it, no word of one without."""
    counts = _counts(before, existing, index)
    for gone in sorted(set(before.partitions) - set(counts)):
        TopicForgotten(stream, gone).emit()
    left = {name: 0 if counts[name] == 0 else was for name, was in before.partitions.items() if name in counts}
    ids = {name: known for name, known in before.ids.items() if name in existing}
    return replace(before, partitions=left, ids=ids)


def _recalled(config: Config, now: Identity, before: Checkpoint | None) -> Identity:
    """Where the cluster's uid cannot be read this time, it is taken for that of before, and its name as well."""
    if now.cluster_uid or before is None:
        return now
    known = before.identity
    return replace(now, cluster_uid=known.cluster_uid, cluster=now.cluster if config.cluster else known.cluster)


def _lack(config: Config, before: Checkpoint, saved: Saved) -> str:
    """What shows that the index is not the checkpoint's, as when its topic was deleted under a running bridge.

    Empty if nothing does. Without transactions the two may differ after any crash: that proves nothing.
    """
    if config.kafka.delivery != "exactly-once" or before.indexed == len(saved.index):
        return ""
    return f"the checkpoint knows {before.indexed} objects, the index holds {len(saved.index)}"


def limit(config: Config, topic: Topic) -> int:
    """The largest batch to send to *topic*."""
    return min(config.kafka.max_message_bytes, topic.limit or config.kafka.max_message_bytes)


def _counts(before: Checkpoint, existing: dict[str, Topic], index: dict[str, str]) -> dict[str, int]:
    """Partition counts as they are. A topic that is gone with objects in it has 0: consumers must be told of them anew.

    One that is gone without any is no matter; if it comes back, the epoch begins in it then.
    """
    counts = _partitions(existing)
    gone = set(before.partitions) - set(existing)
    if gone and index:
        router = _router(before.identity, before.partitions)
        counts |= dict.fromkeys(gone & {router.topic_of(key) for key in index}, 0)
    return counts


def _router(identity: Identity, partitions: dict[str, int]) -> Router:
    counts = {name: count for name, count in partitions.items() if count}
    return Router(identity.topic, identity.selection, identity.cluster, counts)


def _partitions(found: dict[str, Topic]) -> dict[str, int]:
    return {name: topic.partitions for name, topic in found.items()}


def _without(index: dict[str, str], moved: list[Displaced]) -> dict[str, str]:
    keys = {each.key for each in moved}
    return {key: uid for key, uid in index.items() if key not in keys}


async def settled(config: Config, stream: str, producer: Producer, checkpoint_topic: Topic) -> Found:
    """What there is of the stream, once nothing of it hangs: first where the checkpoint lies, then in its topics."""
    place = covers.target_of(config.checkpoint_topic, checkpoint_topic.partitions, stream)
    await producer.settle([place])
    saved = await checkpoints.read(config, stream)
    before = saved.checkpoint
    present = await topics.describe(config, before.partitions if before is not None else ())
    existing = left_of(before, present)
    topics.assert_led(existing.values())
    await producer.settle(target for topic in existing.values() for target in topic.targets)
    return Found(saved, existing, checkpoint_topic)


class Alone(Struct, frozen=True):
    """Commits a checkpoint without records."""

    config: Config
    stream: str
    producer: Producer

    async def __call__(self, checkpoint: Checkpoint) -> None:
        now, batches = time.time_ns() // 1_000_000, Batches({})
        place = covers.target_of(self.config.checkpoint_topic, self.config.checkpoints.partitions, self.stream)
        batches.add(place, self.stream.encode(), covers.encode(checkpoint, now))
        await self.producer.track([self.config.checkpoint_topic])
        await self.producer.publish(Batches({}), batches, now)
