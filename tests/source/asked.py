"""What the reader asks in each state, and so which replies can come."""

from bridge.source.faults import Fault
from bridge.source.frames import Page
from bridge.source.states import (
    Detached,
    Frames,
    Listing,
    Method,
    Newest,
    Opened,
    Over,
    Reply,
    State,
    Streaming,
    Unlisted,
    Unproven,
    Watching,
)


def good_reply(state: State) -> type[Page | Opened | Newest | Frames] | None:
    """The kind of reply to what *state* asks, if nothing fails; None where nothing is asked."""
    match state:
        case Unlisted(method=Method.STREAM) | Detached():
            return Opened
        case Unlisted() | Listing():
            return Page
        case Unproven():
            return Newest
        case Streaming() | Watching():
            return Frames
        case Over():
            return None


def possible(state: State, reply: Reply) -> bool:
    good = good_reply(state)
    return good is not None and isinstance(reply, good | Fault)
