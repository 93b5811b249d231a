"""The door of the source: drives the machine against the API server, and fills the buffer with what it says."""

import asyncio
import time
from typing import Protocol

from bridge.model.event import Change
from bridge.model.position import NO_VERSION, ResourceVersion
from bridge.retry import Backoff
from bridge.source.buffer import Buffer
from bridge.source.comparison import Comparison, lasting
from bridge.source.delay import HEALTHY, Delay
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
    StartOver,
    Wait,
    classify,
)
from bridge.source.frames import Page
from bridge.source.index import Index
from bridge.source.machine import step
from bridge.source.relisting import Relisting
from bridge.source.silence import PACE, Silence
from bridge.source.states import (
    Asking,
    Compared,
    Comparing,
    Detached,
    Frames,
    Hearing,
    Listing,
    Method,
    Newest,
    Opened,
    Over,
    Positioned,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Trouble,
    Unlisted,
    Unproven,
    Watching,
)
from bridge.source.telling import (
    BufferFilled,
    DifferencesFound,
    Doing,
    FaultMet,
    FramesHeard,
    StreamVerified,
    WatchMoved,
    WatchOpened,
)
from bridge.source.verification import is_about_the_list, told
from bridge.telemetry import BufferChanged

SLOW_CAP = 60.0
"""Seconds. What only people can mend is asked for rarely, but often enough that they see their mend work."""
CONFIRM = 5.0
"""Seconds until it is asked again whether a resource is really gone: longer than a server's start, in which parts of
discovery may be missing."""


class Api(Protocol):
    """What the reader needs of an API server. It never raises for what the world does: a failure is a `Fault`."""

    async def newest(self) -> Newest | Fault: ...
    async def page(self, token: str, whole: bool) -> Page | Fault: ...
    async def open(self, version: ResourceVersion) -> Opened | Fault: ...
    async def open_list(self) -> Opened | Fault: ...
    async def frames(self, patience: float | None = None) -> Frames | Quiet | Fault: ...
    async def look(self, token: str) -> Page | Fault: ...
    @property
    def rests(self) -> bool: ...
    async def reauthenticate(self) -> None: ...
    def close(self) -> None: ...


