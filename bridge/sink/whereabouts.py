"""Whether the topics of a stream are still those that it was placed by: of as many partitions, and the same ones."""

import time

from bridge.sink.connection import KafkaFault
from bridge.sink.producer import Producer
from bridge.sink.topics import Topic, ids_of

LOOK = 30.0
"""Seconds between questions for the topics, where there is something to write: a stream that has nothing to say writes
`PROGRESS` now and then, and one that says nothing need not know."""


class Repartitioned(KafkaFault):
    """A topic is not what records were placed by: start over from the checkpoint."""


class Whereabouts:
    """Owns the ids of the topics that may be written to, and when they were last compared with what Kafka says."""

    def __init__(self, producer: Producer, found: dict[str, Topic]) -> None:
        self.ids: dict[str, str] = {}
        self._producer = producer
        self._looked = time.monotonic()
        self.learn(found)

    def learn(self, found: dict[str, Topic]) -> None:
        """These are written to from now on."""
        self.ids |= ids_of(found)

    async def assert_unchanged(self, counts: dict[str, int]) -> None:
        """Raises `Repartitioned`, at times, if not all topics are there with so many partitions, and the same ones.

        Between the times `Producer` notices by the offsets that it writes at.
        """
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        for topic, found in (await self._producer.look(sorted(counts))).items():
            if len(found.leaders) != counts[topic]:
                raise Repartitioned(f"{topic} had {counts[topic]} partitions, has {len(found.leaders)}")
            if found.id and found.id != self.ids.get(topic, found.id):
                raise Repartitioned(f"{topic} was deleted and made anew")
