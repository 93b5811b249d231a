"""`bridge.source.wire`: which answers go past the library's reader, and that the library can go on afterwards."""

import asyncio
from typing import Any

import aiohttp
import pytest

from bridge.source.faults import Phase
from bridge.source.session import Session, cut
from bridge.source.wire import READ_AHEAD, Wire, wire_of
from tests.source.scripted import CUT, END, HEAD, Script, Server, chunk, in_turn

LINE = b'{"type":"BOOKMARK","object":{}}\n'


async def opened(session: Session) -> aiohttp.ClientResponse:
    response = await session.stream("/w", [], Phase.OPEN)
    assert isinstance(response, aiohttp.ClientResponse)
    return response


async def read(response: aiohttp.ClientResponse) -> bytes:
    """All that comes by the wire until a body's last chunk."""
    wire = wire_of(response)
    assert wire is not None
    data = b""
    while not data.endswith(END):
        data += await wire.read()
    return data


OTHERS: dict[str, bytes] = {
    "with a length": b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 32\r\n\r\n" + LINE,
    "of HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + LINE,
    "packed": HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n") + chunk(b"\x1f\x8b") + END,
}


@pytest.mark.parametrize("name", OTHERS)
async def test_what_is_no_chunked_json_is_the_librarys(name: str) -> None:
    """Proxies answer in their own ways; none of them may be misread."""
    async with Server(in_turn([OTHERS[name], 1.0])) as server:
        session = server.session()
        response = await opened(session)
        wire = wire_of(response)
        cut(response)
        await session.close()

    assert wire is None


@pytest.mark.parametrize("at", range(1, len(HEAD) + 6))
async def test_a_watch_has_a_wire_however_its_head_comes(at: int) -> None:
    """It fails, too, where a new version of the library has no place for it: every event would cost twice as much."""
    whole = HEAD + chunk(LINE) + END
    async with Server(in_turn([whole[:at], 0.01, whole[at:]])) as server:
        session = server.session()
        response = await opened(session)
        data = await read(response)
        cut(response)
        await session.close()

    assert data == chunk(LINE) + END


async def test_after_a_good_end_the_connection_is_used_again() -> None:
    """Watches end every five to ten minutes: a handshake for each would burden the API server."""
    script: Script = [HEAD, chunk(LINE), END]
    async with Server(in_turn(script, script)) as server:
        session = server.session()
        first = await opened(session)
        wire, connection = wire_of(first), first.connection
        assert isinstance(wire, Wire)
        assert connection is not None
        transport = connection.transport
        await read(first)
        wire.finish(END)
        again = await opened(session)
        assert again.connection is not None
        same = again.connection.transport is transport
        cut(again)
        await session.close()

    assert same


async def test_what_came_before_a_cut_is_read_first() -> None:
    async with Server(in_turn([HEAD, chunk(LINE), 0.01, CUT])) as server:
        session = server.session()
        response = await opened(session)
        wire = wire_of(response)
        assert wire is not None
        await asyncio.sleep(1)
        heard = await wire.read()
        with pytest.raises(aiohttp.ClientPayloadError, match="the connection was cut"):
            await wire.read()
        cut(response)
        await session.close()

    assert heard == chunk(LINE)


async def test_what_nobody_reads_stays_with_the_server() -> None:
    """Kafka is slow: what waits for it waits in a buffer that is counted, and not here."""
    much = chunk(b"x" * 65536 + b"\n") * 200
    async with Server(in_turn([HEAD, much, END])) as server:
        session = server.session()
        response = await opened(session)
        wire = wire_of(response)
        assert wire is not None
        await asyncio.sleep(1)
        held = wire._size
        data = await read(response)
        cut(response)
        await session.close()

    assert held < 4 * READ_AHEAD
    assert data == much + END


class Watchful(asyncio.SelectorEventLoop):
    """An event loop that notes how it is asked to connect."""

    handed: list[object]

    async def create_connection(self, *args: Any, sock: object = None, **named: Any) -> Any:  # noqa: ANN401 - handed on
        self.handed.append(sock)
        return await super().create_connection(*args, sock=sock, **named)  # type: ignore[call-overload]


def test_connections_are_made_with_sockets_of_the_loops_own() -> None:
    """Handed to uvloop, a socket may be closed twice when a start is cut short: another connection with it."""

    async def connect() -> None:
        async with Server(in_turn([HEAD, chunk(LINE), END])) as server:
            session = server.session()
            cut(await opened(session))
            await session.close()

    handed: list[object] = []

    def make() -> Watchful:
        loop = Watchful()
        loop.handed = handed
        return loop

    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(connect())

    assert handed == [None]
