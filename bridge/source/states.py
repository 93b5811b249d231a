"""The nouns of `machine`: the phases of a watch, each with only what is valid in it, and what a server can answer."""

import enum

from msgspec import Struct, field

from bridge.model.event import RestartReason
from bridge.model.position import NO_VERSION, Epoch, Position, ResourceVersion, is_newer
from bridge.source.comparison import Differences
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
    """Between two pages of one snapshot, which is of *version*, and whose epoch has begun."""

    ground: Ground
    origin: Origin
    method: Method
    token: str
    version: ResourceVersion
    trouble: Trouble | None = None


class Unproven(Struct, frozen=True):
    """A position, but the server may have been put back to before it: ask for its newest version first.

    A watch at a version that the server has not reached is accepted and silent (kubernetes#107457).
    *since*: as in `Watching`.
    """

    ground: Ground
    position: Position
    trouble: Trouble | None = None
    since: ResourceVersion = NO_VERSION


class Detached(Struct, frozen=True):
    """A position, and no stream. *since*: as in `Watching`."""

    ground: Ground
    position: Position
    trouble: Trouble | None = None
    since: ResourceVersion = NO_VERSION

    @property
    def start(self) -> ResourceVersion:
        """Where the next stream begins: one that broke may have been about to say what the position has passed."""
        return self.since if self.since and is_newer(self.position.version, self.since) else self.position.version


class Watching(Struct, frozen=True):
    """A stream at a position. *trouble* stays until the stream has brought something: a connection proves nothing.

    *since*: the stream was silent from there on to the position, which a verification found. What it says of that
    stretch nevertheless comes too late. Empty until a stream is verified, and again once it has said more.
    """

    ground: Ground
    position: Position
    trouble: Trouble | None = None
    since: ResourceVersion = NO_VERSION


class Silent(Struct, frozen=True):
    """The stream has said nothing for so long that it proves nothing: ask for a fresh one from the same position.

    It comes before the LIST: what was made and deleted meanwhile leaves no trace there.
    """

    ground: Ground
    position: Position
    trouble: Trouble | None = None


class Comparing(Struct, frozen=True):
    """A fresh stream is open, and a LIST is under way that is compared with what consumers believe in.

    *token*: of its next page. *version*: the oldest that its pages have named. *suspects* differed when it was last
    looked at. *heard*: the newest version that the fresh stream has said, empty if it has been silent.
    """

    ground: Ground
    position: Position
    token: str = ""
    suspects: Differences = field(default_factory=dict)
    heard: ResourceVersion = NO_VERSION
    trouble: Trouble | None = None
    version: ResourceVersion = NO_VERSION


class Settling(Struct, frozen=True):
    """The LIST was of *version*, and *differences* are what it had otherwise: the fresh stream may still say why."""

    ground: Ground
    position: Position
    version: ResourceVersion
    differences: Differences
    heard: ResourceVersion = NO_VERSION
    trouble: Trouble | None = None


class Over(Struct, frozen=True):
    """Nothing more will be asked.

    The configuration cannot work (`Fatal`), the resource is gone (`Removed`), or this is another cluster (`StartOver`).
    """

    ground: Ground
    trouble: Trouble


State = Unlisted | Streaming | Listing | Unproven | Detached | Watching | Silent | Comparing | Settling | Over
Positioned = Unproven | Detached | Watching | Silent | Comparing | Settling
"""The states that have a position to go on from."""
Asking = Unlisted | Streaming | Listing | Positioned
"""The states that ask for something."""
Hearing = Watching | Streaming | Comparing | Settling
"""The states in which a stream is open."""


class Opened(Struct, frozen=True):
    """The watch, or WatchList, that was asked for is open."""


class Newest(Struct, frozen=True):
    """The server's newest version of the resource."""

    version: ResourceVersion


class Frames(Struct, frozen=True):
    """What one read of the open stream brought, in order."""

    frames: list[Frame]


class Quiet(Struct, frozen=True):
    """The open stream has said nothing for as long as it was listened to. It is still open."""


class Compared(Struct, frozen=True):
    """A page of a LIST, compared. *differences* is empty until the last one, which has no *token*, and holds all."""

    version: ResourceVersion
    token: str = ""
    differences: Differences = field(default_factory=dict)


Reply = Page | Opened | Newest | Frames | Quiet | Compared | Fault


def unlisted(epoch: Epoch, origin: Origin) -> Unlisted:
    """The state of a stream that must take a snapshot first."""
    ground = Ground(epoch)
    return Unlisted(ground, origin, ground.method)


def resumed(position: Position) -> Unproven:
    """The state of a stream that goes on from a checkpoint."""
    return Unproven(Ground(position.epoch), position)
