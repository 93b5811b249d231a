"""Reads whole topics, as any consumer would: committed records only, from the beginning to the end of now."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup

from tests.audit.records import Entry, Log

DEADLINE = 120.0
"""For one topic: a test's topics hold some 10,000 records, which take seconds; longer, and a broker is down."""


async def read_topics(bootstrap: str, topics: list[str]) -> list[Log]:
    """Every topic of *topics*, whole. They must exist."""
    return [await read_topic(bootstrap, topic) for topic in topics]


async def read_topic(bootstrap: str, topic: str) -> Log:
    """To the high watermark of now: what is committed may lie for a moment behind the last stable offset, for brokers
    write the marks of a transaction after its producer has been told that it is committed.
    """
    async with asyncio.timeout(DEADLINE):
        async with _consumer(bootstrap, "read_uncommitted") as consumer:
            numbers = await _partitions(consumer, topic)
            ends = await consumer.end_offsets([TopicPartition(topic, number) for number in sorted(numbers)])
        async with _consumer(bootstrap, "read_committed") as consumer:
            return await _read(consumer, topic, ends)


@asynccontextmanager
async def _consumer(bootstrap: str, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level=isolation,
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 << 20,
    )
    _close_what_is_dropped(consumer._client)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


def _close_what_is_dropped(client: AIOKafkaClient) -> None:
    """A connection that a broker has just ended is forgotten by aiokafka, and left open: a leak, for which another test
    would be blamed.
    """
    get: Callable[..., Any] = client._get_conn

    async def get_conn(node: object, *, group: object = ConnectionGroup.DEFAULT, no_hint: bool = False) -> Any:  # noqa: ANN401
        known = client._conns.get((node, group))
        if known is not None and not known.connected():
            known.close()
        return await get(node, group=group, no_hint=no_hint)

    setattr(client, "_get_conn", get_conn)  # noqa: B010 - a method, for the type checker


async def _read(consumer: AIOKafkaConsumer, topic: str, ends: dict[TopicPartition, int]) -> Log:
    partitions = list(ends)
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    entries: list[Entry] = []
    while not all([await consumer.position(tp) >= ends[tp] for tp in partitions]):
        for batch in (await consumer.getmany(timeout_ms=200)).values():
            entries += [Entry(m.topic, m.partition, m.offset, m.key or b"", m.value or b"") for m in batch]
    entries = [entry for entry in entries if entry.offset < ends[TopicPartition(topic, entry.partition)]]
    entries.sort(key=lambda entry: (entry.partition, entry.offset))
    return Log(topic, len(partitions), entries)


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """The partitions of *topic*. A consumer knows only what it asked for, so ask until the broker has told all."""
    for _ in range(50):
        consumer._client.add_topic(topic)  # there is no public way to ask for one topic
        await consumer._client.force_metadata_update()
        if numbers := consumer.partitions_for_topic(topic):
            return set(numbers)
        await asyncio.sleep(0.1)
    raise LookupError(f"no topic {topic}")
