"""How a stream that has been silent finds out whether silence is the truth. No I/O, no clock.

    Watching --quiet--> Silent --opened--> Comparing <--pages--+
        ^                                      | last page     |
        |                                      v               |
        +--the same: the position advances-- Settling --differs: look again--+

A fresh stream is opened first, at the position; then a LIST is compared with the index; then the stream gets time to
say what the LIST knew. Whatever it says of objects that are there ends the verification, for it moves the position;
deletes do not, and are reckoned with. A difference that two looks have seen is a change that was lost.
"""

from msgspec.structs import replace

from bridge.model.event import Change, ChangeType, Event, Progress, RestartReason
from bridge.model.position import Position, is_newer, is_resumable
from bridge.source.comparison import Differences, lasting
from bridge.source.faults import Fault, Phase, Removed, StartOver, Verdict
from bridge.source.frames import Frame
from bridge.source.states import Compared, Comparing, Origin, Settling, Unlisted, Watching

NAMED = 3
"""Objects that a message names: enough to look for."""


def compared(state: Comparing, reply: Compared) -> Comparing | Settling | Watching | Unlisted:
    """What a page of the LIST makes of it."""
    ground, position = state.ground, state.position
    if not is_resumable(reply.version):
        return Watching(ground, position, state.trouble)  # it proves nothing, and leads nowhere
    known = position.version if state.token else position.newest  # deletes may have come since the first page
    if is_newer(known, reply.version):
        return _relist(state, RestartReason.REWOUND, f"the newest version is {reply.version}")
    version = state.version if state.token and is_newer(reply.version, state.version) else reply.version
    if reply.token:
        return replace(state, token=reply.token, version=version)
    if lost := lasting(state.suspects, reply.differences):
        return _relist(state, RestartReason.DESYNCHRONIZED, told(lost))
    if state.suspects and reply.differences:
        return Watching(ground, position, state.trouble)  # no difference has lasted, and yet there are some: later
    return Settling(ground, position, version, reply.differences, state.heard, state.trouble)


def settled(state: Settling, now: int) -> tuple[Comparing | Watching, list[Event]]:
    """The fresh stream had its time."""
    ground, position = state.ground, state.position
    if is_newer(position.newest, state.heard or position.version):
        # Deletes behind the position are said again by every stream from it. This one has not come so far.
        return Watching(ground, position, state.trouble), []
    if state.differences:
        return Comparing(ground, position, "", state.differences, state.heard, state.trouble), []
    place = Position(position.epoch, state.version, now).after_delete(position.newest)
    return Watching(ground, place, since=position.newest), [Progress(place)]


def heard(
    state: Comparing | Settling, frames: list[Frame], position: Position, now: int
) -> tuple[Comparing | Settling | Watching, list[Event]]:
    """What deletes change: they leave the version of the position where it is.

    One that is newer than the LIST says that the stream has come past it: there is nothing left to wait for.
    """
    deletes = [frame for frame in frames if isinstance(frame, Change) and frame.type is ChangeType.DELETED]
    newest = state.heard
    for delete in deletes:
        newest = delete.version if is_newer(delete.version, newest) else newest
    if isinstance(state, Comparing):
        return replace(state, position=position, heard=newest), []
    gone = {delete.key for delete in deletes}
    left = {key: entry for key, entry in state.differences.items() if entry is not None or key not in gone}
    state = replace(state, position=position, heard=newest, differences=left)
    return settled(state, now) if is_newer(newest, state.version) else (state, [])


def is_about_the_list(fault: Fault, verdict: Verdict) -> bool:
    """Whether a verification's LIST alone has failed: the fresh stream is whole, and it is verified again later.

    What the answer says of the resource or the cluster is true of the stream too.
    """
    return fault.phase is not Phase.STREAM and not isinstance(verdict, Removed | StartOver)


def _relist(state: Comparing, reason: RestartReason, message: str) -> Unlisted:
    return Unlisted(state.ground, Origin(reason, message, state.position), state.ground.method, state.trouble)


def told(lost: Differences) -> str:
    """What differs, in words for the marker and the log."""
    names = [f"{key} ({'is gone' if entry is None else f'is at {entry.version}'})" for key, entry in lost.items()]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"not told: {', '.join(names[:NAMED])}{more}"
