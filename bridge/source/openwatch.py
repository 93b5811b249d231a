"""One open watch, whichever way its bytes come: lines out, and how long it may be silent."""

import asyncio

import aiohttp

from bridge.source.answers import ERROR_CAP
from bridge.source.chunks import BadChunk, Chunks
from bridge.source.faults import Phase
from bridge.source.pace import Pace
from bridge.source.wire import Wire, wire_of

HEARTBEAT = 70.0
"""Seconds of silence. Bookmarks come every 60 s, history lasts 75 s: later than this, resuming may cost a relist."""
MARGIN = 10.0
"""Seconds over its time that a watch without bookmarks may be silent."""
INITIAL = 30.0
"""Seconds of silence in a snapshot. Some servers never say that theirs has ended (antrea#8124)."""
READ = 64 << 10
"""Bytes asked of the library at once, where it reads the stream: more would be joined first."""


class OpenWatch:
    """One open watch: owns its response and the beginning of a line that has not ended."""

    def __init__(self, response: aiohttp.ClientResponse, phase: Phase, seconds: float) -> None:
        self.response = response
        self.phase = phase
        self.seconds = seconds
        self._wire = wire_of(response)
        self._chunks = Chunks()
        self._pace = Pace()
        self.lines = self._chunks.lines
        self.began = asyncio.get_running_loop().time()
        self.frames = 0
        self.waited = 0.0
        self.head = b""
        """What came before the first frame was read, to see what it is if it is no frame."""

    async def read(self) -> list[bytes] | None:
        """The next lines, perhaps none; None at the end."""
        if self._wire is None:
            data = await self.response.content.read(READ)
            lines = self.lines.feed(data) if data else None
        elif self._chunks.ended:
            lines = None
        else:
            lines = await self._burst(self._wire)
        if lines and self.frames == 0 and len(self.head) < ERROR_CAP:
            self.head += b"\n".join(lines) + b"\n"
        return lines

    async def _burst(self, wire: Wire) -> list[bytes]:
        if self._pace.wait:
            await wire.rest(self._pace.wait)
        data = await wire.read()
        try:
            lines = self._chunks.feed(data)
        except BadChunk as bad:
            raise aiohttp.ClientPayloadError(str(bad)) from bad
        if self.phase is Phase.STREAM:
            self._pace.read(len(lines), len(data), asyncio.get_running_loop().time())
        if self._chunks.ended:
            wire.finish(self._chunks.rest)
        return lines

    @property
    def rests(self) -> bool:
        """It is busy, and left alone to gather: for a moment nothing will be read of it."""
        return self._pace.wait > 0

    @property
    def document(self) -> bytes:
        """All that has come, as long as it is no frame."""
        return self.head + self.lines.tail

    def patience(self, bookmarked: bool) -> float:
        """Seconds of silence after which it must be dead."""
        if self.phase is Phase.INITIAL:
            return INITIAL
        return HEARTBEAT if bookmarked else self.seconds + MARGIN

    @property
    def age(self) -> float:
        return asyncio.get_running_loop().time() - self.began
