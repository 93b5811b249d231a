"""The grammar of a stream in a partition: RESTARTED, LISTED and inferred deletes, SYNCED, live changes and PROGRESS.

A new RESTARTED may come at any time. What one epoch says in one partition is a chapter.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tests.audit.records import Previous, Record, order, placed
from tests.audit.report import Report, at


@dataclass
class Chapter:
    """One epoch of a stream in one partition.

    *synced* is the version of its SYNCED, empty before; *last* the highest version up to which all is said to be
    delivered; *highest* the highest version of a live change but deletes: they may share a version (events that
    expire together), so one of them does not say that all up to it is delivered.
    """

    opening: Record
    epoch: int
    reason: str
    previous: Previous | None
    partitions: int
    time: datetime
    listed: int = 0
    synced: str = ""
    last: str = ""
    highest: str = ""


def read_partition(records: list[Record], count: int, report: Report) -> list[Chapter]:
    """The chapters of one stream in one partition of a topic with *count* partitions, and what is wrong in them."""
    chapters: list[Chapter] = []
    for record in records:
        if record.value.type == "RESTARTED":
            chapters.append(_open(record, chapters, report))
        elif not chapters:
            report.violations.append(at(record, "grammar", f"{record.value.type} before any RESTARTED"))
        else:
            report.violations += [at(record, "grammar", fault) for fault in _next(chapters[-1], record)]
        partitions = chapters[-1].partitions if chapters else count
        report.violations += [at(record, "grammar", fault) for fault in _fields(record, partitions, count)]
    return chapters


def _open(record: Record, before: list[Chapter], report: Report) -> Chapter:
    value = record.value
    if before and value.epoch <= before[-1].epoch:
        report.violations.append(at(record, "grammar", f"epoch {value.epoch} after {before[-1].epoch}"))
    if value.reason is None or value.message is None:
        report.violations.append(at(record, "grammar", "RESTARTED without reason or message"))
    return Chapter(record, value.epoch, value.reason or "", value.previous, value.partitions or 1, value.time)


def _next(chapter: Chapter, record: Record) -> Iterator[str]:
    """What is wrong with *record* as the next one of *chapter*."""
    value = record.value
    if value.epoch != chapter.epoch:
        yield f"{value.type} of epoch {value.epoch} inside epoch {chapter.epoch}"
    in_snapshot = value.type in ("LISTED", "SYNCED") or value.inferred
    if in_snapshot and chapter.synced:
        yield f"{'inferred ' * value.inferred}{value.type} after SYNCED"
    elif not in_snapshot and not chapter.synced:
        yield f"{value.type} before SYNCED"
    if value.inferred:
        return
    if value.type == "LISTED":
        chapter.listed += 1
    elif value.type == "SYNCED":
        yield from _sync(chapter, record)
    elif value.type == "PROGRESS":
        yield from _behind(record, chapter, order(record.version) < order(chapter.last))
        chapter.last = max(chapter.last, record.version, key=order)
    else:
        yield from _behind(record, chapter, order(record.version) <= order(chapter.last))
        if value.type != "DELETED":
            chapter.highest = max(chapter.highest, record.version, key=order)


def _behind(record: Record, chapter: Chapter, is_behind: bool) -> Iterator[str]:
    if chapter.synced and is_behind:
        yield f"{record.value.type} at {record.version}, but all up to {chapter.last} was said to be delivered"


def _sync(chapter: Chapter, record: Record) -> Iterator[str]:
    chapter.synced = chapter.last = record.version
    if record.value.objects != chapter.listed:
        yield f"SYNCED.objects is {record.value.objects}, but {chapter.listed} were LISTED"


def _fields(record: Record, partitions: int, count: int) -> Iterator[str]:
    """What is wrong with *record* alone, in an epoch of *partitions* partitions."""
    value = record.value
    if not value.cluster:
        yield "no cluster"
    if record.is_marker:
        yield from _marker_fields(record, partitions, count)
    else:
        yield from _change_fields(record, partitions)
    if not value.inferred and value.type != "RESTARTED" and not _is_version(record.version):
        yield f"{value.type} with resourceVersion {value.resource_version!r}"


def _marker_fields(record: Record, partitions: int, count: int) -> Iterator[str]:
    value = record.value
    if record.key != value.stream:
        yield f"marker of {value.stream} has key {record.key}"
    if value.partition != record.partition:
        yield f"marker says partition {value.partition}"
    if value.partitions != partitions or not record.partition < partitions <= count:
        yield f"marker says {value.partitions} partitions, the epoch has {partitions}, the topic {count}"


def _change_fields(record: Record, partitions: int) -> Iterator[str]:
    value = record.value
    if value.object is None:
        yield f"{value.type} without object"
        return
    metadata = value.object.metadata
    resource, _, rest = record.key.partition("/")
    if not resource or rest != f"{metadata.namespace}/{metadata.name}".lstrip("/"):
        yield f"key {record.key} of object {metadata.namespace}/{metadata.name}"
    if not metadata.uid:
        yield f"object of {record.key} has no uid"
    if value.inferred and (value.type != "DELETED" or record.version):
        yield f"inferred {value.type} at {record.version or 'no version'}"
    if not value.inferred and record.version != metadata.resource_version:
        yield f"resourceVersion {record.version} of an object at {metadata.resource_version}"
    if (expected := placed(record.key, partitions)) != record.partition:
        yield f"key {record.key} belongs into partition {expected}"


def _is_version(version: str) -> bool:
    return version.isdecimal() and version.isascii() and not version.startswith("0")
