"""The bridge's promise while Kafka goes wrong in every way that can be ordered: quick, for the clock jumps.

On a real Kafka that is killed: tests/integration/test_promise.py. Here answers are lost and refused at each step, which
cannot be had there.
"""

import asyncio
import random

import pytest

from bridge.model.checkpoint import Resume
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.server import Broker
from bridge.sink.connection import KafkaFault
from bridge.sink.writer import Opened
from tests.sink.stage import Stage, change, listed, restarted, stage, synced

FIRST, LAST = 100, 125
STEPS = ("AddPartitionsToTxn", "Produce", "EndTxn", "InitProducerId")
MOVING = (14, 15, Code.CONCURRENT_TRANSACTIONS)
"""The coordinator loads, is away, or is busy."""
REFUSALS = {
    "AddPartitionsToTxn": (*MOVING, Code.UNKNOWN_TOPIC_OR_PARTITION, Code.INVALID_PRODUCER_EPOCH),
    "Produce": (Code.NOT_LEADER_OR_FOLLOWER, 7, 19, Code.MESSAGE_TOO_LARGE, Code.OUT_OF_ORDER_SEQUENCE_NUMBER),
    "EndTxn": (*MOVING, Code.INVALID_PRODUCER_EPOCH),
    "InitProducerId": MOVING,
}
"""7 is REQUEST_TIMED_OUT, 19 NOT_ENOUGH_REPLICAS."""


async def disturb(broker: Broker, at: Stage, chance: random.Random) -> None:
    """What happens next, or during what is done next."""
    api = chance.choice(STEPS)
    match chance.randrange(6):
        case 0:
            broker.lose(api)
        case 1:
            broker.refuse(api, chance.choice(REFUSALS[api]), times=chance.randint(1, 3))
        case 2:
            await broker.stop()
            await asyncio.sleep(chance.uniform(0, 8))
            await broker.start()
        case 3:
            broker.unlead(at.topic, 0)
            asyncio.get_running_loop().call_later(chance.uniform(0, 8), broker.lead, at.topic, 0)
        case _:
            pass


async def opened(at: Stage) -> Opened:
    """As the stream does: until it succeeds."""
    for _ in range(100):
        try:
            return await at.open()
        except KafkaFault:
            await asyncio.sleep(1)
    pytest.fail("the stream cannot be taken over any more")


async def go_on(at: Stage, broker: Broker, chance: random.Random) -> int:
    """From where the checkpoint is until something breaks, or to the end. Returns how far it got for sure."""
    stream = await opened(at)
    assert isinstance(stream.start, Resume)
    version = int(stream.start.position.version)
    try:
        while version < LAST:
            await disturb(broker, at, chance)
            many = chance.randint(1, 5)
            await stream.writer.write([change(f"o{n % 3}", n) for n in range(version + 1, version + many + 1)])
            version += many
    except KafkaFault:
        pass
    finally:
        await stream.writer.kill()
    return version


@pytest.mark.parametrize("seed", range(3))
async def test_every_change_is_told_once_and_in_order(seed: int) -> None:
    chance = random.Random(seed)
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=2)
        first = await at.open()
        await first.writer.write([restarted(1000), *(listed(f"o{n}", n) for n in range(3)), synced(1000, FIRST)])
        await first.writer.kill()
        broker.delay(0.2)  # or a client that asks again and again would stop the clock

        end = FIRST
        while end < LAST:
            end = await go_on(at, broker, chance)

        broker.lead(at.topic, 0)
        told = await at.values()

    versions = {n: [int(v["resourceVersion"]) for v in values if v["type"] == "MODIFIED"] for n, values in told.items()}
    assert sorted(version for found in versions.values() for version in found) == list(range(FIRST + 1, end + 1))
    assert all(found == sorted(found) for found in versions.values())
