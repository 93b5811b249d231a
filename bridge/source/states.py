"""The nouns of `machine`: the phases of a watch, each with only what is valid in it, and what a server can answer."""

import enum

from msgspec import Struct

from bridge.model.event import RestartReason
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.source.faults import Fault, Verdict
from bridge.source.frames import Frame, Page


class Method(enum.Enum):
    """How a snapshot is taken: a WatchList where the server has it, else pages, else all at once."""

    STREAM = "stream"
    PAGES = "pages"
    PAGES_AGAIN = "pages again"
    """The token of the first try expired: once more, as client-go does (pager.go)."""
    WHOLE = "whole"

    @property
    def simpler(self) -> "Method":
        """What to try when this one failed half-way; the simplest is tried again."""
        order = list(Method)
        return order[min(order.index(self) + 1, len(order) - 1)]


class Ground(Struct, frozen=True):
    """What outlives positions: the newest epoch begun, and how this server is listed."""

    epoch: Epoch
    method: Method = Method.STREAM


class Origin(Struct, frozen=True):
    """Why a snapshot is taken, and the last position that consumers can trust."""

    reason: RestartReason
    message: str = ""
    previous: Position | None = None


class Trouble(Struct, frozen=True):
    """What went wrong before this request, and what the table says of it: the reader waits accordingly."""

    fault: Fault
    verdict: Verdict


class Unlisted(Struct, frozen=True):
    """No usable position: take a snapshot. The first thing it brings starts an epoch."""

    ground: Ground
    origin: Origin
    method: Method
    trouble: Trouble | None = None


class Streaming(Struct, frozen=True):
    """A WatchList is open, and has not said that its snapshot is complete. *begun*: it has brought something."""

    ground: Ground
    origin: Origin
    begun: bool = False


class Listing(Struct, frozen=True):
    """Between two pages of one snapshot, whose epoch has begun."""

    ground: Ground
    origin: Origin
    method: Method
    token: str
    trouble: Trouble | None = None


class Unproven(Struct, frozen=True):
    """A position, but the server may have been put back to before it: ask for its newest version first.

    A watch at a version that the server has not reached is accepted and silent (kubernetes#107457).
    """

    ground: Ground
    position: Position
    trouble: Trouble | None = None


class Detached(Struct, frozen=True):
    """A position, and no stream."""

    ground: Ground
    position: Position
    trouble: Trouble | None = None


class Watching(Struct, frozen=True):
    """A stream at a position. *trouble* stays until the stream has brought something: a connection proves nothing."""

    ground: Ground
    position: Position
    trouble: Trouble | None = None


class Over(Struct, frozen=True):
    """Nothing more will be asked: the configuration cannot work (`Fatal`), or the resource is gone (`Removed`)."""

    ground: Ground
    trouble: Trouble


State = Unlisted | Streaming | Listing | Unproven | Detached | Watching | Over


class Opened(Struct, frozen=True):
    """The watch, or WatchList, that was asked for is open."""


class Newest(Struct, frozen=True):
    """The server's newest version of the resource."""

    version: ResourceVersion


class Frames(Struct, frozen=True):
    """What one read of the open stream brought, in order."""

    frames: list[Frame]


Reply = Page | Opened | Newest | Frames | Fault


def unlisted(epoch: Epoch, origin: Origin) -> Unlisted:
    """The state of a stream that must take a snapshot first."""
    ground = Ground(epoch)
    return Unlisted(ground, origin, ground.method)


def resumed(position: Position) -> Unproven:
    """The state of a stream that goes on from a checkpoint."""
    return Unproven(Ground(position.epoch), position)
