"""An API server of bytes: every answer is written out as it goes over the wire, so it can be cut, split or delayed."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from bridge.source.credentials import Credentials, Fixed
from bridge.source.kubeconfig import Login
from bridge.source.session import Session


class Cut:
    """The connection is reset."""


CUT = Cut()
Step = bytes | float | Cut
"""Bytes to write, seconds to wait, or the end of the connection."""
Script = Sequence[Step]


class Request(Struct, frozen=True):
    method: str
    path: str
    params: list[tuple[str, str]]
    headers: dict[str, str]


Route = Callable[[Request], Script]


class Server:
    """Answers by *route*, and remembers what was asked. *gone* counts connections that the client has closed."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self.requests: list[Request] = []
        self.gone = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def session(self, credentials: Credentials | None = None) -> Session:
        return Session(Login("test", self.url, credentials or Fixed("")))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while head := await _head(reader):
                request = _request(head)
                await reader.readexactly(int(request.headers.get("content-length", "0")))
                self.requests.append(request)
                if not await _play(self._route(request), writer):
                    break
            self.gone += 1
        except (ConnectionError, asyncio.IncompleteReadError):
            self.gone += 1
        finally:
            writer.close()
            self._tasks.discard(task)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""


def _request(head: bytes) -> Request:
    first, *lines = head.decode().rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    url = urlsplit(target)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(method, url.path, parse_qsl(url.query, keep_blank_values=True), headers)


async def _play(script: Script, writer: asyncio.StreamWriter) -> bool:
    for step in script:
        match step:
            case bytes():
                writer.write(step)
                await writer.drain()
            case Cut():
                writer.transport.abort()
                return False
            case _:
                await asyncio.sleep(step)
    return True


def in_turn(*scripts: Script) -> Route:
    """One script for each request, in order."""
    left = list(scripts)
    return lambda _: left.pop(0)


def answer(body: bytes | str, status: int = 200, kind: str = "application/json", **headers: str) -> Script:
    body = body.encode() if isinstance(body, str) else body
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return [head.encode() + body]


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def watch(*lines: bytes, end: Sequence[Step] = (END,)) -> Script:
    """A watch that says *lines*, each in a chunk of its own, and ends in good order."""
    return [HEAD, *(chunk(line) for line in lines), *end]
