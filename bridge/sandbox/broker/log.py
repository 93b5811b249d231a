"""The log of one partition: batches in order, which transactions are open in it, which were aborted.

No replica is ever behind, so the high watermark is the end. Offsets only grow; compaction leaves holes.
"""

from bisect import bisect_left

from msgspec import Struct

from bridge.sandbox.broker.batch import NOBODY, Batch, end_marker, records
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.sequences import Known, Sequences


class Aborted(Struct, frozen=True, gc=False):
    """What *producer_id* wrote between these offsets, the mark of the end being at *last*, is not to be seen."""

    producer_id: int
    first: int
    last: int

    def covers(self, batch: Batch) -> bool:
        return batch.producer_id == self.producer_id and self.first <= batch.base <= self.last


class Slice(Struct, frozen=True):
    """What a reader gets: *data* is whole batches. *aborted* are those that reach into them."""

    data: bytes
    aborted: list[Aborted]


class Log:
    """Owns its batches. *retention* (bytes): what is older is dropped once there is more."""

    def __init__(self, retention: int | None = None) -> None:
        self.batches: list[Batch] = []
        self.start = 0
        self.end = 0
        self.aborted: list[Aborted] = []
        self._open: dict[int, int] = {}
        self._sequences = Sequences()
        self._retention = retention
        self._size = 0

    @property
    def stable(self) -> int:
        """The last stable offset: before it every transaction has ended."""
        return min(self._open.values(), default=self.end)

    def is_open(self, producer_id: int) -> bool:
        return producer_id in self._open

    def write(self, batch: Batch) -> int | Code:
        """Its offset, also if it had been written before."""
        if batch.producer_id != NOBODY:
            match self._sequences.judge(batch):
                case Known(offset):
                    return offset
                case Code.NONE:
                    pass
                case code:
                    return code
        return self._append(batch)

    def end_transaction(self, producer_id: int, epoch: int, time_ms: int, *, committed: bool) -> None:
        """Also where the producer has written nothing: Kafka marks every partition that was added."""
        first = self._open.pop(producer_id, None)
        marker = self._append(end_marker(producer_id, epoch, time_ms, committed=committed))
        if first is not None and not committed:
            self.aborted.append(Aborted(producer_id, first, marker))

    def read(self, offset: int, limit: int, size: int, *, whole: bool) -> Slice:
        """From *offset*, below *limit*, at most *size* bytes; with *whole* the first batch even if it is bigger.

        It ends at the first batch that does not fit: a smaller one behind it would make readers step over it.
        """
        found: list[Batch] = []
        room = size
        for batch in self.batches[bisect_left(self.batches, offset, key=_last) :]:
            if batch.base >= limit or (len(batch.data) > room and (found or not whole)):
                break
            found.append(batch)
            room -= len(batch.data)
        if not found:
            return Slice(b"", [])
        reaching = [each for each in self.aborted if each.last >= offset and each.first <= found[-1].last]
        return Slice(b"".join(batch.data for batch in found), reaching)

    def find(self, timestamp: int, limit: int) -> tuple[int, int] | None:
        """Timestamp and offset of the first record that is no older, below *limit*."""
        for batch in self.batches:
            if batch.timestamp < timestamp or batch.control:
                continue
            unpacked = records(batch)
            for record in unpacked if isinstance(unpacked, list) else ():
                if record.timestamp >= timestamp:
                    return (record.timestamp, record.offset) if record.offset < limit else None
        return None

    def replace(self, batches: list[Batch]) -> None:
        """After a compaction."""
        self.batches = batches
        self._size = sum(len(batch.data) for batch in batches)

    def _append(self, new: Batch) -> int:
        batch = new.at(self.end)
        if batch.producer_id != NOBODY:
            self._sequences.note(batch)
        if batch.transactional and not batch.control:
            self._open.setdefault(batch.producer_id, batch.base)
        self.batches.append(batch)
        self.end = batch.last + 1
        self._size += len(batch.data)
        self._forget()
        return batch.base

    def _forget(self) -> None:
        """The newest batch stays, as does what belongs to an open transaction."""
        dropped = 0
        while (
            self._retention is not None
            and self._size > self._retention
            and dropped < len(self.batches) - 1
            and self.batches[dropped].last < self.stable
        ):
            self._size -= len(self.batches[dropped].data)
            dropped += 1
        if dropped:
            del self.batches[:dropped]
            self.start = self.batches[0].base
            self.aborted = [each for each in self.aborted if each.last >= self.start]


def _last(batch: Batch) -> int:
    return batch.last
