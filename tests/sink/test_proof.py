"""The proof of ownership where it guards: after the fence, and before each send that nothing fences."""

import asyncio
from math import inf
from sys import maxsize

import pytest

from bridge.model.checkpoint import Restart, Resume
from bridge.model.event import ChangeType, Event, RestartReason
from bridge.model.resource import object_key
from bridge.sandbox.broker.server import Broker
from bridge.sink.connection import KafkaFault
from bridge.sink.hanging import Unsettled
from bridge.sink.producer import Producer
from bridge.sink.writer import Opened, Writer
from tests.sink.stage import Stage, change, listed, restarted, stage, synced

NOT_LEADER = 6


async def test_who_was_frozen_in_the_middle_of_a_take_over_gives_up() -> None:
    """It was ours when we began; the producer took seconds to start, and another replica has it."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)

        with pytest.raises(KafkaFault, match="may be another replica's"):
            await Writer.open(at.config, at.spec, at.identity(), proof=lambda: 0)


async def test_a_verdict_is_kept_when_the_proof_has_lapsed() -> None:
    """Kafka tells it once. The next attempt would take what was committed for aborted, and lose what hangs of it."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1)
        opened = await at.open()
        await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        await opened.writer.close()
        unsettled = Unsettled()
        with pytest.raises(KafkaFault, match="may be another replica's"):
            await Writer.open(at.config, at.spec, at.identity(), unsettled, proof=lambda: 0)

        again = await Producer.start(at.config.kafka, f"{at.config.name}.{at.spec.name}", unsettled)
        verdict = again._verdict
        await again.kill()

    assert verdict is not None
    assert verdict.committed


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


async def cut_short(broker: Broker, at: Stage, events: list[Event]) -> Opened:
    """The stream as its successor finds it: *events* were told, and who told them was gone before it could say more."""

    def told() -> int:
        topic = broker._topics.get(at.topic)
        return topic.logs[0].end if topic is not None else 0

    limit = maxsize
    opened = await Writer.open(at.config, at.spec, at.identity(), proof=lambda: inf if told() < limit else 0)
    await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
    limit = told() + 1
    with pytest.raises(KafkaFault):
        await opened.writer.write(events)
    assert told() == limit
    return await at.open()


async def test_without_transactions_what_was_told_is_never_forgotten() -> None:
    """It may be gone when somebody looks again: who does not know it could not say so, and it would be a ghost."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1, delivery="at-least-once")
        successor = await cut_short(broker, at, [change("y", 101, ChangeType.ADDED, fresh=True)])
        await successor.writer.close()

    assert successor.index == {object_key("pods", "a", name): f"uid-{name}" for name in "xy"}
    assert isinstance(successor.start, Resume)


async def test_without_transactions_an_epoch_that_was_told_is_ended() -> None:
    """Who goes on in the epoch before would leave consumers in a relist for ever: what is old they drop."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1, delivery="at-least-once")
        previous = synced(1000, 100).position
        successor = await cut_short(broker, at, [restarted(2000, RestartReason.EXPIRED, previous)])
        await successor.writer.close()

    assert isinstance(successor.start, Restart)
    assert (successor.start.reason, successor.start.epoch) == (RestartReason.INTERRUPTED, 2000)
    assert successor.start.previous == previous


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
