"""What is wrong with a record by itself, whatever was said before: section 1 of `docs/protocol.md`."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from msgspec import UNSET, Struct

from bridge.consumer.records import Added, Deleted, Keyed, Listed, Modified, Progress, Record, Restarted, Synced
from bridge.consumer.state import Log
from bridge.model.event import RestartReason

REASONS = frozenset(reason.value for reason in RestartReason)
"""A closed set, in version 1 of the protocol."""


class Metadata(Struct, frozen=True, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""


class Identified(Struct, frozen=True):
    """An object, as far as its record must agree with it."""

    metadata: Metadata = Metadata()


def tag(record: Record) -> str:
    return str(type(record).__struct_config__.tag)


def faults(log: Log, keyed: Keyed) -> Iterator[str]:
    record = keyed.record
    if not record.cluster:
        yield f"{tag(record)} without cluster"
    if not _is_time(record.time):
        yield f"{tag(record)} with time {record.time!r}"
    match record:
        case Added() | Modified() | Listed() | Deleted():
            yield from _change(keyed.key, record)
        case Restarted() | Synced() | Progress():
            yield from _marker(log, keyed.key, record)


def _marker(log: Log, key: str, record: Restarted | Synced | Progress) -> Iterator[str]:
    if key != record.stream:
        yield f"{tag(record)} of {record.stream} has the key {key!r}"
    if record.partition != log.partition:
        yield f"{tag(record)} says that it is in partition {record.partition}"
    if record.partition >= record.partitions:
        yield f"{tag(record)} says that there are {record.partitions} partitions"
    match record:
        case Restarted():
            if record.reason not in REASONS:
                yield f"RESTARTED with the reason {record.reason!r}"
            if record.previous is not None and record.previous.epoch >= record.epoch:
                yield f"RESTARTED of epoch {record.epoch} with a previous epoch of {record.previous.epoch}"
        case Synced() | Progress():
            if not is_version(record.resource_version):
                yield f"{tag(record)} with resourceVersion {record.resource_version!r}"


def _change(key: str, record: Added | Modified | Listed | Deleted) -> Iterator[str]:
    if record.object is UNSET:
        yield f"{tag(record)} without object"
        return
    inferred = isinstance(record, Deleted) and record.inferred
    version = record.resource_version if record.resource_version is not UNSET else ""
    if inferred and version:
        yield f"inferred DELETED with resourceVersion {version!r}"
    if not inferred and not is_version(version):
        yield f"{tag(record)} with resourceVersion {version!r}"
    try:
        metadata = msgspec.json.decode(record.object, type=Identified).metadata
    except (msgspec.DecodeError, RecursionError) as error:
        yield f"an object that cannot be read: {error}"
        return
    _, _, place = key.partition("/")
    if place != f"{metadata.namespace}/{metadata.name}".lstrip("/"):
        yield f"key {key!r} of the object {metadata.namespace}/{metadata.name}"
    if not metadata.uid:
        yield f"the object of {key!r} has no uid"
    if not inferred and metadata.resource_version != version:
        yield f"resourceVersion {version!r} of an object at {metadata.resource_version!r}"


def is_version(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
