"""The demo's consumer: reads the topics as any other would, keeps every record, and follows them by the markers."""

import asyncio
from collections.abc import Callable, Iterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from bridge.consumer.follower import Follower
from bridge.consumer.records import Keyed, read
from bridge.consumer.state import Log
from bridge.consumer.stores.memory import MemoryStore

WAIT_MS = 100


class Reading:
    """Owns what was read."""

    def __init__(self, bootstrap: str, topics: dict[str, int]) -> None:
        self.records: list[Keyed] = []
        self._bootstrap = bootstrap
        self._places = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        self._hearers: list[Callable[[Keyed, int], None]] = []
        self._store = MemoryStore()
        self._follower = Follower(self._store)

    def now(self) -> dict[str, str]:
        """Key -> version of every object that this consumer believes in."""
        return {key: held.version for _, key, held in self._store.objects()}

    def hear(self, told: Callable[[Keyed, int], None]) -> None:
        """*told* hears of every record, and of the partition that it was in."""
        self._hearers.append(told)

    async def run(self) -> None:
        """Read until cancelled."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        consumer.assign(self._places)
        try:
            await consumer.start()
            while True:
                for place, messages in (await consumer.getmany(timeout_ms=WAIT_MS)).items():
                    for keyed in self._read((message.key, message.value) for message in messages):
                        self._follower.take(Log(place.topic, place.partition), keyed)
                        for told in self._hearers:
                            told(keyed, place.partition)
                        self.records.append(keyed)
                await asyncio.sleep(0)
        finally:
            await consumer.stop()

    def _read(self, pairs: Iterator[tuple[bytes | None, bytes | None]]) -> Iterator[Keyed]:
        for key, value in pairs:
            keyed = read(key, value)
            assert isinstance(keyed, Keyed), f"nobody but the bridge writes here: {keyed.why}"
            yield keyed
