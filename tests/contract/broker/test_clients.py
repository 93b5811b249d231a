"""Whole conversations of aiokafka, which the bridge and its consumers use, with either broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from tests.audit.topics import read_topic
from tests.contract.broker.brokers import Kafka, Server
from tests.contract.broker.client import connected
from tests.contract.broker.test_transactions import stable
from tests.sink.stage import fresh, make


@asynccontextmanager
async def consuming(broker: Server, topic: str, group: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
        heartbeat_interval_ms=300,
        session_timeout_ms=6000,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


@asynccontextmanager
async def producing(broker: Server, name: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, transactional_id=name, compression_type="zstd")
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def read(consumers: list[AIOKafkaConsumer], count: int) -> list[bytes]:
    """So many records, in whatever order partitions are read."""
    found: list[bytes] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            for consumer in consumers:
                for messages in (await consumer.getmany(timeout_ms=100)).values():
                    found += [message.value or b"" for message in messages]
    return sorted(found)


async def test_transactions_are_whole_or_not_there(kafka: Kafka) -> None:
    topic, name = fresh("whole"), fresh("id")
    async with kafka() as broker:
        await make(broker.bootstrap, topic, 2)
        async with producing(broker, name) as producer:
            for round_ in range(4):
                await producer.begin_transaction()
                for number in range(6):
                    await producer.send(topic, b"%d-%d" % (round_, number), partition=number % 2)
                await (producer.abort_transaction() if round_ % 2 else producer.commit_transaction())
        log = await read_topic(broker.bootstrap, topic)

    values = [(entry.partition, entry.value) for entry in log.entries]
    assert values == [(p, b"%d-%d" % (r, n)) for p in (0, 1) for r in (0, 2) for n in range(p, 6, 2)]


async def test_a_fenced_producer_is_told_so(kafka: Kafka) -> None:
    topic, name = fresh("fenced"), fresh("id")
    async with kafka() as broker:
        await make(broker.bootstrap, topic, 1)
        async with producing(broker, name) as old:
            await old.begin_transaction()
            await old.send_and_wait(topic, b"left")
            async with producing(broker, name) as new:
                with pytest.raises(ProducerFenced):
                    await (await old.send(topic, b"zombie"))
                async with new.transaction():
                    await new.send(topic, b"new")
        log = await read_topic(broker.bootstrap, topic)

    assert [entry.value for entry in log.entries] == [b"new"]


async def test_a_group_shares_a_topic_and_goes_on_where_it_was(kafka: Kafka) -> None:
    topic, group = fresh("shared"), fresh("group")
    async with kafka() as broker:
        await make(broker.bootstrap, topic, 4)
        async with consuming(broker, topic, group) as one:
            async with consuming(broker, topic, group) as two, producing(broker, fresh("id")) as producer:
                async with asyncio.timeout(60):
                    while (len(one.assignment()), len(two.assignment())) != (2, 2):
                        await asyncio.gather(one.getmany(timeout_ms=100), two.getmany(timeout_ms=100))
                async with producer.transaction():
                    for number in range(8):
                        await producer.send(topic, b"%d" % number, partition=number % 4)
                first = await read([one, two], 8)
                await one.commit()
                await two.commit()
                async with producer.transaction():
                    for number in range(8, 12):
                        await producer.send(topic, b"%d" % number, partition=number % 4)
            async with asyncio.timeout(60):
                while len(one.assignment()) != 4:
                    await one.getmany(timeout_ms=100, max_records=1)
        async with consuming(broker, topic, group) as three:
            second = await read([three], 4)

    assert first == sorted(b"%d" % number for number in range(8))
    assert second == sorted(b"%d" % number for number in range(8, 12))


async def test_a_compacted_topic_is_read_over_its_holes(kafka: Kafka) -> None:
    """To the end, though its last records are gone."""
    topic, settings = (
        fresh("holes"),
        {"cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0"},
    )
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await make(broker.bootstrap, topic, 1, settings)
        async with producing(broker, fresh("id")) as producer:
            for round_ in range(3):
                async with producer.transaction():
                    for key in (b"a", b"b"):
                        await producer.send(topic, b"%d" % round_, key=key)
        await stable(client, topic, 9)
        await broker.compact(topic)
        log = await read_topic(broker.bootstrap, topic)
        end = (await client.offset(topic, -1))[2]

    assert [(entry.offset, entry.key, entry.value) for entry in log.entries] == [
        (6, b"a", b"2"),
        (7, b"b", b"2"),
        (9, b"last", b"last"),
    ]
    assert end == 10


async def test_what_was_acknowledged_outlives_a_restart(restartable: Kafka) -> None:
    """Connections are cut; records, groups' offsets and a producer's place are kept, on the same port."""
    topic, group = fresh("kept"), fresh("group")
    async with restartable() as broker:
        await make(broker.bootstrap, topic, 1)
        async with consuming(broker, topic, group) as consumer, producing(broker, fresh("id")) as producer:
            async with producer.transaction():
                await producer.send(topic, b"1")
            first = await read([consumer], 1)
            await consumer.commit()
            await broker.restart()
            async with asyncio.timeout(60), producer.transaction():
                await producer.send(topic, b"2")
            second = await read([consumer], 1)
            committed = await consumer.committed(TopicPartition(topic, 0))
        log = await read_topic(broker.bootstrap, topic)

    assert (first, second) == ([b"1"], [b"2"])
    assert committed in (1, 2), "the mark of the end may have been read as well"
    assert [entry.value for entry in log.entries] == [b"1", b"2"]
