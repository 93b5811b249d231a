"""A cancellation that nobody here has asked for is a failure like any other.

Libraries cancel tasks of their own, as aiohttp those that look a name up when a pool is closed, and whoever waits for
them is told in the same words as by us. Taken for our own it would end a stream without a word.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Abandoned(ConnectionError):  # noqa: N818 - says what became of it
    """A library gave up what was waited for."""


def is_asked_for() -> bool:
    """Whether the task that has just got a `CancelledError` is being cancelled."""
    task = asyncio.current_task()
    assert task is not None, "only tasks wait"
    return task.cancelling() > 0


async def unless_abandoned(work: Awaitable[T]) -> T:
    """What *work* gives. `CancelledError` comes out of it only if the task that waits is being cancelled."""
    try:
        return await work
    except asyncio.CancelledError as error:
        if is_asked_for():
            raise
        raise Abandoned("given up by a library") from error
