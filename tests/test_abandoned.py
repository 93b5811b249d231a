"""Whose cancellation it is."""

import asyncio

import pytest

from bridge.abandoned import Abandoned, unless_abandoned


async def given_up() -> None:
    """As a library does: a task of its own is cancelled under those who wait for it."""
    task = asyncio.ensure_future(asyncio.sleep(9))
    asyncio.get_running_loop().call_later(1, task.cancel)
    await task


async def test_what_a_library_gives_up_is_a_failure() -> None:
    """Task groups take a cancelled task for one that has ended as it was asked to: nobody would ever know."""
    with pytest.raises(Abandoned):
        await unless_abandoned(given_up())


async def test_what_we_cancel_is_cancelled() -> None:
    """And a deadline stays a deadline."""
    task = asyncio.create_task(unless_abandoned(asyncio.sleep(9)))
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await unless_abandoned(asyncio.sleep(9))
