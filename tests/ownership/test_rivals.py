"""A bridge that is alone, and replicas of its name: it waits for them, and nobody is thrown out in turn."""

import asyncio

from bridge.ownership.rivals import LOOK, Rivals
from bridge.sandbox.broker.server import Broker
from tests.ownership.test_member import config_of, replicas

GROUP_AUTHORIZATION_FAILED = 30


async def test_who_is_alone_begins_at_once() -> None:
    async with Broker() as broker:
        rivals = Rivals(config_of(broker))
        running = asyncio.ensure_future(rivals.run())
        await asyncio.wait_for(rivals.owned(1), 1)
        assert rivals.left(1) > 0
        running.cancel()
        await asyncio.wait({running})


async def test_who_is_alone_waits_while_replicas_run() -> None:
    """In whatever order they were started: without transactions both would write."""
    async with Broker() as broker:
        rivals = Rivals(config_of(broker))
        running = asyncio.ensure_future(rivals.run())
        await rivals.owned(1)
        async with replicas(config_of(broker), "a") as (a,):
            await asyncio.sleep(LOOK)
            assert rivals.left(1) == 0
            waiting = asyncio.ensure_future(rivals.owned(1))
            await asyncio.sleep(60)
            assert not waiting.done()
            await a.stop()
            await asyncio.wait_for(waiting, 2 * LOOK)
        running.cancel()
        await asyncio.wait({running})


async def test_who_may_not_ask_goes_on() -> None:
    """A standalone bridge needs no right on the group, and Kafka may be away."""
    async with Broker() as broker:
        broker.refuse("FindCoordinator", GROUP_AUTHORIZATION_FAILED, times=100)
        rivals = Rivals(config_of(broker))
        running = asyncio.ensure_future(rivals.run())
        await asyncio.wait_for(rivals.owned(1), 1)
        assert rivals.left(1) > 0
        running.cancel()
        await asyncio.wait({running})
