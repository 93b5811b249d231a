"""The proof of ownership where it guards: after the fence, and before each send that nothing fences."""

import asyncio
from math import inf

import pytest

from bridge.sandbox.broker.server import Broker
from bridge.sink.connection import KafkaFault
from bridge.sink.writer import Writer
from tests.sink.stage import change, listed, restarted, stage, synced

NOT_LEADER = 6


async def test_who_was_frozen_in_the_middle_of_a_take_over_gives_up() -> None:
    """It was ours when we began; the producer took seconds to start, and another replica has it."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)

        with pytest.raises(KafkaFault, match="may be another replica's"):
            await Writer.open(at.config, at.spec, at.identity(), proof=lambda: 0)


async def test_without_transactions_nothing_is_sent_without_proof() -> None:
    """Nothing fences an idempotent producer: the clock must."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1, delivery="at-least-once")
        is_ours = True
        opened = await Writer.open(at.config, at.spec, at.identity(), proof=lambda: inf if is_ours else 0)
        await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        is_ours = False

        with pytest.raises(KafkaFault, match="may be another replica's"):
            await opened.writer.write([change("x", 101)])
        values = (await at.values())[0]

    assert [value["type"] for value in values] == ["RESTARTED", "LISTED", "SYNCED"]


async def test_with_transactions_the_broker_decides() -> None:
    """A coordinator of groups that is slow must not stop streams that nobody has taken."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1)
        is_ours = True
        opened = await Writer.open(at.config, at.spec, at.identity(), proof=lambda: inf if is_ours else 0)
        await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        is_ours = False
        await opened.writer.write([change("x", 101)])
        await opened.writer.close()
        values = (await at.values())[0]

    assert [value["type"] for value in values] == ["RESTARTED", "LISTED", "SYNCED", "MODIFIED"]


async def test_a_send_ends_when_its_proof_ends() -> None:
    """A broker that refuses for a while is asked again and again: in the end for what another replica has said."""
    async with Broker() as broker:
        loop = asyncio.get_running_loop()
        at = stage(broker.bootstrap, partitions=1, delivery="at-least-once")
        until = inf
        opened = await Writer.open(at.config, at.spec, at.identity(), proof=lambda: until - loop.time())
        await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        began = loop.time()
        until = began + 2
        broker.refuse("Produce", NOT_LEADER, times=40)

        with pytest.raises(KafkaFault):
            await opened.writer.write([change("x", 101)])
        took = loop.time() - began
        await asyncio.sleep(60)
        values = (await at.values())[0]

    assert 2 <= took < 3
    assert [value["type"] for value in values] == ["RESTARTED", "LISTED", "SYNCED"]
