"""Bytes come as they like: in any pieces, packed or plain. What they say does not depend on it."""

import gzip
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.model.position import ResourceVersion
from bridge.model.resource import Selection
from bridge.source.api import Api
from bridge.source.faults import Fault, Kind
from bridge.source.frames import decode
from bridge.source.lines import Lines
from bridge.source.states import Frames, Opened
from tests.properties.depth import tries
from tests.properties.world import jump
from tests.source.scripted import END, HEAD, Script, Server, chunk, in_turn
from tests.source.words import PODS, compact, line

LINES = st.lists(st.text(alphabet="aé€😀{}", max_size=8).map(str.encode), max_size=8)
CUTS = st.lists(st.integers(0, 400), max_size=12)
EVENTS = st.lists(
    st.sampled_from(
        [
            line("ADDED", "a", "6"),
            line("MODIFIED", "ü€🦔", "7"),
            line("DELETED", "b", "8"),
            compact({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": "9"}}}),
            compact({"type": "ERROR", "object": {"kind": "Status", "code": 410, "message": "zu alt: ü"}}),
            b'{"type":"ADDED","object":{',
        ]
    ),
    min_size=1,
    max_size=5,
)
ZIPPED = HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n")


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    """*data* in pieces, none of them empty."""
    places = sorted({0, *(min(place, len(data)) for place in cuts), len(data)})
    return [data[a:b] for a, b in pairwise(places)]


@tries(100)
@given(LINES, st.sampled_from([b"", b"tail", "€".encode()[:2]]), CUTS)
def test_lines_are_the_same_however_they_are_cut(lines: list[bytes], tail: bytes, cuts: list[int]) -> None:
    """48: what a network does to chunks is nobody's business above this file."""
    data = b"".join(line + b"\n" for line in lines) + tail
    fed = Lines()
    got = [line for piece in cut(data, cuts) for line in fed.feed(piece)]

    assert got == [line for line in lines if line]
    assert fed.held == len(tail)


@tries(100)
@given(st.lists(st.sampled_from([b"x" * 7, b"\n", b"y\n", b"\n\n", b"z" * 30]), max_size=30))
def test_what_is_held_is_the_unfinished_line_and_no_more(pieces: list[bytes]) -> None:
    """47: the cap is judged by it: counted too low memory grows, too high a stream breaks that should live."""
    fed = Lines()
    data = b""
    for piece in pieces:
        fed.feed(piece)
        data += piece
        assert fed.held == len(data) - (data.rfind(b"\n") + 1)


@tries(20)
@given(EVENTS, CUTS)
def test_frames_are_the_same_however_a_watch_is_cut(events: list[bytes], cuts: list[int]) -> None:
    """48: over a socket, chunk by chunk."""
    data = b"".join(event + b"\n" for event in events)

    assert jump(_told([HEAD, *map(chunk, cut(data, cuts)), END])) == decode(events, PODS)


@tries(20)
@given(EVENTS, CUTS)
def test_frames_are_the_same_if_they_come_packed(events: list[bytes], cuts: list[int]) -> None:
    """49: unasked, a proxy may; a member for each flush, as servers since 1.37 do, and cut anywhere."""
    data = b"".join(gzip.compress(event + b"\n") for event in events)

    assert jump(_told([ZIPPED, *map(chunk, cut(data, cuts)), END])) == decode(events, PODS)


async def _told(script: Script) -> list[object]:
    """All frames, to an end in good order."""
    frames: list[object] = []
    async with Server(in_turn(script)) as server:
        session = server.session()
        asked = Api(session, Selection(PODS))
        assert await asked.open(ResourceVersion("5")) == Opened()
        while isinstance(reply := await asked.frames(), Frames):
            frames += reply.frames
        asked.close()
        await session.close()
    assert isinstance(reply, Fault)
    assert reply.kind is Kind.END, reply
    return frames
