"""The network must do what the plan says, or the chaos proves nothing."""

import asyncio

import pytest

from tests.chaos.proxy import Proxy


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(100):
        writer.write(data)
    writer.close()


@pytest.mark.integration
async def test_it_carries_stands_still_and_cuts() -> None:
    """Bytes that were on their way arrive after a pause; a cut connection is an error, and the next one works."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    async with server, Proxy(server.sockets[0].getsockname()[1]) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"

        proxy.stand_still()
        writer.write(b"there")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        proxy.go_on()
        assert await reader.readexactly(5) == b"there"

        proxy.cut()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        again, more = await asyncio.open_connection("127.0.0.1", proxy.port)
        more.write(b"again")
        assert await again.readexactly(5) == b"again"
        more.close()
        writer.close()
