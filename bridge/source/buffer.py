"""Changes that wait for Kafka: bounded in bytes, so that a slow Kafka costs a reconnect and not the memory."""

import asyncio
from collections import deque

from bridge.model.event import Change, Event

OVERHEAD = 256
"""Bytes that an event costs beside its body: the struct, its key, uid and version."""
AHEAD = 12 << 20
"""Bytes that wait while the writer keeps going: one and a half transactions. More is slower, since it leaves the
processor's caches (with 64 MiB an event of 2 KB costs a fifth more), and costs memory."""
EASE = 1.0
"""Seconds. Within them a writer that goes on takes something; a server that nobody reads cuts the watch after some."""


class Pool:
    """Owns the count of what all buffers of a process hold in common.

    Half of *limit* (bytes) is parted evenly between *buffers*: nobody can starve another. Half is for whoever needs it.
    """

    own: int
    common: int

    def __init__(self, limit: int, buffers: int = 1) -> None:
        self.used = 0
        self.drained = asyncio.Event()
        self.resize(limit, buffers)

    def resize(self, limit: int, buffers: int) -> None:
        """Buffers that hold more than they now may have are not cut: they get nothing more until they are drained."""
        self.own = limit // (2 * buffers)
        self.common = limit - self.own * buffers
        self.drained.set()


class Buffer:
    """Owns the events between the reader and the writer, in the chunks they came in, and their size in bytes.

    The limit is soft by one chunk (a read of a stream, or a page): what was read is never thrown away.
    The two sides are one reader and one writer, in one event loop. To be dropped in the end.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._chunks: deque[tuple[list[Event], int, float]] = deque()
        """With their sizes, and when they came."""
        self._arrived = asyncio.Event()
        self._open = True
        self._stalled = False
        self._last = False
        self._borrowed = 0
        self.size = 0

    @property
    def limit(self) -> int:
        """Bytes: what is ours, and what of the common half is not with others now."""
        others = self._pool.used - self._borrowed
        return self._pool.own + max(0, self._pool.common - others)

    @property
    def full(self) -> bool:
        return self.size >= self.limit

    @property
    def ended(self) -> bool:
        """Closed, and everything was taken."""
        return not self._open and not self._chunks

    @property
    def waited(self) -> float:
        """Seconds that the oldest has been here; 0 if there is none."""
        return asyncio.get_running_loop().time() - self._chunks[0][2] if self._chunks else 0.0

    def put(self, events: list[Event], *, last: bool = False) -> None:
        """*last*: nothing more will come for a while, so that whoever takes need not wait for it."""
        size = sum([OVERHEAD + (len(event.body) if type(event) is Change else 0) for event in events])
        self._chunks.append((events, size, asyncio.get_running_loop().time()))
        self._resize(size)
        self._last = last
        self._arrived.set()

    def drop(self) -> None:
        """Nobody will take what is left: others may have its room."""
        self._chunks.clear()
        self._resize(-self.size)

    def close(self) -> None:
        """Nothing more will come: `take` gives what is left, then nothing, at once."""
        self._open = False
        self._arrived.set()

    async def room(self) -> None:
        """Wait until half of the limit is free: a watch that closed for lack of room is not opened for a byte."""
        while self.size > self.limit // 2:
            self._pool.drained.clear()
            await self._pool.drained.wait()

    async def eased(self) -> None:
        """Wait while more than enough is there, or half of what fits; but not for a writer that has come to a stop."""
        ahead = min(AHEAD, self.limit // 2)
        if self.size < ahead or self._stalled:
            return
        try:
            async with asyncio.timeout(EASE):
                while self.size > ahead // 2:
                    self._pool.drained.clear()
                    await self._pool.drained.wait()
        except TimeoutError:
            self._stalled = True

    async def take(self, longest: float, quiet: float, enough: int) -> list[Event]:
        """The oldest events, about *enough* bytes of them at the most.

        Waits for a first one without bound, then for more until it has been quiet for *quiet* seconds,
        *longest* seconds have passed, *enough* is there, or what is there is the last for a while.
        """
        if not self._chunks:
            await self._arrived.wait()
        loop = asyncio.get_running_loop()
        until = loop.time() + longest
        while self._open and not self._last and self.size < enough and (wait := min(quiet, until - loop.time())) > 0:
            self._arrived.clear()
            try:
                async with asyncio.timeout(wait):
                    await self._arrived.wait()
            except TimeoutError:
                break
        return self._pop(enough)

    def _pop(self, enough: int) -> list[Event]:
        events: list[Event] = []
        taken = 0
        while self._chunks and (taken == 0 or taken + self._chunks[0][1] <= enough):
            chunk, size, _ = self._chunks.popleft()
            events += chunk
            taken += size
        self._resize(-taken)
        self._stalled = False
        if self._chunks or not self._open:
            self._arrived.set()
        else:
            self._arrived.clear()
        return events

    def _resize(self, by: int) -> None:
        """What is borrowed is remembered as it was counted: the pool may have been parted anew since."""
        self.size += by
        borrowed = max(0, self.size - self._pool.own)
        self._pool.used += borrowed - self._borrowed
        self._borrowed = borrowed
        if by < 0:
            self._pool.drained.set()
