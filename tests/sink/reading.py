"""What the sink has made, as others read it: a run's records by aiokafka's reader, a value as bytes."""

from aiokafka.record.default_records import DefaultRecordBatch

from bridge.sink.batch import Run
from bridge.sink.formats import Value
from bridge.sink.seal import Author, Identity, sealed

Pair = tuple[bytes | None, bytes | None]


def whole(made: tuple[int, Value]) -> bytes:
    """The pieces of a value, which must be as long as they are said to be: Kafka is told that number."""
    size, pieces = made
    value = b"".join(pieces)
    assert len(value) == size
    return value


def records_of(run: Run) -> list[Pair]:
    """Key and value of each record."""
    return unpacked(sealed(run.pieces, run.count, 0, Author(Identity(1, 0), 0, transactional=False), 0))


def unpacked(data: bytes) -> list[Pair]:
    """Those of a batch, whose checksum and counts must be right."""
    batch = DefaultRecordBatch(data)
    assert batch.validate_crc()
    pairs = []
    for number, record in enumerate(batch):
        assert (record.offset, record.timestamp, record.headers) == (number, batch.first_timestamp, [])
        pairs.append((record.key, record.value))
    return pairs
