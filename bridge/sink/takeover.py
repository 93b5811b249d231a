"""What a stream finds when it is taken over, and how it goes on from there: resume, or restart with which debts."""

from msgspec import Struct
from msgspec.structs import replace

from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint, Identity, Restart, Resume, nothing_yet, start
from bridge.model.event import RestartReason
from bridge.sink import topics
from bridge.sink.checkpoints import Saved
from bridge.sink.route import Displaced, Router, displaced
from bridge.sink.topics import Topic
from bridge.telemetry import TopicForgotten


class Takeover(Struct, frozen=True):
    """How a stream begins.

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


async def prepare(config: Config, stream: str, identity: Identity, saved: Saved, checkpoint_topic: Topic) -> Takeover:
    """Decide. Makes the topics that are known without any object, if it comes to a restart."""
    before = saved.checkpoint or nothing_yet(identity)
    existing = await topics.describe(config, before.partitions)
    decision = decide(config, identity, saved, existing)
    if isinstance(decision, Resume):
        for gone in sorted(set(before.partitions) - set(existing)):
            TopicForgotten(stream, gone).emit()
        kept = replace(before, identity=_proven(identity, before.identity), partitions=_partitions(existing))
        router = _router(kept.identity, kept.partitions)
        return Takeover(decision, kept, kept.identity, existing, checkpoint_topic, router, saved.index, [])
    mine = existing | await topics.ensure(config, _router(identity, {}).fixed_topics())
    router = _router(identity, _partitions(mine))
    moved = displaced(saved.index, _router(before.identity, before.partitions), router) if before.partitions else []
    index = _without(saved.index, moved)
    return Takeover(decision, before, identity, mine, checkpoint_topic, router, index, moved)


def decide(config: Config, identity: Identity, saved: Saved, existing: dict[str, Topic]) -> Resume | Restart:
    """How a stream begins that finds *saved*; *existing* are those of its checkpoint's topics that are still there."""
    before = saved.checkpoint or nothing_yet(identity)
    decision = start(saved.checkpoint, identity, _counts(before, existing, saved.index))
    if isinstance(decision, Resume) and (lack := _lack(config, before, saved)):
        return Restart(RestartReason.DESYNCHRONIZED, lack, before.epoch, before.position)
    return decision


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
    return Router(identity.topic, identity.selection, identity.cluster, partitions)


def _partitions(found: dict[str, Topic]) -> dict[str, int]:
    return {name: topic.partitions for name, topic in found.items()}


def _without(index: dict[str, str], moved: list[Displaced]) -> dict[str, str]:
    keys = {each.key for each in moved}
    return {key: uid for key, uid in index.items() if key not in keys}


def _proven(now: Identity, before: Identity) -> Identity:
    """The cluster's uid is kept if it could not be read this time."""
    return replace(now, cluster_uid=now.cluster_uid or before.cluster_uid)
