"""Where a test hangs: the line at which each task waits, innermost last."""

import asyncio
from types import CoroutineType, FrameType
from typing import Any


class StuckError(AssertionError):
    """The test would wait for ever, or has waited too long."""


def where_tasks_wait(loop: asyncio.AbstractEventLoop) -> str:
    tasks = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    return "\n".join(_where(task) for task in tasks)


def _where(task: asyncio.Task[Any]) -> str:
    lines = [f"task {task.get_name()} waits at"]
    lines += [f"  {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}" for frame in _frames(task)]
    return "\n".join(lines)


def _frames(task: asyncio.Task[Any]) -> list[FrameType]:
    """Down the chain of awaits; a task's own `get_stack` tells only the outermost of a waiting coroutine."""
    frames = []
    awaited: object = task.get_coro()
    while isinstance(awaited, CoroutineType) and awaited.cr_frame is not None:
        frames.append(awaited.cr_frame)
        awaited = awaited.cr_await
    return frames
