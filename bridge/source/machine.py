"""The watch, as a state machine. No I/O, no clock, no task: replies in, events out.

    Unlisted --first page--> Listing --last page--+
        |                                         v
        +--watch list opened--> Streaming --> Watching <--opened-- Detached <--newest version-- Unproven
                                    (end of initial events)  --end or fault-->  (what is resumed starts here)

From Watching, silence leads through a verification and back: see `verification`. A state without a stream asks for
something; what went wrong before stands in *trouble*. A fault goes through `faults.classify`; from a position it leads
back to the same position, or to Unlisted with the reason.
"""

from msgspec.structs import replace

from bridge.model.event import DELETED, LISTED, Change, ChangeType, Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_VERSION, Position, is_newer, is_resumable, last_deleted, next_epoch
from bridge.source import verification
from bridge.source.faults import (
    Degraded,
    FallBack,
    Fatal,
    Fault,
    Kind,
    Phase,
    Reauth,
    Relist,
    Removed,
    RestartList,
    Resume,
    RetryOnce,
    StartOver,
    Wait,
    classify,
    fault_in,
)
from bridge.source.frames import Bookmark, Frame, Page, Status, Undecodable
from bridge.source.states import (
    Compared,
    Comparing,
    Detached,
    Frames,
    Ground,
    Listing,
    Method,
    Newest,
    Opened,
    Origin,
    Over,
    Positioned,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Trouble,
    Unlisted,
    Unproven,
    Watching,
)


class ProtocolError(Exception):
    """A reply that this state does not allow: our own mistake, never the server's."""


def step(state: State, reply: Reply, now: int) -> tuple[State, list[Event]]:
    """One move. *now* (ms) dates positions and names the epoch that this reply may start."""
    match state, reply:
        case _, Fault():
            return _fault(state, reply, now)
        case Watching(), Frames():
            return _live(state, reply.frames, [], now)
        case Streaming(), Frames():
            return _initial(state, reply.frames, now)
        case Unlisted(method=method) | Listing(method=method), Page() if method is not Method.STREAM:
            return _page(state, reply, now)
        case Unlisted(ground, origin, Method.STREAM), Opened():
            return Streaming(ground, origin), []
        case Unproven(ground, position, _, since), Newest(version):
            if is_resumable(version) and is_newer(position.newest, version):
                return _relist(state, RestartReason.REWOUND, f"the newest version is {version}", None), []
            return Detached(ground, position, since=since), []
        case Detached(ground, position, trouble, since), Opened():
            return Watching(ground, position, trouble, since), []
        case _:
            return _verify(state, reply, now)


def _page(state: Unlisted | Listing, page: Page, now: int) -> tuple[State, list[Event]]:
    if not is_resumable(page.version):
        phase = Phase.LIST if isinstance(state, Unlisted) else Phase.PAGE
        return _fault(state, Fault(phase, Kind.UNVERSIONED, message=UNVERSIONED), now)
    if isinstance(state, Listing) and page.version != state.version:
        torn = f"a page of version {page.version} in a list of version {state.version}"
        return _fault(state, Fault(Phase.PAGE, Kind.UNDECODABLE, message=torn), now)
    events: list[Event] = []
    ground, origin, method = state.ground, state.origin, state.method
    if isinstance(state, Unlisted):
        ground, restarted = _begin(ground, origin, now)
        events.append(restarted)
    events += page.changes
    if page.token:
        return Listing(ground, origin, method, page.token, page.version), events
    position = Position(ground.epoch, page.version, now)
    return Detached(ground, position), [*events, Synced(position)]


UNVERSIONED = "the list has no resourceVersion, so its resource cannot be watched from anywhere"


def _begin(ground: Ground, origin: Origin, now: int) -> tuple[Ground, Restarted]:
    epoch = next_epoch(ground.epoch, now)
    return replace(ground, epoch=epoch), Restarted(epoch, origin.reason, origin.message, origin.previous)


