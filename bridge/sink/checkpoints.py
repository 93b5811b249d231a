"""Reading what was committed of a stream: its checkpoint, and the objects that consumers believe in.

Law: read to the *high watermark*, not to the last stable offset. Streams share the partitions of the checkpoint topic,
each with its own transactions, and another stream's open one holds the last stable offset below what we have committed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint
from bridge.sink import covers
from bridge.sink.addresses import hasten
from bridge.sink.connection import (
    ANSWER,
    END,
    KafkaFault,
    SettingFault,
    abandon,
    connected,
    faults,
    settings,
)
from bridge.sink.covers import Request, Unreadable, Written
from bridge.sink.metadata import topics_of

SWEEP = 10.0
"""Seconds between a broker's looks for transactions to abort, by default
(transaction.abort.timed.out.transaction.cleanup.interval.ms)."""
WAIT_MS = 200
FETCH = 8 * 1024 * 1024
"""Bytes asked for at once: 100,000 index entries are read in 0.2 s (measured)."""
TURN = 1000
"""Records that are unpacked at once: they take ten times what they take packed."""

Message = ConsumerRecord[bytes | None, bytes | None]


class Saved(Struct, frozen=True):
    """What was committed. *index*: key -> uid of every object that consumers believe in. *written*: ms, 0 if never.

    *request* is the last one for a new epoch, followed or not.
    """

    checkpoint: Checkpoint | None
    index: dict[str, str]
    written: int
    request: Request | None = None


class Summary(Struct, frozen=True):
    """What was committed of a stream. *indexed*: how many objects the index holds."""

    written: Written
    partition: int
    indexed: int


async def read(config: Config, stream: str) -> Saved:
    """Everything committed for *stream* before this was called. Complete only if its producer has been started before.

    Waits for other streams' open transactions in the same partition: as long as the broker lets a dead one live.
    """
    own = (stream.encode(), covers.request_key(stream))
    prefix = covers.index_prefix(stream)

    def is_its(key: bytes) -> bool:
        return key in own or key.startswith(prefix)

    topic = config.checkpoint_topic
    patience = config.kafka.transaction_timeout + SWEEP
    async with faults(config.kafka, f"read the checkpoint of {stream} from {topic}", patience + 2 * ANSWER):
        partitions = await _partitions(config)
        if partitions == 0:
            return Saved(None, {}, 0)
        target = covers.target_of(topic, partitions, stream)
        messages = await _latest(config.kafka, [TopicPartition(*target)], is_its, patience)
    return _saved(messages, stream)


async def read_all(config: Config) -> dict[str, Summary]:
    """Of every stream that the checkpoint topic knows, as committed before this was called. Changes nothing.

    Of what is read only the checkpoints are kept: the index of a large cluster would fill the memory.
    """
    topic = config.checkpoint_topic
    patience = config.kafka.transaction_timeout + SWEEP
    async with faults(config.kafka, f"read the checkpoints from {topic}", patience + 4 * ANSWER):
        places = [TopicPartition(topic, number) for number in range(await _partitions(config))]
        if not places:
            return {}
        messages = await _latest(config.kafka, places, lambda key: covers.stream_of(key)[1], patience)
        found = {covers.stream_of(key)[0]: (message, _decoded(message)) for key, message in messages.items()}
        unsure = {stream for stream, (_, written) in found.items() if not _knows(config, written.checkpoint)}
        counted = await _counts(config.kafka, places, unsure, patience) if unsure else {}
    return {
        stream: Summary(written, message.partition, counted.get(stream, written.checkpoint.indexed))
        for stream, (message, written) in found.items()
    }


def _knows(config: Config, checkpoint: Checkpoint) -> bool:
    """Whether it knows the size of the index. Without transactions the two may differ after any crash."""
    is_told = checkpoint.indexed > 0 or checkpoint.began is not None
    return config.kafka.delivery == "exactly-once" and is_told


async def _partitions(config: Config) -> int:
    async with connected(config.kafka) as client:
        found = await topics_of(client, [config.checkpoint_topic])
        return sum(len(topic.leaders) for topic in found.values())


async def _latest(
    kafka: Kafka, places: list[TopicPartition], wanted: Callable[[bytes], bool], patience: float
) -> dict[bytes, Message]:
    """The last committed record of each of the keys, tombstones left out."""
    latest: dict[bytes, Message] = {}
    async with _committed(kafka, places, patience) as messages:
        async for message in messages:
            key = message.key
            if key is None or not wanted(key):
                continue
            if message.value is None:
                latest.pop(key, None)
            else:
                latest[key] = message
    return latest


async def _counts(kafka: Kafka, places: list[TopicPartition], streams: set[str], patience: float) -> dict[str, int]:
    """How many objects are in the index of each of *streams*. Of all that is read only the keys' hashes are kept."""
    known: dict[str, set[int]] = {stream: set() for stream in streams}
    async with _committed(kafka, places, patience) as messages:
        async for message in messages:
            key = message.key or b""
            stream, is_checkpoint = covers.stream_of(key)
            if stream in known and not is_checkpoint:
                (known[stream].discard if message.value is None else known[stream].add)(hash(key))
    return {stream: len(keys) for stream, keys in known.items()}


