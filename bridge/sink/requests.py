"""Requests for a new epoch: an operator's command writes them beside the checkpoint, the stream's owner hears of them.

The truth is the record in the checkpoint topic: whoever takes over a stream reads it with the checkpoint, which says
whether it has been followed. What is heard here only makes a running stream look again, and may come twice.

A request never is part of a transaction, and checkpoints always are where they are written exactly once: so they are
passed over without being unpacked, which aiokafka's consumer cannot do (a twentieth of a busy bridge's CPU).
"""

import asyncio
import time
import uuid
from collections.abc import Callable

from aiokafka import TopicPartition, errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords
from msgspec.structs import replace

from bridge.config.tree import Config
from bridge.retry import Backoff
from bridge.sink import covers, topics
from bridge.sink.batch import Batches
from bridge.sink.checkpoints import FETCH, reading
from bridge.sink.connection import ANSWER, KafkaFault, connected, faults, together
from bridge.sink.coordinator import OK, PAUSE, passes
from bridge.sink.covers import FORMAT, Request
from bridge.sink.metadata import topics_of
from bridge.sink.producer import Producer

LISTEN = 1.0
"""Seconds that a broker gathers what it sends us: a busy bridge's own checkpoints come by here, too."""
GATHERED = 1024 * 1024
RENEW = 300.0
"""Seconds after which we begin again from `bootstrapServers`: aiokafka's client never returns to them by itself."""
LONGEST_WAIT = 10.0
OUT_OF_RANGE = 1


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
    """Owns where it has read to, in each of the checkpoint topic's partitions that are *ours*.

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
        loop = asyncio.get_running_loop()
        until = loop.time() + RENEW
        async with faults(kafka, doing, RENEW + 3 * ANSWER), connected(kafka) as client:
            leaders: list[int] = []
            while self._wanted and loop.time() < until:
                await self._assign()
                leaders = leaders or await self._leaders(client)
                if not await self._hear(client, leaders):
                    leaders = []
                    await asyncio.sleep(PAUSE)
                self._backoff.reset()

    async def _assign(self) -> None:
        """Begin with partitions that are new, forget those that are no longer ours."""
        self._changed.clear()
        self._wanted = {number for number in self._wanted if self._ours(number)}
        self._positions = {number: at for number, at in self._positions.items() if number in self._wanted}
        topic = self._config.checkpoint_topic
        new = [TopicPartition(topic, number) for number in sorted(self._wanted) if number not in self._positions]
        if new:
            self._positions |= await self._ends(new)
        self._moved.set()

    async def _leaders(self, client: AIOKafkaClient) -> list[int]:
        """Of all partitions of the topic, in order."""
        topic = self._config.checkpoint_topic
        known = (await topics_of(client, [topic])).get(topic)
        if known is None:
            raise KafkaFault(f"topic {topic} was deleted under us: starting over")
        leaders = known.leaders
        if headless := [number for number in sorted(self._positions) if leaders[number] == -1]:
            raise topics.headless(topic, headless)
        return leaders

    async def _ends(self, places: list[TopicPartition]) -> dict[int, int]:
        """By another connection: on ours, a question waits until the fetch that is under way has been answered."""
        kafka, doing = self._config.kafka, f"follow the requests in {self._config.checkpoint_topic}"
        async with faults(kafka, doing, ANSWER), reading(kafka, places, "read_uncommitted") as consumer:
            ends = await consumer.end_offsets(places)
        return {place.partition: end for place, end in ends.items()}

    async def _hear(self, client: AIOKafkaClient, leaders: list[int]) -> bool:
        """What has come, or nothing, as soon as other partitions are to be followed. False: others lead by now."""
        of: dict[int, dict[int, int]] = {}
        for number, at in self._positions.items():
            of.setdefault(leaders[number], {})[number] = at
        changed = asyncio.ensure_future(self._changed.wait())
        coming = asyncio.ensure_future(_fetched(client, self._config.checkpoint_topic, of))
        try:
            await asyncio.wait({changed, coming}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            coming.cancel()
            await asyncio.wait({changed, coming})
        told = [] if coming.cancelled() else [self._read(*said) for said in coming.result()]
        return all(told)

    def _read(self, number: int, code: int, records: bytes) -> bool:
        """What a partition holds from its position on. False: another broker leads it by now."""
        if code == OUT_OF_RANGE:
            del self._positions[number]  # cut off with its leader, or made anew: from its end, as at first
            return True
        if code != OK:
            error = errors.for_code(code)(self._config.checkpoint_topic)
            if passes(error):
                return False
            raise error
        found = MemoryRecords(records)
        while (batch := found.next_batch()) is not None:
            if not (batch.is_control_batch or batch.is_transactional):
                if not batch.validate_crc():
                    raise errors.CorruptRecordException(self._config.checkpoint_topic)
                for record in batch:
                    if record.offset >= self._positions[number]:
                        self._note(record.key or b"", record.value or b"")
            self._positions[number] = batch.next_offset
        return True

    def _note(self, key: bytes, value: bytes) -> None:
        stream = covers.stream_of_request(key)
        request = covers.decode_request(value) if stream is not None else None
        if stream is not None and request is not None:
            self._pending[stream] = request.id
            self._heard.set()


async def _fetched(client: AIOKafkaClient, topic: str, of: dict[int, dict[int, int]]) -> list[tuple[int, int, bytes]]:
    """Number, error and records of each partition, from its position on. *of* has the positions of each leader."""
    asked = []
    for leader, positions in of.items():
        wanted = [(number, at, FETCH) for number, at in positions.items()]
        request = FetchRequest(int(1000 * LISTEN), GATHERED, FETCH, 0, [(topic, wanted)])
        asked.append(client.send(leader, request))
    topics_told = [told for answer in await together(asked) for told in answer.topics]
    return [(number, code, records) for _, parts in topics_told for number, code, *_, records in parts]
