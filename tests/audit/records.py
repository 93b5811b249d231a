"""What a topic holds, as the documented protocol has it: one JSON envelope per record."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct

Reason = Literal[
    "initial",
    "expired",
    "rewound",
    "identity_changed",
    "resource_removed",
    "undecodable",
    "desynchronized",
    "repartitioned",
    "interrupted",
    "requested",
]
LIVE = ("ADDED", "MODIFIED", "DELETED")
MARKERS = ("RESTARTED", "SYNCED", "PROGRESS")


class Entry(Struct, frozen=True):
    """A record as the broker gave it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes


class Log(Struct, frozen=True):
    """One topic from its beginning to its end. Invariant: within a partition *entries* are in the order of offsets."""

    topic: str
    partitions: int
    entries: list[Entry]


class Metadata(Struct, frozen=True, rename="camel"):
    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deletion_timestamp: str = ""


class Object(Struct, frozen=True):
    metadata: Metadata


class Previous(Struct, frozen=True, rename="camel"):
    epoch: int
    resource_version: str
    time: datetime


class Envelope(Struct, frozen=True, rename="camel"):
    type: Literal["ADDED", "MODIFIED", "DELETED", "LISTED", "RESTARTED", "SYNCED", "PROGRESS"]
    cluster: str
    stream: str
    epoch: int
    time: datetime
    resource_version: str | None = None
    inferred: bool = False
    object: Object | None = None
    reason: Reason | None = None
    message: str | None = None
    previous: Previous | None = None
    partition: int | None = None
    partitions: int | None = None
    objects: int | None = None
    oversize: int | None = None


class Record(Struct, frozen=True):
    """An entry that could be read. *version* and *uid* are empty where the record has none."""

    topic: str
    partition: int
    offset: int
    key: str
    value: Envelope

    @property
    def is_marker(self) -> bool:
        return self.value.type in MARKERS

    @property
    def is_live(self) -> bool:
        return self.value.type in LIVE and not self.value.inferred

    @property
    def version(self) -> str:
        return self.value.resource_version or ""

    @property
    def uid(self) -> str:
        return self.value.object.metadata.uid if self.value.object else ""

    @property
    def is_dying(self) -> bool:
        """The object is marked for deletion: pods are, for a moment, before every delete."""
        return bool(self.value.object and self.value.object.metadata.deletion_timestamp)


_envelope = msgspec.json.Decoder(Envelope)


def parse(entry: Entry) -> Record | str:
    """The record, or why it is none."""
    try:
        return Record(entry.topic, entry.partition, entry.offset, entry.key.decode(), _envelope.decode(entry.value))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"unreadable: {error}"


def order(version: str) -> tuple[int, str]:
    """What to compare versions by: they are decimal integers of any length, without leading zeros."""
    return len(version), version


def placed(key: str, partitions: int) -> int:
    """The partition where Java's default partitioner puts *key*."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """As `org.apache.kafka.common.utils.Utils.murmur2`, but unsigned."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(data[at : at + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
