"""The door of the source: drives the machine against the API server, and fills the buffer with what it says."""

import asyncio
import time
from typing import Protocol

from bridge.model.event import Change, ChangeType, Event, Restarted, Synced
from bridge.model.position import ResourceVersion
from bridge.retry import Backoff
from bridge.source.buffer import Buffer
from bridge.source.faults import (
    SHORT,
    Degraded,
    FallBack,
    Fatal,
    Fault,
    Kind,
    Phase,
    Reauth,
    Relist,
    Removed,
    RestartList,
    Resume,
    RetryOnce,
    Wait,
)
from bridge.source.frames import Page
from bridge.source.index import Index
from bridge.source.machine import step
from bridge.source.states import (
    Detached,
    Frames,
    Listing,
    Method,
    Newest,
    Opened,
    Over,
    Reply,
    State,
    Streaming,
    Trouble,
    Unlisted,
    Unproven,
    Watching,
)
from bridge.telemetry import BufferChanged, BufferFilled, FaultMet, RelistProgressed, StreamDelayed, WatchOpened

SLOW_CAP = 60.0
"""Seconds. What only people can mend is asked for rarely, but often enough that they see their mend work."""
HEALTHY = 120.0
"""Seconds. A stream that was open so long proves health as well as a frame does (client-go resets after as much)."""
CONFIRM = 5.0
"""Seconds until it is asked again whether a resource is really gone: longer than a server's start, in which parts of
discovery may be missing."""
REMIND = 60.0
"""Seconds between two log lines about a stream that cannot proceed."""
PROGRESS = 5.0
"""Seconds between two log lines about a snapshot under way."""


class Api(Protocol):
    """What the reader needs of an API server. It never raises for what the world does: a failure is a `Fault`."""

    async def newest(self) -> Newest | Fault: ...
    async def page(self, token: str, whole: bool) -> Page | Fault: ...
    async def open(self, version: ResourceVersion) -> Opened | Fault: ...
    async def open_list(self) -> Opened | Fault: ...
    async def frames(self) -> Frames | Fault: ...
    async def reauthenticate(self) -> None: ...
    def close(self) -> None: ...


class Reader:
    """Owns the state of one stream's watch, its index, and how long to wait. One per attempt: dies with it."""

    def __init__(self, stream: str, api: Api, state: State, index: Index, buffer: Buffer) -> None:
        self._stream = stream
        self._api = api
        self._state = state
        self._index = index
        self._buffer = buffer
        self._backoff, self._slow = Backoff(), Backoff(SLOW_CAP)
        self._delay = Delay(stream)
        self._relist = Relisting(stream)

    async def run(self) -> Trouble:
        """Read until nothing more can be asked, and say why. Closes the stream and the buffer whenever it ends."""
        try:
            while not isinstance(state := self._state, Over):
                self._move(await self._ask(state))
                if self._buffer.full:
                    await self._make_room()
        finally:
            self._api.close()
            self._buffer.close()
        self._met(state.trouble)
        return state.trouble

    def _move(self, reply: Reply) -> None:
        """One step of the machine, and what follows from it but waiting."""
        before = self._state
        self._state, events = step(before, reply, time.time_ns() // 1_000_000)
        if isinstance(before, Watching | Streaming) and not isinstance(self._state, Watching | Streaming):
            self._api.close()
        if told := self._index.apply(events):  # not what a resumed watch says again: that proves no health
            if isinstance(before, Watching):
                self._healthy()
            else:
                self._relist.follow(told)
            self._buffer.put(told)
            BufferChanged(self._stream, self._buffer.size).emit()

    def _healthy(self) -> None:
        self._backoff.reset()
        self._slow.reset()
        self._delay.over()

    async def _ask(self, state: Unlisted | Streaming | Listing | Unproven | Detached | Watching) -> Reply:
        match state:
            case Watching() | Streaming():
                return await self._api.frames()
            case Unlisted() | Listing() | Unproven() | Detached():
                await self._settle(state.trouble)
                return await self._request(state)

    async def _request(self, state: Unlisted | Listing | Unproven | Detached) -> Reply:
        match state:
            case Unlisted(method=Method.STREAM):
                return await self._api.open_list()
            case Unlisted(method=method):
                return await self._api.page("", method is Method.WHOLE)
            case Listing(token=token):
                return await self._api.page(token, whole=False)
            case Unproven():
                return await self._api.newest()
            case Detached(position=position):
                WatchOpened(self._stream).emit()
                return await self._api.open(position.version)

    async def _settle(self, trouble: Trouble | None) -> None:
        """Wait as the verdict says, and no longer: what went well before costs nothing."""
        if trouble is None:
            return
        self._met(trouble)
        match trouble.verdict:
            case Resume(at_once=True):
                wait = 0.0 if trouble.fault.age >= SHORT else self._backoff.next_but_first()
                if not wait:
                    return
            case Relist() | RestartList() | FallBack():
                wait = self._backoff.next_but_first()
            case Reauth():
                await self._api.reauthenticate()
                wait = self._backoff.next_but_first()
            case Degraded():
                wait = self._slow.next()
            case Wait(seconds):
                wait = max(seconds, self._backoff.next())
            case Removed():
                wait = max(CONFIRM, self._backoff.next())
            case Resume() | RetryOnce() | Fatal():
                wait = self._backoff.next()
        self._delay.goes_on(trouble.fault, at_once=isinstance(trouble.verdict, Degraded))
        await asyncio.sleep(wait)

    def _met(self, trouble: Trouble) -> None:
        if trouble.fault.age > HEALTHY:
            self._healthy()
        FaultMet(self._stream, type(trouble.verdict).__name__, str(trouble.fault)).emit()

    async def _make_room(self) -> None:
        """Kafka is behind: a live watch is closed at its position, a snapshot left unread (TCP holds the server)."""
        if isinstance(self._state, Watching):
            BufferFilled(self._stream, self._buffer.size).emit()
            self._move(Fault(Phase.STREAM, Kind.FULL))
        await self._buffer.room()


class Delay:
    """Owns since when a stream cannot proceed, and when that was last said: at the second try, then once a minute."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.over()

    def over(self) -> None:
        self._since: float | None = None
        self._said: float | None = None
        self._tries = 0

    def goes_on(self, what: object, *, at_once: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        self._tries += 1
        if (at_once or self._tries > 1) and (self._said is None or now - self._said >= REMIND):
            self._said = now
            StreamDelayed(self._stream, str(what), round(now - self._since, 1), self._tries).emit()


class Relisting:
    """Owns how far a snapshot has come, to tell of it every few seconds."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._began: float | None = None
        self._said = 0.0
        self._objects = 0

    def follow(self, events: list[Event]) -> None:
        now = asyncio.get_running_loop().time()
        for event in events:
            match event:
                case Restarted():
                    self._began = self._said = now
                    self._objects = 0
                case Synced():
                    self._began = None
                case Change(type=ChangeType.LISTED):
                    self._objects += 1
                case _:
                    pass
        if self._began is not None and now - self._said >= PROGRESS:
            self._said, seconds = now, now - self._began
            rate = round(self._objects / seconds, 1)
            RelistProgressed(self._stream, self._objects, round(seconds, 1), rate).emit()
