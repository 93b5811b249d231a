"""The network between the bridge and one server: slow, cut, or dead while connections stay open."""

import asyncio
from types import TracebackType
from typing import Self

PIECE = 1 << 16
"""Bytes that are carried at once."""


class Proxy:
    """Use as a context. Carries bytes between whoever connects to `port` and the server at *target*; TLS goes through.

    Owns the connections. A server that is down is a connection that is closed at once.
    """

    def __init__(self, target: int) -> None:
        self.delay = 0.0
        self.carried = 0
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._pairs: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        if self._pairs:
            await asyncio.wait(self._pairs, timeout=10)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """Every connection breaks, wherever it is in a line or a record of TLS."""
        for pair in tuple(self._pairs):
            pair.cancel()

    def stand_still(self) -> None:
        """Nothing is carried any more, and nobody is told: a cable that was pulled."""
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._pairs.add(task)
        writers = [writer]
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            writers.append(back)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._carry(reader, back))
                group.create_task(self._carry(there, writer))
        except* OSError:
            pass  # one side broke: so does the other, below
        except* asyncio.CancelledError:
            pass  # by `cut`; asyncio 3.11 would report a cancelled connection as a failure of its own
        finally:
            for end in writers:
                end.transport.abort()
            self._pairs.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flows.wait()
            self.carried += len(data)
            writer.write(data)
            await writer.drain()
        writer.write_eof() if writer.can_write_eof() else writer.close()
