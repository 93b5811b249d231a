"""Reading what was committed of a stream: its checkpoint, and the objects that consumers believe in.

Law: read to the *high watermark*, not to the last stable offset. Streams share the partitions of the checkpoint topic,
each with its own transactions, and another stream's open one holds the last stable offset below what we have committed.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint
from bridge.sink import covers
from bridge.sink.connection import (
    ANSWER,
    END,
    KafkaFault,
    SettingFault,
    abandon,
    connected,
    faults,
    settings,
    topics_of,
)
from bridge.sink.covers import Unreadable

SWEEP = 10.0
"""Seconds between a broker's looks for transactions to abort, by default
(transaction.abort.timed.out.transaction.cleanup.interval.ms)."""
WAIT_MS = 200
FETCH = 8 * 1024 * 1024
"""Bytes asked for at once: 100,000 index entries are read in 0.2 s (measured)."""

Message = ConsumerRecord[bytes | None, bytes | None]


class Saved(Struct, frozen=True):
    """What was committed. *index*: key -> uid of every object that consumers believe in. *written*: ms, 0 if never."""

    checkpoint: Checkpoint | None
    index: dict[str, str]
    written: int


async def read(config: Config, stream: str) -> Saved:
    """Everything committed for *stream* before this was called. Complete only if its producer has been started before.

    Waits for other streams' open transactions in the same partition: as long as the broker lets a dead one live.
    """
    topic = config.checkpoint_topic
    patience = config.kafka.transaction_timeout + SWEEP
    async with faults(config.kafka, f"read the checkpoint of {stream} from {topic}", patience + 2 * ANSWER):
        async with connected(config.kafka) as client:
            partitions = len((await topics_of(client, [topic])).get(topic, ()))
        if partitions == 0:
            return Saved(None, {}, 0)
        target = covers.target_of(topic, partitions, stream)
        messages = await _latest(config.kafka, TopicPartition(*target), stream, patience)
    return _saved(messages, stream)


async def _latest(kafka: Kafka, place: TopicPartition, stream: str, patience: float) -> dict[bytes, Message]:
    """The last committed record of each of the stream's keys, tombstones left out."""
    own, prefix = stream.encode(), covers.index_prefix(stream)
    async with _consumer(kafka, place, "read_uncommitted") as consumer:
        end = (await consumer.end_offsets([place]))[place]
    latest: dict[bytes, Message] = {}
    async with _consumer(kafka, place, "read_committed") as consumer:
        async for message in _until(consumer, place, end, patience):
            key = message.key
            if key is None or not (key == own or key.startswith(prefix)):
                continue
            if message.value is None:
                latest.pop(key, None)
            else:
                latest[key] = message
    return latest


async def _until(
    consumer: AIOKafkaConsumer, place: TopicPartition, end: int, patience: float
) -> AsyncIterator[Message]:
    """Every record before offset *end*, as soon as it is known to be committed."""
    waited = time.monotonic()
    while (at := await consumer.position(place)) < end:
        messages = (await consumer.getmany(timeout_ms=WAIT_MS)).get(place, ())
        for message in messages:
            yield message
        if await consumer.position(place) > at:
            waited = time.monotonic()
        elif time.monotonic() - waited > patience:
            raise KafkaFault(
                f"a transaction holds {place.topic}, partition {place.partition}, at offset {at} of {end} for longer"
                f" than kafka.transactionTimeout ({patience - SWEEP:g}s). Either its owner has a longer one, or Kafka"
                " has lost its end: find it with kafka-transactions.sh find-hanging, and abort it"
            )


def _saved(messages: dict[bytes, Message], stream: str) -> Saved:
    mine = messages.pop(stream.encode(), None)
    cut = len(covers.index_prefix(stream))
    index = {_text(key[cut:], message): _text(message.value, message) for key, message in messages.items()}
    if mine is None:
        return Saved(None, index, 0)
    try:
        written = covers.decode(mine.value or b"")
    except Unreadable as error:
        raise SettingFault(f"{_name(mine)} {error}") from error
    return Saved(written.checkpoint, index, written.written)


def _text(data: bytes | None, message: Message) -> str:
    try:
        return (data or b"").decode()
    except UnicodeDecodeError as error:
        raise KafkaFault(f"{_name(message)} is no index entry: {error}") from error


def _name(message: Message) -> str:
    key = (message.key or b"").decode(errors="replace")
    return f"the record in {message.topic}, partition {message.partition}, offset {message.offset}, key {key}"


@asynccontextmanager
async def _consumer(kafka: Kafka, place: TopicPartition, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH,
        **settings(kafka),
    )
    consumer.assign([place])
    try:
        await consumer.start()
        yield consumer
    finally:
        stopping = asyncio.ensure_future(consumer.stop())
        await asyncio.wait({stopping}, timeout=END)
        await abandon(consumer._client, lambda: (stopping,))  # noqa: SLF001 - its stop has no deadline
