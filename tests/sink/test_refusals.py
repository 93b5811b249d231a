"""What brokers refuse in the middle of a transaction, by the codes they refuse it with: on the sandbox, which can."""

import asyncio
import re
from contextlib import suppress

import pytest

from bridge.config.kafka import Kafka
from bridge.config.units import Duration
from bridge.sandbox.broker.server import Broker
from bridge.sink.batch import Batches
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import LOST, Producer
from bridge.sink.route import Target
from tests.audit.topics import read_topic
from tests.sink.stage import fresh, make

PASSING = {
    "AddPartitionsToTxn": [3, 14, 15, 16, 51],
    "Produce": [3, 5, 6, 7, 19, 20, 56],
    "EndTxn": [14, 15, 16, 51],
}
"""Of Kafka's error codes those that say: later, or ask another."""
LASTING = {
    ("AddPartitionsToTxn", 29): "no permission for topic",
    ("AddPartitionsToTxn", 47): "another producer took over",
    ("AddPartitionsToTxn", 53): "no permission to use transactional id",
    ("AddPartitionsToTxn", 90): "another producer took over",
    ("Produce", 10): r"a batch exceeds the topic's max\.message\.bytes",
    ("Produce", 29): "no permission for topic",
    ("Produce", 45): "OutOfOrderSequenceNumber",
    ("Produce", 47): "another producer took over",
    ("EndTxn", 47): "another producer took over",
    ("EndTxn", 48): "another producer took over",
    ("EndTxn", 90): "another producer took over",
}


def kafka(broker: Broker, **options: object) -> Kafka:
    settings = {"bootstrap_servers": (broker.bootstrap,), "transaction_timeout": Duration(5.0)}
    return Kafka(**{**settings, **options})  # type: ignore[arg-type]


def batch(topic: str, *values: bytes) -> Batches:
    batches = Batches({})
    for number, value in enumerate(values):
        batches.add(Target(topic, number % 2), b"key", value)
    return batches


async def topics(broker: Broker) -> tuple[str, str]:
    records, covers = fresh("records"), fresh("covers")
    await make(broker.bootstrap, records, 2, {"retention.ms": "-1"})
    await make(broker.bootstrap, covers, 1, {"retention.ms": "-1"})
    return records, covers


async def committed(broker: Broker, topic: str) -> list[bytes]:
    return sorted(entry.value for entry in (await read_topic(broker.bootstrap, topic)).entries)


def orders(of: dict[str, list[int]]) -> list[tuple[str, int]]:
    return [(api, code) for api, codes in of.items() for code in codes]


@pytest.mark.parametrize(("api", "code"), orders(PASSING))
async def test_what_passes_is_asked_again(api: str, code: int) -> None:
    """Leaders and coordinators move with every upgrade of a broker: to start over each time would stop all streams."""
    async with Broker() as broker:
        records, covers = await topics(broker)
        producer = await Producer.start(kafka(broker), "bridge.pods")
        broker.refuse(api, code, times=2)

        await producer.publish(batch(records, b"1", b"2"), batch(covers, b"c1"), 1)
        await producer.publish(batch(records, b"3", b"4"), batch(covers, b"c2"), 1)
        await producer.kill()

        assert await committed(broker, records) == [b"1", b"2", b"3", b"4"]
        assert await committed(broker, covers) == [b"c1", b"c2"]


@pytest.mark.parametrize(("api", "code"), LASTING)
async def test_what_lasts_ends_the_producer_and_commits_nothing(api: str, code: int) -> None:
    """And says what it was: to go on would commit a part of the transaction, or wait until its time is over."""
    async with Broker() as broker:
        records, covers = await topics(broker)
        producer = await Producer.start(kafka(broker), "bridge.pods")
        broker.refuse(api, code)

        with pytest.raises(KafkaFault, match=LASTING[api, code]):
            await producer.publish(batch(records, b"1", b"2"), batch(covers, b"c1"), 1)
        with pytest.raises(KafkaFault, match="is dead, a new one must take over"):
            await producer.publish(batch(records, b"1", b"2"), batch(covers, b"c1"), 1)
        successor = await Producer.start(kafka(broker), "bridge.pods")
        await successor.publish(batch(records, b"3"), batch(covers, b"c2"), 1)
        await successor.kill()

        assert (await committed(broker, records), await committed(broker, covers)) == ([b"3"], [b"c2"])


@pytest.mark.parametrize("code", [14, 15, 16, 51])
async def test_a_start_waits_for_a_coordinator_that_moves(code: int) -> None:
    async with Broker() as broker:
        records, covers = await topics(broker)
        broker.refuse("InitProducerId", code, times=2)
        producer = await Producer.start(kafka(broker), "bridge.pods")
        await producer.publish(batch(records, b"1"), batch(covers, b"c1"), 1)
        await producer.kill()

        assert await committed(broker, records) == [b"1"]


@pytest.mark.parametrize(("code", "told"), [(50, "transactionTimeout"), (53, "no permission to use transactional id")])
async def test_a_start_that_is_refused_names_the_setting(code: int, told: str) -> None:
    """Nothing but a change of a setting mends it."""
    async with Broker() as broker:
        broker.refuse("InitProducerId", code)
        with pytest.raises(SettingFault, match=told):
            await Producer.start(kafka(broker), "bridge.pods")


@pytest.mark.parametrize("api", ["AddPartitionsToTxn", "Produce", "EndTxn"])
async def test_an_answer_that_is_lost_ends_the_producer(api: str) -> None:
    """It may have been done or not: the successor's start decides, for records and checkpoint alike."""
    async with Broker() as broker:
        records, covers = await topics(broker)
        producer = await Producer.start(kafka(broker), "bridge.pods")
        holding = asyncio.create_task(producer.hold())
        broker.lose(api)

        with suppress(KafkaFault):
            await producer.publish(batch(records, b"1", b"2"), batch(covers, b"c1"), 1)
        with pytest.raises(KafkaFault, match=re.escape(LOST)):
            await holding
        with pytest.raises(KafkaFault):
            await producer.publish(batch(records, b"more"), batch(covers, b"c2"), 1)
        successor = await Producer.start(kafka(broker), "bridge.pods")
        await successor.kill()

        both = await committed(broker, records), await committed(broker, covers)
        assert both in (([], []), ([b"1", b"2"], [b"c1"]))


async def test_without_transactions_a_lost_answer_is_asked_for_again_and_nothing_is_in_twice() -> None:
    """The broker knows a batch by its number: at-least-once repeats after a crash, not after each broken connection."""
    async with Broker() as broker:
        records, covers = await topics(broker)
        producer = await Producer.start(kafka(broker, delivery="at-least-once"), "bridge.pods")
        broker.lose("Produce")
        await producer.publish(batch(records, b"1", b"2"), batch(covers, b"c1"), 1)
        broker.lose("Produce", times=2)
        await producer.publish(batch(records, b"3", b"4"), batch(covers, b"c2"), 1)
        await producer.kill()

        assert await committed(broker, records) == [b"1", b"2", b"3", b"4"]
        assert await committed(broker, covers) == [b"c1", b"c2"]


async def test_what_never_passes_ends_with_the_transactions_time() -> None:
    """One deadline stands around it all, however often brokers say: later."""
    async with Broker() as broker:
        records, covers = await topics(broker)
        producer = await Producer.start(kafka(broker, transaction_timeout=Duration(1.0)), "bridge.pods")
        broker.refuse("EndTxn", 51, times=10_000)
        with pytest.raises(KafkaFault, match=r"could not commit as bridge\.pods .* within 1 s"):
            await producer.publish(batch(records, b"1"), batch(covers, b"c1"), 1)
