"""Batches of records as they travel and as they lie in a log: format 2, Kafka's only one since version 4."""

import struct
from collections.abc import Callable, Iterable

from aiokafka.errors import CorruptRecordException, UnsupportedCodecError
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from msgspec import Struct

from bridge.sandbox.broker.codes import Code

HEADER = struct.Struct(">qiibIhiqqqhii")
"""Base offset, length, leader epoch, magic, CRC, attributes, last offset delta, first and last timestamp, producer id,
producer epoch, base sequence, count of records."""
SUMMED = 21
"""Where that begins which the CRC covers: at the attributes."""
UNCOUNTED = 12
"""Bytes that the length does not count: base offset and itself."""
TRANSACTIONAL = 0x10
CONTROL = 0x20
CODEC = 0x07
MAGIC = 2
UNBOUNDED = 2**31 - 1
NOBODY = -1
"""The producer id of one that is not idempotent."""


class Batch(Struct, frozen=True, gc=False):
    """*timestamp* is the newest in it (ms). *data* holds all the rest once more, and the records."""

    base: int
    last: int
    timestamp: int
    producer_id: int
    epoch: int
    sequence: int
    count: int
    attributes: int
    data: bytes

    @property
    def transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def control(self) -> bool:
        return bool(self.attributes & CONTROL)

    def at(self, offset: int) -> "Batch":
        """The same batch, where it lies in a log. The CRC does not cover the offset."""
        return _read(struct.pack(">q", offset) + self.data[8:])


class Record(Struct, frozen=True, gc=False):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


def parse(data: bytes) -> Batch | Code:
    """What a producer has sent for one partition."""
    if len(data) < HEADER.size:
        return Code.CORRUPT_MESSAGE
    _, length, _, magic, crc, _, delta, *_, count = HEADER.unpack_from(data)
    if magic != MAGIC:
        return Code.INVALID_RECORD
    if length + UNCOUNTED < len(data):
        return Code.INVALID_RECORD  # "more than one batch": LogValidator.validateRecords
    if length + UNCOUNTED > len(data) or crc != calc_crc32c(data[SUMMED:]):
        return Code.CORRUPT_MESSAGE
    batch = _read(data)
    if count <= 0 or count != delta + 1 or batch.control:
        return Code.INVALID_RECORD
    return batch


def records(batch: Batch) -> list[Record] | Code:
    """Unpacked, with the offsets of the log."""
    try:
        return [
            Record(each.offset, each.timestamp, each.key, each.value, list(each.headers))
            for each in DefaultRecordBatch(batch.data)
        ]
    except UnsupportedCodecError:
        return Code.UNSUPPORTED_COMPRESSION_TYPE
    except (CorruptRecordException, ValueError, RuntimeError, OSError):  # what the decompressors raise
        return Code.CORRUPT_MESSAGE


def end_marker(producer_id: int, epoch: int, time_ms: int, *, committed: bool) -> Batch:
    """The control batch that ends a transaction in a partition (KIP-98): version 0 of key and value, coordinator 0."""
    key, value = struct.pack(">hh", 0, int(committed)), struct.pack(">hi", 0, 0)
    builder = DefaultRecordBatchBuilder(MAGIC, 0, 1, producer_id, epoch, -1, 1 << 10)
    builder.append(0, time_ms, key, value, [])
    return _read(_sealed(bytes(builder.build()), attributes=lambda found: found | CONTROL))


def thinned(batch: Batch, kept: Iterable[Record]) -> Batch:
    """*batch* with no other records than *kept*, at its place: same offsets, same sequence numbers (LogCleaner)."""
    codec, mode = batch.attributes & CODEC, int(batch.transactional)
    builder = DefaultRecordBatchBuilder(MAGIC, codec, mode, batch.producer_id, batch.epoch, batch.sequence, UNBOUNDED)
    for record in kept:
        builder.append(record.offset - batch.base, record.timestamp, record.key, record.value, record.headers)
    built = bytes(builder.build())
    return _read(_sealed(built, base=batch.base, delta=batch.last - batch.base))


def _read(data: bytes) -> Batch:
    base, _, _, _, _, attributes, delta, _, newest, producer_id, epoch, sequence, count = HEADER.unpack_from(data)
    return Batch(base, base + delta, newest, producer_id, epoch, sequence, count, attributes, data)


def _sealed(
    data: bytes, *, base: int = 0, delta: int | None = None, attributes: Callable[[int], int] = lambda found: found
) -> bytes:
    """With another header, and the CRC that belongs to it."""
    _, length, leader, magic, _, flags, last, *rest = HEADER.unpack_from(data)
    last = last if delta is None else delta
    new = HEADER.pack(base, length, leader, magic, 0, attributes(flags), last, *rest) + data[HEADER.size :]
    return new[: SUMMED - 4] + struct.pack(">I", calc_crc32c(new[SUMMED:])) + new[SUMMED:]
