"""`bridge.sink.compression`: aiokafka gives no setting for how hard to compress, so it must be seen to work."""

import aiokafka.codec
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from bridge.sink.compression import LEVEL, quicken

HEADER = 61
"""Bytes before the records of a batch (Kafka's record format v2)."""
ZSTD = 4
VALUE = b"".join(b'{"name":"pod-%d","uid":"%x"}' % (n, n * 2654435761 % 2**32) for n in range(2000))


def batch() -> bytes:
    builder = DefaultRecordBatchBuilder(2, ZSTD, 1, 1, 0, 0, 1 << 20)
    builder.append(0, 5, b"key", VALUE, [])
    return bytes(builder.build())


def test_batches_are_compressed_as_hard_as_it_says() -> None:
    """A version of the library that looks elsewhere would be slower, and nobody would know why."""
    quicken()
    quicken()

    records = aiokafka.codec.zstd_decode(batch()[HEADER:])

    assert VALUE in records
    assert batch()[HEADER:] == aiokafka.codec.zstd_encode(records, LEVEL)
    assert batch()[HEADER:] != aiokafka.codec.zstd_encode(records)
