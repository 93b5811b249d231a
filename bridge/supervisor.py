"""Runs the streams that are ours, and what lasts as long as they do, and leaves no task behind."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from bridge.config.changes import alike
from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.reload.telling import StreamRemoved
from bridge.retry import Backoff
from bridge.sink.connection import reason_of
from bridge.source.delay import HEALTHY
from bridge.stream import Outcome
from bridge.telemetry import StreamReleased, StreamsCut, TaskFailed

GRACE = 6.0
"""Seconds that streams have for their last commit before they are cut off. Killing their producers takes up to
3 more, and the process must be gone within 10."""
HAND_OVER = 2.0
"""The same for streams that go to another replica, which waits for it."""


REMIND = 60.0
"""Seconds between two words on streams that have failed while others go on."""


class Running(Protocol):
    """What the supervisor needs of a stream: `run` ends by itself only when all is over, or soon after `stop`.

    `remind` says once more why a stream that has failed did; `adopt` gives it another configuration that has it alike.
    """

    name: str

    async def run(self) -> Outcome: ...
    def stop(self) -> None: ...
    def remind(self) -> None: ...
    def adopt(self, config: Config) -> None: ...


class Wanted(Protocol):
    """The configuration that is in force: how many streams there are, and which a partition has."""

    @property
    def count(self) -> int: ...
    def specs(self, partition: int) -> Sequence[StreamSpec]: ...
    def adopt(self, config: Config) -> None: ...


class Membership(Protocol):
    """Makes the fleet acquire and release partitions until it is cancelled; `leave` then tells the others at once.

    `give_up` is for a `run` that has failed: it forgets everything, so that another one may follow.
    """

    async def run(self) -> None: ...
    async def give_up(self) -> None: ...
    async def leave(self) -> None: ...


class Fleet:
    """Owns the tasks of the streams that run here."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self.ended = asyncio.Event()
        """Set when one of them has."""
        self._group = group
        self._over = False
        self._tasks: dict[Running, asyncio.Task[Outcome]] = {}

    def begin(self, stream: Running) -> None:
        """Nothing any more once all of them are ended."""
        if self._over:
            return
        task = self._group.create_task(stream.run(), name=stream.name)
        task.add_done_callback(lambda _: self.ended.set())
        self._tasks[stream] = task

    @property
    def failed(self) -> int:
        """How many have ended because their configuration cannot work."""
        return sum(1 for task in self._tasks.values() if _has_failed(task))

    def remind(self) -> None:
        for stream, task in self._tasks.items():
            if task.done():
                stream.remind()

    async def end(self, streams: Iterable[Running], seconds: float) -> None:
        """In good order within *seconds*, or cut off. Returns when nothing of them is left; they are forgotten."""
        known = {stream: self._tasks[stream] for stream in streams if stream in self._tasks}
        for stream, task in known.items():
            if not task.done():
                stream.stop()
        running = {task for task in known.values() if not task.done()}
        if running:
            _, running = await asyncio.wait(running, timeout=seconds)
        if running:
            if seconds > 0:
                StreamsCut(sorted(task.get_name() for task in running)).emit()
            for task in running:
                task.cancel()
            await asyncio.wait(running)
        for stream in known:
            self._tasks.pop(stream, None)
            StreamReleased(stream.name).emit()

    async def end_all(self, seconds: float) -> None:
        self._over = True
        await self.end(list(self._tasks), seconds)


def _has_failed(task: "asyncio.Task[Outcome]") -> bool:
    return task.done() and not task.cancelled() and task.result() is Outcome.FAILED


