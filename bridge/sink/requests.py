"""Requests for a new epoch: an operator's command writes them beside the checkpoint, the stream's owner hears of them.

The truth is the record in the checkpoint topic: whoever takes over a stream reads it with the checkpoint, which says
whether it has been followed. What is heard here only makes a running stream look again, and may come twice.
"""

import asyncio
import time
import uuid
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from msgspec.structs import replace

from bridge.config.tree import Config
from bridge.retry import Backoff
from bridge.sink import covers, topics
from bridge.sink.batch import Batches
from bridge.sink.checkpoints import reading
from bridge.sink.connection import ANSWER, KafkaFault, faults
from bridge.sink.covers import FORMAT, Request
from bridge.sink.producer import Producer

LISTEN = 1.0
"""Seconds that a broker gathers what it sends us: a busy bridge's own checkpoints come by here, too."""
GATHERED = 1024 * 1024
RENEW = 300.0
"""Seconds after which we begin again from `bootstrapServers`: aiokafka's client never returns to them by itself."""
LONGEST_WAIT = 10.0


async def ask(config: Config, stream: str, by: str) -> Request:
    """Ask for a new epoch of *stream*. Returns when Kafka has it."""
    request = Request(FORMAT, uuid.uuid4().hex, time.time_ns() // 1_000_000, by)
    topic = await topics.ensure_checkpoints(config)
    place = covers.target_of(topic.name, topic.partitions, stream)
    batches = Batches({})
    batches.add(place, covers.request_key(stream), covers.encode_request(request))
    producer = await Producer.start(replace(config.kafka, delivery="at-least-once"), f"{config.name} resync")
    try:
        await producer.track([topic.name])
        await producer.publish(Batches({}), batches, request.time)
    finally:
        await producer.kill()
    return request


class Requests:
    """Owns one consumer, while `run` lasts, of the checkpoint topic's partitions that are *ours*.

    A partition is followed from its end. So whoever awaits `follow` and reads the checkpoint afterwards misses nothing.
    """

    def __init__(self, config: Config, ours: Callable[[int], bool] = lambda _: True) -> None:
        self._config = config
        self._ours = ours
        self._wanted: set[int] = set()
        self._positions: dict[int, int] = {}
        self._pending: dict[str, str] = {}
        self._changed, self._moved, self._heard = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._failures = 0
        self._failure = ""
        self._backoff = Backoff(LONGEST_WAIT)

    async def follow(self, partition: int) -> None:
        """Raises `KafkaFault` where that cannot be: to be tried again."""
        self._wanted.add(partition)
        self._changed.set()
        before = self._failures
        while partition not in self._positions:
            if self._failures > before:
                raise KafkaFault(self._failure)
            self._moved.clear()
            await self._moved.wait()

    async def asked(self, stream: str, known: str) -> None:
        """Wait until a request is heard whose id is not *known*."""
        while self._pending.pop(stream, known) == known:
            self._heard.clear()
            await self._heard.wait()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                if not self._wanted:
                    await self._changed.wait()
                await self._listen()
            except KafkaFault as fault:
                self._failures += 1
                self._failure = str(fault)
                self._moved.set()
                await asyncio.sleep(self._backoff.next())

    async def _listen(self) -> None:
        topic, kafka = self._config.checkpoint_topic, self._config.kafka
        doing = f"follow the requests in {topic}"
        async with faults(kafka, doing, 3 * ANSWER):
            topics.assert_led([await topics.ensure_checkpoints(self._config)])
        places = [TopicPartition(topic, number) for number in sorted(self._wanted)]
        gathering = {"fetch_max_wait_ms": int(1000 * LISTEN), "fetch_min_bytes": GATHERED}
        loop = asyncio.get_running_loop()
        until = loop.time() + RENEW
        async with (
            faults(kafka, doing, RENEW + 3 * ANSWER),
            reading(kafka, places, "read_uncommitted", auto_offset_reset="latest", **gathering) as consumer,
        ):
            followed: set[int] = set()
            while loop.time() < until:
                followed = await self._assign(consumer, followed)
                _assert_led(consumer)
                await self._hear(consumer)
                self._backoff.reset()

    async def _assign(self, consumer: AIOKafkaConsumer, followed: set[int]) -> set[int]:
        self._changed.clear()
        self._wanted = {number for number in self._wanted if self._ours(number)}
        self._positions = {number: at for number, at in self._positions.items() if number in self._wanted}
        if followed == self._wanted:
            return followed
        topic = self._config.checkpoint_topic
        places = {number: TopicPartition(topic, number) for number in self._wanted}
        new = [place for number, place in places.items() if number not in self._positions]
        if new:
            self._positions |= await self._ends(new)
        consumer.assign(list(places.values()))
        for number, place in places.items():
            consumer.seek(place, self._positions[number])
        self._moved.set()
        return set(places)

    async def _ends(self, places: list[TopicPartition]) -> dict[int, int]:
        """By another connection: on ours, a question waits until the fetch that is under way has been answered."""
        kafka, doing = self._config.kafka, f"follow the requests in {self._config.checkpoint_topic}"
        async with faults(kafka, doing, ANSWER), reading(kafka, places, "read_uncommitted") as consumer:
            ends = await consumer.end_offsets(places)
        return {place.partition: end for place, end in ends.items()}

    async def _hear(self, consumer: AIOKafkaConsumer) -> None:
        """What has come, or nothing, as soon as other partitions are to be followed."""
        changed = asyncio.ensure_future(self._changed.wait())
        coming = asyncio.ensure_future(consumer.getmany(timeout_ms=int(1000 * LISTEN)))
        try:
            await asyncio.wait({changed, coming}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            coming.cancel()
            await asyncio.wait({changed, coming})
        if coming.cancelled():
            return
        for place, messages in coming.result().items():
            for message in messages:
                self._note(message)
                self._positions[place.partition] = message.offset + 1

    def _note(self, message: ConsumerRecord[bytes | None, bytes | None]) -> None:
        stream = covers.stream_of_request(message.key or b"")
        request = covers.decode_request(message.value or b"") if stream is not None else None
        if stream is not None and request is not None:
            self._pending[stream] = request.id
            self._heard.set()


def _assert_led(consumer: AIOKafkaConsumer) -> None:
    """Raise where a partition has no leader: aiokafka would ask for metadata without a pause until it has one."""
    cluster = consumer._client.cluster  # noqa: SLF001
    for place in consumer.assignment():
        if cluster.leader_for_partition(place) in (None, -1):
            raise topics.headless(place.topic, [place.partition])