@asynccontextmanager
async def _committed(
    kafka: Kafka, places: list[TopicPartition], patience: float
) -> AsyncIterator[AsyncIterator[Message]]:
    """Every committed record that there is now."""
    async with reading(kafka, places, "read_uncommitted") as consumer:
        ends = await consumer.end_offsets(places)
    async with reading(kafka, places, "read_committed") as consumer:
        yield _until(consumer, ends, patience)


async def _until(
    consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int], patience: float
) -> AsyncIterator[Message]:
    """Every record before the *ends*, as soon as it is known to be committed."""
    waited, before = time.monotonic(), dict[TopicPartition, int]()
    while True:
        at = {place: await consumer.position(place) for place in ends}
        open_ones = [place for place, end in ends.items() if at[place] < end]
        if not open_ones:
            return
        if at != before:
            waited, before = time.monotonic(), at
        elif time.monotonic() - waited > patience:
            place = open_ones[0]
            raise KafkaFault(
                f"a transaction holds {place.topic}, partition {place.partition}, at offset {at[place]} of"
                f" {ends[place]} for longer than kafka.transactionTimeout ({patience - SWEEP:g}s). Either its owner has"
                " a longer one, or Kafka has lost its end: find it with kafka-transactions.sh find-hanging, abort it"
            )
        for messages in (await consumer.getmany(timeout_ms=WAIT_MS, max_records=TURN)).values():
            for message in messages:
                yield message


def _saved(messages: dict[bytes, Message], stream: str) -> Saved:
    mine = messages.pop(stream.encode(), None)
    asked = messages.pop(covers.request_key(stream), None)
    request = covers.decode_request(asked.value or b"") if asked is not None else None
    cut = len(covers.index_prefix(stream))
    index = {_text(key[cut:], message): _text(message.value, message) for key, message in messages.items()}
    if mine is None:
        return Saved(None, index, 0, request)
    written = _decoded(mine)
    return Saved(written.checkpoint, index, written.written, request)


def _decoded(message: Message) -> Written:
    try:
        return covers.decode(message.value or b"")
    except Unreadable as error:
        raise SettingFault(f"{_name(message)} {error}") from error


def _text(data: bytes | None, message: Message) -> str:
    try:
        return (data or b"").decode()
    except UnicodeDecodeError as error:
        raise KafkaFault(f"{_name(message)} is no index entry: {error}") from error


def _name(message: Message) -> str:
    key = (message.key or b"").decode(errors="replace")
    return f"the record in {message.topic}, partition {message.partition}, offset {message.offset}, key {key}"


@asynccontextmanager
async def reading(
    kafka: Kafka, places: list[TopicPartition], isolation: str, **more: object
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of *places*, in no group, from where they begin. *more* goes over its settings. Its end is bounded."""
    options = settings(kafka) | {
        "isolation_level": isolation,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        "max_partition_fetch_bytes": FETCH,
    }
    consumer = AIOKafkaConsumer(**options | more)
    hasten(consumer._client, kafka, ANSWER)  # noqa: SLF001
    consumer.assign(places)
    try:
        await consumer.start()
        yield consumer
    finally:
        stopping = asyncio.ensure_future(consumer.stop())
        await asyncio.wait({stopping}, timeout=END)
        await abandon(consumer._client, lambda: (stopping,))  # noqa: SLF001 - its stop has no deadline