class Shared:
    """Owns which streams run in the partitions that are ours, and by which spec. *make* makes one, anew each time."""

    def __init__(self, fleet: Fleet, wanted: Wanted, make: Callable[[StreamSpec], Running]) -> None:
        self.count = wanted.count
        """How many there are anywhere, as far as they are followed."""
        self._fleet = fleet
        self._wanted = wanted
        self._make = make
        self._partitions: dict[int, dict[str, tuple[StreamSpec, Running]]] = {}
        self._following = asyncio.Lock()

    def acquire(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self._partitions[partition] = {}
            self._fill(partition)

    async def release(self, partitions: Iterable[int], *, at_once: bool = False) -> None:
        gone = [self._partitions.pop(number, {}) for number in partitions]
        streams = [stream for running in gone for _, stream in running.values()]
        await self._fleet.end(streams, 0 if at_once else HAND_OVER)

    def adopt(self, config: Config) -> None:
        """It is in force: what begins from now on begins by it, what runs takes up what it can. Then comes `follow`."""
        self._wanted.adopt(config)
        for running in self._partitions.values():
            for _, stream in running.values():
                stream.adopt(config)

    async def follow(self) -> None:
        """What is otherwise now, or no longer there, ends in good order; then what is missing begins. The rest runs on.

        A partition that is released meanwhile is let alone.
        """
        async with self._following:
            ending = self._outdated()
            await self._fleet.end([stream for _, stream in ending], HAND_OVER)
            for partition, stream in ending:
                running = self._partitions.get(partition, {})
                if stream.name in running and running[stream.name][1] is stream:
                    del running[stream.name]
            for partition in self._partitions:
                self._fill(partition)
            self.count = self._wanted.count
            for partition, stream in ending:
                if stream.name not in self._names(partition):
                    StreamRemoved(stream.name).emit()

    def _fill(self, partition: int) -> None:
        running = self._partitions[partition]
        for spec in self._wanted.specs(partition):
            if spec.name not in running:
                stream = self._make(spec)
                running[spec.name] = spec, stream
                self._fleet.begin(stream)

    def _outdated(self) -> list[tuple[int, Running]]:
        found: list[tuple[int, Running]] = []
        for partition, running in self._partitions.items():
            wanted = {spec.name: spec for spec in self._wanted.specs(partition)}
            for name, (spec, stream) in running.items():
                if name not in wanted or not alike(spec, wanted[name]):
                    found.append((partition, stream))
        return found

    def _names(self, partition: int) -> set[str]:
        return {spec.name for spec in self._wanted.specs(partition)}


async def supervise(
    wanted: Wanted,
    make: Callable[[StreamSpec], Running],
    join: Callable[[Shared], Membership],
    stopping: asyncio.Event,
) -> bool:
    """Run what the membership says, until *stopping* is set. False if all streams are ours, and all have failed."""
    async with asyncio.TaskGroup() as group:
        fleet = Fleet(group)
        shared = Shared(fleet, wanted, make)
        membership = join(shared)
        belonging = group.create_task(lasting("membership", membership.run, membership.give_up), name="membership")
        await _watch(group, fleet, shared, stopping)
        worked = fleet.failed < shared.count
        belonging.cancel()  # our session lasts while streams end; nothing more may begin
        await fleet.end_all(GRACE)
    await membership.leave()
    return worked


async def nothing() -> None:
    """What most tasks need before they begin again."""


async def lasting(
    name: str, run: Callable[[], Awaitable[None]], before: Callable[[], Awaitable[None]] = nothing
) -> None:
    """*run*, again and again until cancelled: it would end this replica, and its mistake would end all of them.

    *before* comes before each try but the first. As for streams, so many seconds of work are a proof of health.
    """
    loop, backoff = asyncio.get_running_loop(), Backoff()
    while True:
        began = loop.time()
        try:
            if not backoff.fresh:
                await before()
            await run()
        except Exception as error:  # noqa: BLE001 - the other place, beside that of streams
            if loop.time() - began > HEALTHY:
                backoff.reset()
            wait = backoff.next()
            TaskFailed(name, reason_of(error), round(wait, 2)).emit()
            await asyncio.sleep(wait)


async def _watch(group: asyncio.TaskGroup, fleet: Fleet, shared: Shared, stopping: asyncio.Event) -> None:
    """Until *stopping* is set, or all streams there are have failed."""
    stop = group.create_task(stopping.wait(), name="stop")
    while not stop.done() and fleet.failed < shared.count:
        fleet.ended.clear()
        ended = group.create_task(fleet.ended.wait(), name="one has ended")
        done, _ = await asyncio.wait({stop, ended}, timeout=REMIND, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            fleet.remind()
        ended.cancel()
    stop.cancel()
