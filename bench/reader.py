"""A consumer of committed records that notes when each came: what latency is measured at."""

import threading
import time
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, TopicPartition

from bench.topics import QUIET, version_of


class Reader:
    """Use as a context: a thread reads *topic* from its end on. librdkafka's settings but for the isolation."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        settings = {
            "bootstrap.servers": bootstrap,
            "group.id": "bench-reader",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            **QUIET,
        }
        self._consumer = Consumer(settings)
        self._consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self.seen: dict[int, float] = {}
        """Versions, and the monotonic time at which a consumer first had them."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(10.0)
        self._consumer.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            message = self._consumer.poll(0.2)
            if message is None or message.error() is not None:
                continue
            at = time.monotonic()
            version = version_of(message.value() or b"")
            if version is not None:
                self.seen.setdefault(version, at)
