"""Runs the streams that are ours, and leaves no task behind."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from bridge.stream import Outcome
from bridge.telemetry import StreamsCut

GRACE = 6.0
"""Seconds that streams have for their last commit before they are cut off. Killing their producers takes up to
3 more, and the process must be gone within 10."""


REMIND = 60.0
"""Seconds between two words on streams that have failed while others go on."""


class Running(Protocol):
    """What the supervisor needs of a stream: `run` ends by itself only when all is over, or soon after `stop`.

    `remind` says once more why a stream that has failed did.
    """

    name: str

    async def run(self) -> Outcome: ...
    def stop(self) -> None: ...
    def remind(self) -> None: ...


async def supervise(streams: Sequence[Running], stopping: asyncio.Event) -> bool:
    """Run *streams* until *stopping* is set. False if every one of them has failed for good."""
    async with asyncio.TaskGroup() as group:
        tasks = {group.create_task(stream.run(), name=stream.name) for stream in streams}
        stop = group.create_task(stopping.wait(), name="stop")
        running = set(tasks)
        while running and not stop.done():
            waits = {*running, stop}
            done, _ = await asyncio.wait(waits, timeout=REMIND, return_when=asyncio.FIRST_COMPLETED)
            running -= done
            if not done:
                _remind(streams, running)
        for stream in streams:
            stream.stop()
        if running:
            _, running = await asyncio.wait(running, timeout=GRACE)
        if running:
            StreamsCut(sorted(task.get_name() for task in running)).emit()
        for task in (*running, stop):
            task.cancel()
    return any(task.cancelled() or task.result() is not Outcome.FAILED for task in tasks)


def _remind(streams: Sequence[Running], running: set["asyncio.Task[Outcome]"]) -> None:
    going = {task.get_name() for task in running}
    for stream in streams:
        if stream.name not in going:
            stream.remind()
