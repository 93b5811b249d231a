"""What the reader asks in each state, and so which replies can come."""

from bridge.source.faults import Fault
from bridge.source.frames import Page
from bridge.source.states import (
    Compared,
    Comparing,
    Detached,
    Frames,
    Listing,
    Method,
    Newest,
    Opened,
    Over,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Unlisted,
    Unproven,
    Watching,
)


def good_replies(state: State) -> tuple[type[Reply], ...]:
    """The kinds of reply to what *state* asks, if nothing fails; none where nothing is asked."""
    match state:
        case Unlisted(method=Method.STREAM) | Detached() | Silent():
            return (Opened,)
        case Unlisted() | Listing():
            return (Page,)
        case Unproven():
            return (Newest,)
        case Streaming():
            return (Frames,)
        case Watching() | Settling():
            return (Frames, Quiet)
        case Comparing():
            return (Compared, Frames)
        case Over():
            return ()


def possible(state: State, reply: Reply) -> bool:
    good = good_replies(state)
    return bool(good) and isinstance(reply, (*good, Fault))
