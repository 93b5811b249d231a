"""Everything a stream can say: changes of objects, and markers about itself."""

import enum

from msgspec import Struct

from bridge.model.position import Epoch, Position, ResourceVersion


class ChangeType(enum.Enum):
    """What happened to an object. With selectors, ADDED and DELETED also mean: it entered or left the selection."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    LISTED = "LISTED"
    """Not a change of the object: it was there when the snapshot of an epoch was taken."""

    __hash__ = object.__hash__  # an enum's own is written in Python: 0.25 us for each look into a dict


ADDED, MODIFIED, DELETED, LISTED = ChangeType
"""By names of their own, where each change is asked for its type: a member of an enum costs more."""


class RestartReason(enum.Enum):
    """Why an epoch began. A closed set: consumers may count and alert on it. One reason per gap."""

    INITIAL = "initial"
    """Nothing was known before."""
    EXPIRED = "expired"
    """The API server no longer serves the position (410 in any form)."""
    REWOUND = "rewound"
    """The API server's history went back: a restored backup."""
    IDENTITY_CHANGED = "identity_changed"
    """Another cluster, resource, selection, topic or mask than the checkpoint's."""
    RESOURCE_REMOVED = "resource_removed"
    """The resource is served no more, or has come back."""
    UNDECODABLE = "undecodable"
    """The server sent what cannot be read, so what it said is unknown."""
    DESYNCHRONIZED = "desynchronized"
    """An audit found a difference to what was published."""
    REPARTITIONED = "repartitioned"
    """A topic has another number of partitions, so keys have moved."""
    INTERRUPTED = "interrupted"
    """The relist before this one did not finish."""
    REQUESTED = "requested"
    """An operator asked for it."""


class Change(Struct, frozen=True, gc=False):
    """One change of one object.

    *body* is the API server's own bytes. *fresh*: the durable index does not know this uid under this key yet.
    An *inferred* delete has no version and no body of the server's: the object was known before a gap and is absent
    from the snapshot after it. Invariant: inferred implies DELETED.
    """

    type: ChangeType
    key: str
    uid: str
    version: ResourceVersion
    body: bytes
    fresh: bool = False
    inferred: bool = False


class Restarted(Struct, frozen=True):
    """A new epoch begins; between *previous* and the epoch's `Synced` there may be a gap.

    *previous* is the last position that consumers can trust, None if there was none. *message* is for people.
    """

    epoch: Epoch
    reason: RestartReason
    message: str = ""
    previous: Position | None = None


class Synced(Struct, frozen=True):
    """The snapshot of this epoch is complete: what it did not bring no longer exists.

    *gone*: nor does the resource. Nothing can be watched from here; if it is served again, a new epoch begins.
    """

    position: Position
    gone: bool = False


class Progress(Struct, frozen=True):
    """Everything up to *position* has been said (a bookmark)."""

    position: Position


Event = Change | Restarted | Synced | Progress
