"""What arrived: read from the broker, by a client that is no contestant's own.

While a run is measured only ends of partitions are asked for; records are read when it is over.
"""

import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from confluent_kafka import Consumer, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec
from confluent_kafka.cimpl import NewTopic
from msgspec import Struct

ANSWER = 30.0
"""Seconds for the broker to answer."""
VERSION = re.compile(rb'"resourceVersion":"(\d+)"')
"""The first in a record is the change's own: all contestants write an object's metadata before the rest of it."""
OBJECT = b'"object":{'
QUIET = {"log_level": 2}
"""Of syslog: librdkafka tells of every connection that ends, also of those that we end."""


class Arrived(Struct, frozen=True):
    """*records* of any kind; *changes* are different versions among those that were asked for, *repeated* the rest."""

    records: int
    changes: int
    repeated: int


def version_of(value: bytes) -> int | None:
    """Of the object that a record is about; a marker is about none, though it may have a version."""
    found = VERSION.search(value)
    return int(found[1]) if found is not None and OBJECT in value else None


class Topic:
    """One topic of a run, made here and removed at the end."""

    def __init__(self, bootstrap: str, name: str, partitions: int) -> None:
        self.name = name
        self.partitions = partitions
        self._bootstrap = bootstrap
        self._admin = AdminClient({"bootstrap.servers": bootstrap, **QUIET})
        self._admin.create_topics([NewTopic(name, partitions, 1)])[name].result(ANSWER)
        self._wait_for_leaders()

    def _wait_for_leaders(self) -> None:
        """The broker says so a moment after the answer that the topic is there."""
        until = time.monotonic() + ANSWER
        while True:
            try:
                self.end()
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    def remove(self) -> None:
        """And those that a contestant has made beside it, whose names begin with its own."""
        names = [
            name for name in self._admin.list_topics(timeout=ANSWER).topics if f"{name}.".startswith(f"{self.name}.")
        ]
        for answer in self._admin.delete_topics(names).values():
            answer.result(ANSWER)

    def end(self) -> int:
        """Offsets that readers of committed records may pass, all partitions together.

        More than records: the end of each transaction has an offset of its own.
        """
        wanted = {TopicPartition(self.name, number): OffsetSpec.latest() for number in range(self.partitions)}
        answers = self._admin.list_offsets(wanted, isolation_level=IsolationLevel.READ_COMMITTED)
        return sum(answer.result(ANSWER).offset for answer in answers.values())

    def arrived(self, first: int, count: int) -> Arrived:
        """Reads all that is committed, and counts the versions *first* to *first* + *count*."""
        seen: Counter[int] = Counter()
        records = 0
        for value in self.values():
            records += 1
            version = version_of(value)
            if version is not None and first <= version < first + count:
                seen[version] += 1
        return Arrived(records, len(seen), seen.total() - len(seen))

    def values(self) -> Iterator[bytes]:
        """Of all committed records, a partition after the other."""
        settings = {
            "bootstrap.servers": self._bootstrap,
            "group.id": "bench",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            **QUIET,
        }
        consumer = Consumer(settings)
        try:
            consumer.assign([TopicPartition(self.name, number, 0) for number in range(self.partitions)])
            ended: set[int] = set()
            while len(ended) < self.partitions:
                for message in consumer.consume(10_000, 1.0):
                    error = message.error()
                    if error is None:
                        yield message.value() or b""
                    elif error.code() == error._PARTITION_EOF:  # noqa: SLF001 - it has no other name
                        ended.add(message.partition() or 0)
                    else:
                        raise KafkaException(error)
        finally:
            consumer.close()


def stored(directory: Path, topics: list[str]) -> int:
    """Bytes of these topics in the log of the broker whose directory it is."""
    segments = [path for topic in topics for path in (directory / "data").glob(f"{topic}-*/*.log")]
    return sum(path.stat().st_size for path in segments)
