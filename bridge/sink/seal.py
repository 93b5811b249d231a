"""Records become a batch: compressed, dated, with its checksum, as Kafka keeps it (protocol guide, "Record Batch")."""

import struct
from collections.abc import Sequence

from aiokafka.record.util import calc_crc32c
from msgspec import Struct

from bridge.sink.compression import compress

MAGIC, TRANSACTIONAL = 2, 0x10
UNKNOWN = -1
"""Epoch of the partition's leader: brokers know it."""
COUNTED = 9
"""Bytes of a batch's head that its length counts: epoch, magic and checksum."""

_head = struct.Struct(">qiibI")
_body = struct.Struct(">hiqqqhii")


class Identity(Struct, frozen=True):
    """Who a producer is to the brokers: the later of two of one id has the higher epoch."""

    producer_id: int
    epoch: int


class Author(Struct, frozen=True):
    """What all batches of a producer have in common. *codec* is Kafka's number."""

    identity: Identity
    codec: int
    transactional: bool


def sealed(pieces: Sequence[bytes], count: int, time: int, author: Author, sequence: int) -> bytes:
    """Of the *pieces* of *count* records, stamped with *time* (ms). Compressed, where that makes it smaller."""
    records = b"".join(pieces)
    codec, packed = author.codec, compress(author.codec, records)
    if len(packed) >= len(records):
        codec, packed = 0, records
    attributes = codec | (TRANSACTIONAL if author.transactional else 0)
    who = author.identity
    body = _body.pack(attributes, count - 1, time, time, who.producer_id, who.epoch, sequence, count) + packed
    return _head.pack(0, len(body) + COUNTED, UNKNOWN, MAGIC, calc_crc32c(body)) + body
