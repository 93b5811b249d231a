"""The clock of the tests, which every test with a time in it relies on."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter

import pytest

from tests.conftest import _run_jumping, _within
from tests.stuck import StuckError


async def test_an_hour_takes_no_time() -> None:
    loop, began = asyncio.get_running_loop(), time.monotonic()

    await asyncio.sleep(3600)

    assert loop.time() == 3600
    assert time.monotonic() - began < 1


async def test_timers_come_in_their_order() -> None:
    order: list[int] = []
    async with asyncio.TaskGroup() as group:
        for seconds in (30, 10, 20):
            group.create_task(_append_after(seconds, order))
    assert order == [10, 20, 30]


async def test_a_timeout_strikes() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(70):
            await asyncio.Event().wait()


async def test_the_clock_stands_while_bytes_are_under_way() -> None:
    """Without that, a read timeout would strike between a write and its arrival."""
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    began = asyncio.get_running_loop().time()

    async with asyncio.timeout(70):
        for _ in range(200):
            writer.write(b"x" * 100_000)
            assert len(await reader.readexactly(100_000)) == 100_000

    assert asyncio.get_running_loop().time() == began
    await _end(server, writer)


async def test_the_clock_jumps_while_connections_are_idle() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(70):
            await reader.read(1)

    await _end(server, writer)


async def test_the_clock_stands_while_a_thread_works() -> None:
    async with asyncio.timeout(0.01):
        await asyncio.to_thread(time.sleep, 0.1)


def test_a_test_that_waits_for_ever_fails_at_once_and_says_where() -> None:
    with pytest.raises(StuckError, match=r"nothing will ever happen[\s\S]*in _wait_in_vain"):
        _run_jumping(_wait_in_vain())


def test_an_integration_test_that_hangs_says_where() -> None:
    with pytest.raises(StuckError, match=r"not end within 0.01 s[\s\S]*task test waits at[\s\S]*in _wait_in_vain"):
        asyncio.run(_within(0.01, _wait_in_vain()))


async def _wait_in_vain() -> None:
    await asyncio.Event().wait()


async def _append_after(seconds: int, order: list[int]) -> None:
    await asyncio.sleep(seconds)
    order.append(seconds)


async def _end(server: asyncio.Server, writer: StreamWriter) -> None:
    writer.close()
    server.close()
    await asyncio.sleep(1)  # by then both ends have seen it


async def _echo(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
