"""Records on their way to Kafka, gathered by partition in runs that fit into one batch each."""

from collections.abc import Mapping, Sequence

from bridge.sink.records import ABSENT, BATCH_OVERHEAD, RECORD_OVERHEAD, framed, record
from bridge.sink.route import Target

FULL_RUN = 900 * 1024
"""Bytes: what a full transaction holds for one of twelve partitions, with room for an uneven share, so that it goes in
one request; and less than the 1 MiB that topics take of a batch by default."""


class Run:
    """Records of one partition that go as one batch. Invariant: *room* is negative only where a record is alone."""

    __slots__ = ("count", "pieces", "room", "target")

    def __init__(self, target: Target, room: int) -> None:
        self.target = target
        self.room = room
        self.count = 0
        self.pieces: list[bytes] = []
        """Of all records, in order: joined they are what the batch holds."""


class Batches:
    """Owns the runs in the order in which they were begun, and the bytes of keys and values in them.

    *limits* has the largest batch that a topic takes, where that is known to be small.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.runs: list[Run] = []
        self.bytes = 0
        self._limits = limits
        self._open: dict[Target, Run] = {}

    def add(self, target: Target, key: bytes, value: bytes | None) -> None:
        """*value* None: a tombstone."""
        if value is None:
            self.put(target, framed(key), ABSENT, ())
        else:
            self.put(target, framed(key), len(value), (value,))

    def put(self, target: Target, key: bytes, size: int, value: Sequence[bytes]) -> None:
        """*key* is framed (`records.framed`), and *value* in pieces, of *size* bytes in all, or `ABSENT`."""
        self.bytes += (held := len(key) + size)
        run = self._open.get(target)
        if run is None or run.room < held + RECORD_OVERHEAD:
            run = self._begin(target)
        run.room -= held + RECORD_OVERHEAD
        run.pieces += record(run.count, key, size, value)
        run.count += 1

    def _begin(self, target: Target) -> Run:
        limit = min(FULL_RUN, self._limits.get(target.topic, FULL_RUN))
        run = self._open[target] = Run(target, limit - BATCH_OVERHEAD)
        self.runs.append(run)
        return run

    @property
    def count(self) -> int:
        return sum(run.count for run in self.runs)


def largest_record(limit: int) -> int:
    """The bytes of key and value that fit into a batch of *limit* bytes, alone and uncompressed."""
    return limit - BATCH_OVERHEAD - RECORD_OVERHEAD
