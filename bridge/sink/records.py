"""Records as Kafka keeps them: format v2, whose lengths are zigzag varints (protocol guide, "Record").

A record is a row of pieces, which are joined when its batch is: an object's bytes are copied once for record, batch and
codec together. aiokafka's builder takes whole records, and copies them once more: an event of 2 KB costs 1 us more.
"""

from collections.abc import Sequence

BATCH_OVERHEAD = 61
"""Bytes of a batch before its records."""
RECORD_OVERHEAD = 32
"""At most, for all that a record is beside key and value: seven varints and an attribute byte."""
NO_HEADERS = b"\0"
ABSENT = -1
"""The size of a value that is not there: of a tombstone."""
ORDINARY = b"\0\0"
"""Of a record: no attributes, and the time of its batch."""
SHORT = 1 << 13
"""Varints of one or two bytes: nearly all. They are looked up, in a tenth of the time."""


def varint(number: int) -> bytes:
    """Of -1, or what is not negative."""
    left, out = number << 1 if number >= 0 else 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


_VARINTS = tuple(varint(number) for number in range(SHORT))
_OFFSETS = tuple(ORDINARY + number for number in _VARINTS)
"""What stands between a record's length and its key: where it is in its batch, too."""


def framed(key: bytes) -> bytes:
    """A key as it lies in a record."""
    return (_VARINTS[len(key)] if len(key) < SHORT else varint(len(key))) + key


def record(number: int, key: bytes, size: int, value: Sequence[bytes]) -> tuple[bytes, ...]:
    """The pieces of what is *number* in its batch. *key* is framed, *value* of *size* bytes in all, or `ABSENT`."""
    offset = _OFFSETS[number] if number < SHORT else ORDINARY + varint(number)
    of_value = _VARINTS[size] if 0 <= size < SHORT else varint(size)
    whole = len(offset) + len(key) + len(of_value) + (max(0, size)) + 1
    return (_VARINTS[whole] if whole < SHORT else varint(whole), offset, key, of_value, *value, NO_HEADERS)
