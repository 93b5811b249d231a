"""The body of an open watch as the network brings it, past the library's reader, which costs as much as our parser.

aiohttp connects, speaks TLS and to proxies, sends the request and reads the answer's head. Where a chunked body of JSON
follows that no read time-out bounds, which is a watch, its bytes are kept here as they come (see `chunks`). All else is
left to aiohttp, and so is the end of the body, so that the connection can be used again.
"""

import asyncio
import functools
import re
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

HEAD_CAP = 64 << 10
"""Bytes of an answer's head that are looked at; aiohttp refuses a header of more than 8 KiB."""
READ_AHEAD = 256 << 10
"""Bytes of a stream that may wait to be read. The library's 2 MiB for each of hundreds of watches would be too much."""

_OK = re.compile(rb"HTTP/1\.1 200 ")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n")
_JSON = re.compile(rb"(?i)\r\ncontent-type:[ \t]*application/json[ \t]*[;\r]")
_CODED = re.compile(rb"(?i)\r\ncontent-encoding:")


class Handler(ResponseHandler):
    """aiohttp's side of a connection. Owns the wire of a watch, while one is open on it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.wire: Wire | None = None
        self._head: bytes | None = None

    def set_response_params(self, **params: Any) -> None:  # noqa: ANN401 - handed on
        """Called for every request; aiohttp tells nothing else of it here."""
        self.wire = None
        self._head = b"" if not params.get("read_timeout") else None
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if self.wire is not None:
            self.wire.put(data)
        elif self._head is None:
            super().data_received(data)
        else:
            self._begin(self._head + data)

    def _begin(self, data: bytes) -> None:
        body = data.find(b"\r\n\r\n") + 4
        if body < 4 and len(data) < HEAD_CAP:
            self._head = data
            return
        self._head = None
        if body < 4 or not _is_watch(data[:body]):
            super().data_received(data)
            return
        wire = self.wire = Wire(self)
        super().data_received(data[:body])
        if body < len(data):
            wire.put(data[body:])

    def finish(self, rest: bytes) -> None:
        """The body is read up to its last chunk, with which *rest* begins."""
        self.wire = None
        super().data_received(rest)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.wire is not None:
            self.wire.lose(exc)
        elif self._head:
            head, self._head = self._head, None
            super().data_received(head)
        super().connection_lost(exc)


class Wire:
    """Owns what has come and was not read: about `READ_AHEAD` at the most, the rest stays with the server."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._parts: list[bytes] = []
        self._size = 0
        self._paused = False
        self._lost: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    def put(self, data: bytes) -> None:
        self._parts.append(data)
        self._size += len(data)
        if self._size > READ_AHEAD and not self._paused and self._handler.transport is not None:
            self._paused = True
            self._handler.transport.pause_reading()
        self._wake()

    def lose(self, cause: BaseException | None) -> None:
        self._lost = aiohttp.ClientPayloadError(f"the connection was cut{f': {cause}' if cause else ''}")
        self._wake()

    def finish(self, rest: bytes) -> None:
        """Nothing more will be read; *rest* is what came from the body's last chunk on."""
        self._handler.finish(rest)

    async def rest(self, seconds: float) -> None:
        """Leave what comes to gather with the system for so long: it will come as one."""
        if self._lost is not None or self._paused or self._handler.transport is None:
            return
        self._handler.transport.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            if self._handler.transport is not None:
                self._handler.transport.resume_reading()

    async def read(self) -> bytes:
        """What has come, in the chunked coding; never nothing. Raises `ClientPayloadError` if it was cut."""
        while not self._parts:
            if self._lost is not None:
                raise self._lost
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        data = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size = [], 0
        if self._paused and self._handler.transport is not None:
            self._paused = False
            self._handler.transport.resume_reading()
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def wire_of(response: aiohttp.ClientResponse) -> Wire | None:
    """Where the body of *response* comes from, if it goes past the library's reader."""
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    return protocol.wire if isinstance(protocol, Handler) else None


def tap(connector: aiohttp.BaseConnector | None) -> None:
    """Let the connections that *connector* makes from now on have wires, and sockets of the event loop's own.

    aiohttp makes a socket and hands it to the loop. If a start is cut short, uvloop and aiohttp then close it in turn,
    and may close another connection of that number: "File descriptor 14 is used by transport", or the process ends
    (uvloop#653; under servers that are killed while connections begin it comes each minute, and so it never does).
    """
    assert isinstance(connector, aiohttp.TCPConnector), "a session that is not closed has one"
    make: Any = functools.partial(Handler, loop=asyncio.get_running_loop())
    connector._factory = make  # noqa: SLF001 - it takes none from outside
    usual = connector._wrap_existing_connection  # noqa: SLF001

    async def connect(*args: Any, addr_infos: Any, **named: Any) -> Any:  # noqa: ANN401 - handed on
        family, _, _, _, address = addr_infos[0]  # aiohttp comes with the next ones, if this one fails
        return await usual(*args, host=address[0], port=address[1], family=family, **named)

    setattr(connector, "_wrap_create_connection", connect)  # noqa: B010 - a method, for the type checker


def _is_watch(head: bytes) -> bool:
    return bool(_OK.match(head) and _CHUNKED.search(head) and _JSON.search(head) and not _CODED.search(head))
