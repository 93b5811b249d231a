"""What is committed to Kafka with the records it covers: how far a stream is, and of what."""

import enum

from msgspec import Struct
from msgspec.structs import replace

from bridge.model.event import DELETED, Change, Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, NO_VERSION, Epoch, Position, is_newer
from bridge.model.resource import Selection


class Phase(enum.Enum):
    RELISTING = "relisting"
    """`RESTARTED` of the epoch is published, `SYNCED` is not."""
    LIVE = "live"
    REMOVED = "removed"
    """The resource was served no more: consumers were told that nothing is left of it."""


class Identity(Struct, frozen=True):
    """What a checkpoint is about. Its position means nothing for any other.

    *cluster_uid* is that of namespace kube-system, empty where it may not be read (then it proves nothing).
    *cluster* is the name in the records, *topic* the template of the watch, *mask* what is masked of the objects:
    before there were masks, nothing was.
    """

    cluster_uid: str
    cluster: str
    selection: Selection
    topic: str
    mask: str = "none"

    def difference(self, other: "Identity") -> str:
        """What the two disagree on, in words; empty if nothing."""
        known = self.cluster_uid and other.cluster_uid
        if known and self.cluster_uid != other.cluster_uid:
            return f"cluster uid was {self.cluster_uid}, is {other.cluster_uid}"
        pairs = [
            ("cluster", self.cluster, other.cluster),
            ("resource", _resource(self), _resource(other)),
            ("namespace", self.selection.namespace, other.selection.namespace),
            ("labelSelector", self.selection.label_selector, other.selection.label_selector),
            ("fieldSelector", self.selection.field_selector, other.selection.field_selector),
            ("topic", self.topic, other.topic),
            ("mask", self.mask, other.mask),
        ]
        return ", ".join(f"{name} was {a or 'unset'}, is {b or 'unset'}" for name, a, b in pairs if a != b)


def _resource(identity: Identity) -> str:
    resource = identity.selection.resource
    return f"{resource.name} {resource.api_version} {resource.kind}"


LONGEST = 200
"""Characters of a message that every checkpoint of its epoch repeats."""


class Began(Struct, frozen=True):
    """Why the epoch began, as its `RESTARTED` says, and when, in ms since 1970.

    *reason* is a text here: who reads it may be older than who wrote it.
    """

    reason: str
    message: str
    time: int


class Checkpoint(Struct, frozen=True):
    """A stream's committed place.

    *position* is the last one that consumers can trust: in phase LIVE or REMOVED everything up to it is published and
    `position.epoch == epoch`; in phase RELISTING it is the position before the gap (None at the first start).
    *partitions* has every topic that the stream has written to, with the partition count its records were placed by;
    0 for one that was deleted with objects in it, until a new epoch has told of them anew.
    *ids* are those of its topics, where Kafka told them: one that was made anew has another.
    *salt* is that of the digests in the place of masked values; empty until something is masked.
    *indexed* is how many objects the durable index holds: it proves that what is read beside the checkpoint is whole.
    *began* is for people; checkpoints of older bridges have none. *honoured* is the id of the last request for a new
    epoch that was followed: committed with that epoch's `RESTARTED`, so it is followed once.
    """

    epoch: Epoch
    phase: Phase
    position: Position | None
    identity: Identity
    partitions: dict[str, int]
    indexed: int = 0
    began: Began | None = None
    honoured: str = ""
    ids: dict[str, str] = {}
    salt: str = ""

    def is_of(self, topic: str, id: str) -> bool:  # noqa: A002 - Kafka's word
        """Whether *topic* may be the one that was written to: as far as ids are known, it is."""
        known = self.ids.get(topic, "")
        return not known or not id or known == id

    def after(self, events: list[Event], now: int) -> "Checkpoint":
        """The checkpoint that covers *events* too. Changes count for the position only outside a relist.

        A delete does not: many may share one version (etcd expires all objects of a lease in one revision, and the
        API server puts the events of a minute on one lease), so after one of them others of that version may be to
        come. The position stays before it; the index knows which of them have been said (`source.index`).
        """
        epoch, phase, position, began = self.epoch, self.phase, self.position, self.began
        last: Change | None = None
        deleted = NO_VERSION
        for event in events:
            if isinstance(event, Change):  # nearly all are: `match` would cost 0.1 us for each
                if event.type is not DELETED:
                    last, deleted = event, NO_VERSION
                elif is_newer(event.version, deleted):
                    deleted = event.version
                continue
            match event:
                case Restarted():
                    assert event.epoch > epoch, "epochs only grow"
                    epoch, phase, position, last = event.epoch, Phase.RELISTING, event.previous, None
                    deleted, began = NO_VERSION, Began(event.reason.value, event.message[:LONGEST], now)
                case Synced(at, gone):
                    assert at.epoch == epoch, "a snapshot ends in the epoch it began in"
                    phase = Phase.REMOVED if gone else Phase.LIVE
                    position, last, deleted = at, None, NO_VERSION
                case Progress(at):
                    position, last, deleted = at, None, NO_VERSION
        if phase is Phase.LIVE and position is not None:
            position = Position(epoch, last.version, now) if last is not None else position
            position = position.after_delete(deleted)
        return replace(self, epoch=epoch, phase=phase, position=position, began=began)


def nothing_yet(identity: Identity) -> Checkpoint:
    """Before the first epoch of a stream that has no checkpoint."""
    return Checkpoint(NO_EPOCH, Phase.RELISTING, None, identity, {})


class Resume(Struct, frozen=True):
    """Watch on from *position*: no list, no gap."""

    position: Position


class Restart(Struct, frozen=True):
    """Take a snapshot: a new epoch later than *epoch* begins."""

    reason: RestartReason
    message: str
    epoch: Epoch
    previous: Position | None


def _move(topic: str, was: int, partitions: dict[str, int]) -> str:
    """Why keys in *topic* are not where they were, empty if they are."""
    now = partitions.get(topic, was)
    if was == 0 or now == 0:
        return f"{topic} was deleted"
    return f"{topic} had {was} partitions, has {now}" if now != was else ""


def start(checkpoint: Checkpoint | None, identity: Identity, partitions: dict[str, int]) -> Resume | Restart:
    """How a stream begins, given what was committed, what it is now, and the topics' partition counts now.

    A topic that is new or gone is no reason: a new one gets its markers when it is first written to.
    """
    if checkpoint is None or checkpoint.epoch == NO_EPOCH:
        return Restart(RestartReason.INITIAL, "no checkpoint", NO_EPOCH, None)
    epoch, position = checkpoint.epoch, checkpoint.position
    if difference := checkpoint.identity.difference(identity):
        return Restart(RestartReason.IDENTITY_CHANGED, difference, epoch, position)
    moves = [move for topic, was in sorted(checkpoint.partitions.items()) if (move := _move(topic, was, partitions))]
    if moves:
        return Restart(RestartReason.REPARTITIONED, ", ".join(moves), epoch, position)
    if checkpoint.phase is Phase.RELISTING or position is None:
        return Restart(RestartReason.INTERRUPTED, "the relist before did not finish", epoch, position)
    if checkpoint.phase is Phase.REMOVED:
        return Restart(RestartReason.RESOURCE_REMOVED, "it was served no more, and is served again", epoch, position)
    return Resume(position)
