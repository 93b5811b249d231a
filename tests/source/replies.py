"""An API server as the reader sees it: a list of replies, and what was asked for them and when."""

import asyncio
from collections.abc import Iterable

from bridge.model.event import Event
from bridge.model.position import ResourceVersion
from bridge.source.buffer import Buffer, Pool
from bridge.source.faults import Fault
from bridge.source.frames import Frame, Page
from bridge.source.index import Index
from bridge.source.reader import Reader
from bridge.source.states import Frames, Newest, Opened, Quiet, Reply, State

Step = Reply | float
"""A reply, or seconds that pass before the next one."""


HASTE = 50
"""Requests in one instant that are a loop without a wait: on a clock that jumps, it would never end."""


class Replies:
    """Gives the replies of *script* in turn, whatever is asked, so a script says what must be asked.

    Refuses what the real one could not do: to read from what is not open, or to answer one thing with another.
    """

    def __init__(self, script: Iterable[Step]) -> None:
        self._script = iter(script)
        self._peeked: Step | None = None
        self._open = False
        self.asked: list[str] = []
        self.times: list[float] = []
        """When each request was made; reads of an open stream are none."""
        self.rests = False
        self.over = asyncio.Event()
        """The script is at its end: what is asked now is never answered."""

    async def newest(self) -> Newest | Fault:
        self._request("newest")
        reply = await self._next()
        assert isinstance(reply, Newest | Fault)
        return reply

    async def page(self, token: str, whole: bool) -> Page | Fault:
        self._request("whole" if whole else f"page {token}".strip())
        reply = await self._next()
        assert isinstance(reply, Page | Fault)
        return reply

    async def open(self, version: ResourceVersion) -> Opened | Fault:
        return await self._opened(f"open {version}")

    async def open_list(self) -> Opened | Fault:
        return await self._opened("list")

    async def look(self, token: str) -> Page | Fault:
        self._request(f"look {token}".strip())
        reply = await self._next()
        assert isinstance(reply, Page | Fault)
        return reply

    async def frames(self, patience: float | None = None) -> Frames | Quiet | Fault:
        """Quiet when the script says so, and by itself when what it says next comes later."""
        assert self._open
        try:
            async with asyncio.timeout(patience):
                reply = await self._next()
        except TimeoutError:
            return Quiet()
        if isinstance(reply, Quiet):
            assert patience is not None
            await asyncio.sleep(patience)
            return reply
        assert isinstance(reply, Frames | Fault)
        self._open = isinstance(reply, Frames)
        return reply

    async def reauthenticate(self) -> None:
        self.asked.append("reauthenticate")

    def close(self) -> None:
        if self._open:
            self.asked.append("close")
        self._open = False

    async def _opened(self, what: str) -> Opened | Fault:
        assert not self._open
        self._request(what)
        reply = await self._next()
        assert isinstance(reply, Opened | Fault)
        self._open = isinstance(reply, Opened)
        return reply

    def _request(self, what: str) -> None:
        now = asyncio.get_running_loop().time()
        assert self.times[-HASTE:].count(now) < HASTE, f"asked {HASTE} times in one instant"
        self.asked.append(what)
        self.times.append(now)

    async def _next(self) -> Reply:
        while (step := self._peek()) is not None:
            if not isinstance(step, float | int):
                self._peeked = None
                return step
            began = asyncio.get_running_loop().time()
            try:
                await asyncio.sleep(step)
            except asyncio.CancelledError:  # who did not wait to the end finds the rest of it next time
                self._peeked = max(0.0, step - (asyncio.get_running_loop().time() - began))
                raise
            self._peeked = None
        self.over.set()
        await asyncio.sleep(1e9)
        raise AssertionError("the test is over")

    def _peek(self) -> Step | None:
        if self._peeked is None:
            self._peeked = next(self._script, None)
        return self._peeked

    @property
    def waits(self) -> list[float]:
        """Seconds between each request and the next one."""
        return [round(b - a, 6) for a, b in zip(self.times, self.times[1:], strict=False)]


NEVER = 1e10
"""Seconds: no position of these tests is so old, not even one of 1970, so nothing verifies itself unasked."""


class Reading:
    """A reader at work on a script. Owns the buffer that it fills."""

    def __init__(
        self, state: State, script: Iterable[Step], uids: dict[str, str] | None = None, verify: float = NEVER
    ) -> None:
        self._verify = verify
        self.api = Replies(script)
        self.buffer = Buffer(Pool(1 << 20))
        self.index = Index(uids or {})
        self.state = state

    def reader(self) -> Reader:
        return Reader("pods", self.api, self.state, self.index, self.buffer, self._verify)

    async def until_over(self, seconds: float = 1e8) -> "Reading":
        """Read to the end of the script, or for so many seconds if it has none."""
        task = asyncio.create_task(self.reader().run())
        over = asyncio.create_task(self.api.over.wait())
        await asyncio.wait({task, over}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        task.cancel()
        over.cancel()
        await asyncio.wait({task, over})
        if not task.cancelled():
            task.result()
        return self

    async def events(self) -> list[Event]:
        """All that the buffer holds."""
        events: list[Event] = []
        while not self.buffer.ended:
            events += await self.buffer.take(0, 0, 1 << 20)
        return events


def frames(*said: Frame) -> Frames:
    return Frames(list(said))