def _initial(state: Streaming, frames: list[Frame], now: int) -> tuple[State, list[Event]]:
    """Objects of a WatchList, until its bookmark; what follows in the same read is live already."""
    events: list[Event] = []
    for at, frame in enumerate(frames):
        match frame:
            case Change(type=ChangeType.ADDED | ChangeType.MODIFIED):
                if not state.begun:
                    state = _begun(state, events, now)
                events.append(replace(frame, type=LISTED))
            case Bookmark(version, True) if is_resumable(version):
                if not state.begun:
                    state = _begun(state, events, now)
                position = Position(state.ground.epoch, version, now)
                events.append(Synced(position))
                return _live(Watching(state.ground, position), frames[at + 1 :], events, now)
            case Bookmark():
                continue
            case Change():
                fault = Fault(Phase.INITIAL, Kind.UNDECODABLE, message="DELETED in a snapshot")
                return _broken(state, fault, events, now)
            case Status() | Undecodable():
                return _broken(state, fault_in(frame, Phase.INITIAL, at + state.begun), events, now)
    return state, events


def _begun(state: Streaming, events: list[Event], now: int) -> Streaming:
    ground, restarted = _begin(state.ground, state.origin, now)
    events.append(restarted)
    return replace(state, ground=ground, begun=True)


def _live(state: Watching, frames: list[Frame], events: list[Event], now: int) -> tuple[State, list[Event]]:
    """Changes and bookmarks of an open stream. The position stays before a delete: see `Checkpoint.after`."""
    epoch, version, deleted = state.position.epoch, state.position.version, state.position.deleted
    heard, append = False, events.append
    fault: Fault | None = None
    for at, frame in enumerate(frames):
        if type(frame) is not Change and not isinstance(frame, Change | Bookmark):
            fault = fault_in(frame, Phase.STREAM, at)
            break
        said_before = frame.version == version
        if not said_before and not is_newer(frame.version, version):
            late = state.since and is_newer(frame.version, state.since)
            if isinstance(frame, Bookmark) and (late or not is_resumable(frame.version)):
                continue  # it says nothing (antrea#8124), or no more than the verification did
            kind = Kind.LATE if late else Kind.REGRESSION
            fault = Fault(Phase.STREAM, kind, message=f"version {frame.version} came after {version}")
            break
        heard = True
        if not isinstance(frame, Change):
            version, deleted = frame.version, NO_VERSION
            append(Progress(Position(epoch, version, now)))
        elif frame.type is DELETED:
            deleted = last_deleted(version, deleted, frame.version)
            append(frame)
        elif not said_before:  # only deletes may share a version
            version, deleted = frame.version, NO_VERSION
            append(frame)
    if heard:
        # Deletes move no position, so a resumed watch says them again: that forgives nothing.
        trouble = state.trouble if version == state.position.version else None
        state = Watching(state.ground, Position(epoch, version, now, deleted), trouble)
    return (state, events) if fault is None else _broken(state, fault, events, now)


def _verify(state: State, reply: Reply, now: int) -> tuple[State, list[Event]]:
    """What silence leads to. Nothing else is possible."""
    match state, reply:
        case Watching(ground, position, trouble), Quiet():
            return Silent(ground, position, trouble), []
        case Silent(ground, position, trouble), Opened():
            return Comparing(ground, position, trouble=trouble), []
        case Comparing(), Compared():
            return verification.compared(state, reply), []
        case Settling(), Quiet():
            return verification.settled(state, now)
        case Comparing() | Settling(), Frames():
            return _hear(state, reply.frames, now)
        case _:
            raise ProtocolError(f"{reply!r} in {state!r}")


def _hear(state: Comparing | Settling, frames: list[Frame], now: int) -> tuple[State, list[Event]]:
    """What a fresh stream says. Deletes let the verification go on, all else is the end of the silence."""
    after, events = _live(Watching(state.ground, state.position, state.trouble), frames, [], now)
    if not isinstance(after, Watching) or any(not isinstance(event, Change) for event in events):
        return after, events
    if after.position.version != state.position.version:
        return after, events
    verified, progress = verification.heard(state, frames, after.position, now)
    return verified, [*events, *progress]


def _broken(state: State, fault: Fault, events: list[Event], now: int) -> tuple[State, list[Event]]:
    state, more = _fault(state, fault, now)
    return state, [*events, *more]