class Reader:
    """Owns the state of one stream's watch, its index, and how long to wait. One per attempt: dies with it."""

    def __init__(
        self, stream: str, api: Api, state: State, index: Index, buffer: Buffer, verify_interval: float
    ) -> None:
        self._stream = stream
        self._api = api
        self._state = state
        self._index = index
        self._buffer = buffer
        self._backoff, self._slow = Backoff(), Backoff(SLOW_CAP)
        self._delay = Delay(stream)
        self._relist = Relisting(stream)
        self._silence = Silence(verify_interval, _age(state))
        self._comparison = Comparison(index, NO_VERSION)
        self._next_page = 0.0

    def adopt(self, verify_interval: float) -> None:
        """Counts from the next silence on: one that is being waited for lasts as long as it was to."""
        self._silence.adopt(verify_interval)

    async def run(self) -> Trouble:
        """Read until nothing more can be asked, and say why. Closes the stream and the buffer whenever it ends."""
        _moved(self._stream, self._state)
        try:
            while not isinstance(state := self._state, Over):
                self._move(await self._ask(state))
                await self._buffer.eased()
                if self._buffer.full:
                    await self._make_room()
            if isinstance(state.trouble.verdict, StartOver):
                await asyncio.sleep(CONFIRM)  # the next attempt asks again: two clusters may answer in turn
        finally:
            self._api.close()
            self._buffer.close()
        self._met(state.trouble)
        return state.trouble

    def _move(self, reply: Reply) -> None:
        """One step of the machine, and what follows from it but waiting."""
        before = self._state
        state, events = step(before, reply, time.time_ns() // 1_000_000)
        self._state = state
        if isinstance(before, Hearing) and not isinstance(state, Hearing):
            self._api.close()
        if isinstance(state, Positioned) and _version(before) != state.position.version:
            self._silence.end()
        self._tell(before, reply, state)
        said = self._index.apply(events)
        if isinstance(reply, Frames | Page | Compared):
            FramesHeard(self._stream, len(self._index)).emit()
        if said:  # not what a resumed watch says again: that proves no health
            if not isinstance(before, Watching | Comparing | Settling):
                self._relist.follow(said)
            elif any(type(event) is Change for event in said) or _version(before) != _version(state):
                self._healthy()  # a bookmark at our own position says nothing new: a server that only says that is sick
            self._buffer.put(said, last=self._api.rests)
            buffer = self._buffer
            BufferChanged(self._stream, buffer.size, buffer.limit, buffer.waited).emit()

    def _tell(self, before: State, reply: Reply, state: State) -> None:
        """Where the stream is now, and what a verification has found out."""
        if type(before) is not type(state):
            _moved(self._stream, state)
        match before, reply, state:
            case Settling(), _, Watching(position=place, since=since) if since:
                self._silence.end()
                StreamVerified(self._stream, place.version, len(self._index)).emit()
            case Comparing(), Compared(differences=now), Settling() if now:
                DifferencesFound(self._stream, len(now), told(now), lasting=False).emit()
            case Comparing(suspects=then), Compared(differences=now), Unlisted() if lost := lasting(then, now):
                DifferencesFound(self._stream, len(lost), told(lost), lasting=True).emit()
            case _:
                pass

    def _healthy(self) -> None:
        self._backoff.reset()
        self._slow.reset()
        self._delay.over()

    async def _ask(self, state: Asking) -> Reply:
        match state:
            case Watching():
                return await self._api.frames(self._silence.patience)
            case Streaming():
                return await self._api.frames()
            case Silent(position=position):
                self._silence.begin()
                WatchOpened(self._stream).emit()
                return await self._api.open(position.version)
            case Comparing():
                return await self._compare(state)
            case Settling():
                return await self._api.frames(self._silence.grace)
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
            case Detached(start=start):
                WatchOpened(self._stream).emit()
                return await self._api.open(start)

    async def _compare(self, state: Comparing) -> Reply:
        """The next page, compared; before it, but for the first one, what the fresh stream says until it is due.

        A stream that goes on saying deletes puts no page off: they would come to no end.
        """
        loop = asyncio.get_running_loop()
        left = self._next_page - loop.time()
        if not state.token:
            self._comparison = Comparison(self._index, state.position.version)
        elif left > 0 and not isinstance(heard := await self._api.frames(left), Quiet):
            return heard
        page = await self._api.look(state.token)
        self._next_page = loop.time() + PACE
        if isinstance(page, Fault):
            if is_about_the_list(page, verdict := classify(page)):
                self._silence.put_off(await self._wait(Trouble(page, verdict)))
            return page
        self._comparison.add(page)
        return Compared(page.version, page.token, {} if page.token else self._comparison.end())

    async def _settle(self, trouble: Trouble | None) -> None:
        """Wait as the verdict says, and no longer: what went well before costs nothing."""
        if trouble is not None:
            await asyncio.sleep(await self._wait(trouble))

    async def _wait(self, trouble: Trouble) -> float:
        """Seconds until the next try, of which is told here; for it credentials that were refused are forgotten."""
        self._met(trouble)
        match trouble.verdict:
            case Resume(at_once=True):
                wait = 0.0 if trouble.fault.age >= SHORT else self._backoff.next_but_first()
                if not wait:
                    return wait
            case Relist() | RestartList() | FallBack():
                wait = self._backoff.next_but_first()
            case Reauth():
                await self._api.reauthenticate()
                wait = self._backoff.next_but_first()
            case Degraded() | Fatal():
                wait = self._slow.next()
            case Wait(seconds):
                wait = max(seconds, self._backoff.next())
            case Removed():
                wait = max(CONFIRM, self._backoff.next())
            case Resume() | RetryOnce() | StartOver():
                wait = self._backoff.next()
        self._delay.goes_on(trouble.fault, at_once=isinstance(trouble.verdict, Degraded | Fatal))
        return wait

    def _met(self, trouble: Trouble) -> None:
        if trouble.fault.age > HEALTHY:
            self._healthy()
        FaultMet(self._stream, type(trouble.verdict).__name__, str(trouble.fault)).emit()

    async def _make_room(self) -> None:
        """Kafka is behind: a live watch is closed at its position, a snapshot left unread (TCP holds the server)."""
        if isinstance(self._state, Watching | Comparing | Settling):
            BufferFilled(self._stream, self._buffer.size).emit()
            self._move(Fault(Phase.STREAM, Kind.FULL))
        await self._buffer.room()


def _moved(stream: str, state: State) -> None:
    match state:
        case Unlisted() | Streaming() | Listing():
            doing = Doing.RELISTING
        case Unproven() | Detached() | Over():
            doing = Doing.OPENING
        case Watching():
            doing = Doing.WATCHING
        case Silent() | Comparing() | Settling():
            doing = Doing.VERIFYING
    WatchMoved(stream, doing, isinstance(state, Hearing)).emit()


def _version(state: State) -> str:
    return state.position.version if isinstance(state, Positioned) else ""


def _age(state: State) -> float:
    """Seconds since the position was learnt that the stream begins with."""
    return time.time() - state.position.time / 1000 if isinstance(state, Positioned) else 0.0
