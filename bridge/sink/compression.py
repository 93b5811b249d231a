"""How batches are compressed, and how hard: by aiokafka's codecs, but for zstd."""

from collections.abc import Callable

import zstandard
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode

_ZSTD = zstandard.ZstdCompressionParameters.from_level(1, window_log=19, hash_log=17)
"""A window of 512 KiB is most of what a batch holds. A pod of 2.2 KB costs 1.7 us and is 207 bytes; at level 3, the
default of zstd, 1.9 and 204; with level 1's own table for so much, of 2**14, 1.9 and 209 (batches of 350 KiB)."""

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""By their names in the config: Kafka's numbers."""


def compress(codec: int, data: bytes) -> bytes:
    return _COMPRESS[codec](data)


_zstd = zstandard.ZstdCompressor(compression_params=_ZSTD).compress
"""Its tables are made once: aiokafka makes them for each batch, which costs 9 us, most of a small one. It is for
one thread: the event loop's."""

_COMPRESS: tuple[Callable[[bytes], bytes], ...] = (lambda data: data, gzip_encode, snappy_encode, lz4_encode, _zstd)
"""By Kafka's numbers."""