def _fault(state: State, fault: Fault, now: int) -> tuple[State, list[Event]]:
    """What the table's verdict makes of a state."""
    verdict = classify(fault)
    trouble = Trouble(fault, verdict)
    if isinstance(state, Comparing) and verification.is_about_the_list(fault, verdict):
        return Watching(state.ground, state.position, state.trouble), []
    if isinstance(verdict, Fatal | StartOver):
        return Over(state.ground, trouble), []
    match state:
        case Unlisted(origin=origin) | Listing(origin=origin) if isinstance(verdict, Removed):
            return _absent(state, origin.previous, trouble, now)
        case Unlisted() | Listing() | Streaming():
            return _unfinished(state, trouble), []
        case Unproven() | Detached() | Watching() | Silent() | Comparing() | Settling():
            return _from_position(state, trouble, now)
        case Over():
            raise ProtocolError(f"{fault!r} in {state!r}")


def _unfinished(state: Unlisted | Listing | Streaming, trouble: Trouble) -> State:
    """A failure without a position: the same request again, or the snapshot from its beginning."""
    ground = state.ground
    method = state.method if not isinstance(state, Streaming) else Method.STREAM
    match trouble.verdict:
        case FallBack():
            ground, method = replace(ground, method=Method.PAGES), Method.PAGES
        case RestartList():
            method = method.simpler
        case Wait() | Reauth() | Degraded() | Resume() | RetryOnce() | Relist() | Removed() | Fatal() | StartOver():
            if isinstance(state, Unlisted | Listing):
                return replace(state, trouble=trouble)
    return Unlisted(ground, _interrupted(state), method, trouble)


def _interrupted(state: Unlisted | Listing | Streaming) -> Origin:
    """The origin of the next try. Once an epoch has begun, the next one begins because that did not finish."""
    begun = isinstance(state, Listing) or (isinstance(state, Streaming) and state.begun)
    if not begun:
        return state.origin
    return replace(state.origin, reason=RestartReason.INTERRUPTED, message="the relist before did not finish")


def _from_position(state: Positioned, trouble: Trouble, now: int) -> tuple[State, list[Event]]:
    """A failure at a position: keep it, or give it up for the reason that the table names."""
    ground, position, before = state.ground, state.position, state.trouble
    since = state.since if isinstance(state, Unproven | Detached | Watching) else NO_VERSION
    match trouble.verdict:
        case Relist(RestartReason.EXPIRED) if since:
            return Unproven(ground, position, trouble), []  # what is forgotten was before the position
        case Relist(reason):
            return _relist(state, reason, trouble.fault.message or str(trouble.fault), trouble), []
        case RetryOnce(reason) if before is not None and isinstance(before.verdict, RetryOnce):
            return _relist(state, reason, trouble.fault.message or str(trouble.fault), trouble), []
        case Removed() if before is not None and isinstance(before.verdict, Removed):
            return _removed(state.ground, position, trouble, now)
        case RetryOnce() | Removed() if not isinstance(state, Unproven):
            return Detached(ground, position, trouble, since), []  # at once: the second time in a row decides
        case _:
            return Unproven(ground, position, trouble, since), []


def _relist(state: Positioned, reason: RestartReason, message: str, trouble: Trouble | None) -> Unlisted:
    return Unlisted(state.ground, Origin(reason, message, state.position), state.ground.method, trouble)


def _absent(
    state: Unlisted | Listing, previous: Position | None, trouble: Trouble, now: int
) -> tuple[State, list[Event]]:
    """The resource went while its snapshot was to be taken: what consumers know is taken back all the same."""
    if previous is None:
        return replace(state, trouble=Trouble(trouble.fault, Degraded())), []
    if state.trouble is not None and isinstance(state.trouble.verdict, Removed):
        return _removed(state.ground, previous, trouble, now)
    return replace(state, trouble=trouble), []


def _removed(ground: Ground, previous: Position, trouble: Trouble, now: int) -> tuple[State, list[Event]]:
    """An empty epoch says that all objects are gone. Whether the resource comes back is for discovery to find out."""
    origin = Origin(RestartReason.RESOURCE_REMOVED, str(trouble.fault), previous)
    ground, restarted = _begin(ground, origin, now)
    return Over(ground, trouble), [restarted, Synced(Position(ground.epoch, previous.version, now), gone=True)]
