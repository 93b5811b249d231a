"""Whether the topics of a stream are still those that it was placed by: of as many partitions, and the same ones."""

import time

from bridge.sink.connection import KafkaFault
from bridge.sink.producer import Producer
from bridge.sink.topics import Topic, ids_of

RECOUNT = 5.0
"""Seconds between looks at the partition counts, which are in memory and at most 30 s old."""
IDENTIFY = 30.0
"""Seconds between questions for the topics' ids, where there is something to write: a stream that has nothing to say
writes `PROGRESS` now and then."""


class Repartitioned(KafkaFault):
    """A topic is not what records were placed by: start over from the checkpoint."""


class Whereabouts:
    """Owns the ids of the topics that may be written to, and when those were last compared with what Kafka says."""

    def __init__(self, producer: Producer, found: dict[str, Topic]) -> None:
        self.ids: dict[str, str] = {}
        self._producer = producer
        self._recounted = float("-inf")
        self._identified = time.monotonic()
        self.learn(found)

    def learn(self, found: dict[str, Topic]) -> None:
        """These are written to from now on."""
        self.ids |= ids_of(found)

    async def assert_unchanged(self, counts: dict[str, int]) -> None:
        """Raises `Repartitioned`, at times, if not all topics are there with so many partitions, and the same ones.

        Between the times `Producer` notices by the offsets that it writes at.
        """
        now = time.monotonic()
        if now - self._recounted >= RECOUNT:
            self._recounted = now
            self._recount(counts)
        if now - self._identified >= IDENTIFY:
            self._identified = now
            await self._identify()

    def _recount(self, counts: dict[str, int]) -> None:
        for topic, count in counts.items():
            now = self._producer.partitions(topic)
            if now is not None and now != count:
                raise Repartitioned(f"{topic} had {count} partitions, has {now}")

    async def _identify(self) -> None:
        for topic, now in (await self._producer.ids(sorted(self.ids))).items():
            if now and now != self.ids[topic]:
                raise Repartitioned(f"{topic} was deleted and made anew")
