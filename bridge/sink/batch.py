"""Records on their way to Kafka, gathered by partition in runs that fit into one batch each."""

from collections.abc import Mapping

from bridge.sink.route import Target

Headers = list[tuple[str, bytes | None]]
Record = tuple[bytes | None, bytes | None, Headers]
"""Key, value (None: a tombstone) and headers."""

FULL_RUN = 512 * 1024
"""Bytes: larger batches compress no better and are built while everything else waits (1 MiB of pods: 3 ms)."""
RECORD_OVERHEAD = 32
"""At most: seven varints and an attribute byte (Kafka's record format v2)."""
BATCH_OVERHEAD = 61
"""The header of a record batch v2."""
NO_HEADERS: Headers = []


class Run:
    """Records of one partition that go as one batch. Invariant: *room* is negative only where a record is alone."""

    __slots__ = ("records", "room", "target")

    def __init__(self, target: Target, room: int) -> None:
        self.target = target
        self.room = room
        self.records: list[Record] = []


class Batches:
    """Owns the runs in the order in which they were begun, and the bytes of keys and values in them.

    *limits* has the largest batch that a topic takes, where that is known to be small.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.runs: list[Run] = []
        self.bytes = 0
        self._limits = limits
        self._open: dict[Target, Run] = {}

    def add(self, target: Target, key: bytes, value: bytes | None, headers: Headers = NO_HEADERS) -> None:
        size = len(key) + (len(value) if value is not None else 0)
        self.bytes += size
        run = self._open.get(target)
        if run is None or run.room < size + RECORD_OVERHEAD:
            run = self._begin(target)
        run.room -= size + RECORD_OVERHEAD
        run.records.append((key, value, headers))

    def _begin(self, target: Target) -> Run:
        limit = min(FULL_RUN, self._limits.get(target.topic, FULL_RUN))
        run = self._open[target] = Run(target, limit - BATCH_OVERHEAD)
        self.runs.append(run)
        return run

    @property
    def count(self) -> int:
        return sum(len(run.records) for run in self.runs)


def largest_record(limit: int) -> int:
    """The bytes of key and value that fit into a batch of *limit* bytes, alone and uncompressed."""
    return limit - BATCH_OVERHEAD - RECORD_OVERHEAD
