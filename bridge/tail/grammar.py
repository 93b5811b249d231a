"""Whether a stream says in a partition what it may say there next: section 2 of `docs/protocol.md`. No I/O, no clock.

Strict, as for exactly-once: what at-least-once says twice is a violation here.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from msgspec import UNSET

from bridge.consumer.records import Added, Deleted, Keyed, Listed, Modified, Progress, Restarted, Synced
from bridge.consumer.state import Log, Scope
from bridge.sink.route import partition_of
from bridge.tail.fields import faults, is_version, tag

Order = tuple[int, str]
"""A version as a number of any length: how many digits, and which. Compared so, none is too long."""


class Chapter:
    """One epoch of a stream in one partition. Owns what was said of it.

    *opened*: it was read from its RESTARTED on. *reached*: all up to this version was said; None before SYNCED.
    *partitions* of the topic, 0 until a marker has told. *versions*: of the keys that were told of since *reached*.
    """

    def __init__(self, epoch: int, *, opened: bool) -> None:
        self.epoch = epoch
        self.opened = opened
        self.synced = False
        self.reached: Order | None = None
        self.partitions = 0
        self.listed: set[str] = set()
        self.versions: dict[str, Order] = {}


class Grammar:
    """Owns a chapter for each stream in each partition: the newest one."""

    def __init__(self) -> None:
        self._chapters: dict[Scope, Chapter] = {}

    def check(self, log: Log, keyed: Keyed, whole: AbstractSet[Log]) -> str:
        """What is wrong first with the next record of *log*; empty: nothing. Of *whole* logs none was missed."""
        return next(self._faults(log, keyed, whole), "")

    def lose(self, log: Log) -> None:
        """Records are missing: what comes next may be in the middle of anything."""
        for scope in [scope for scope in self._chapters if scope[:2] == log]:
            del self._chapters[scope]

    def _faults(self, log: Log, keyed: Keyed, whole: AbstractSet[Log]) -> Iterator[str]:
        yield from faults(log, keyed)
        record = keyed.record
        scope = Scope(log.topic, log.partition, record.stream)
        chapter = self._chapters.get(scope)
        if isinstance(record, Restarted):
            if chapter is not None and record.epoch <= chapter.epoch:
                yield f"RESTARTED of epoch {record.epoch} after epoch {chapter.epoch}"
            chapter = self._chapters[scope] = Chapter(record.epoch, opened=True)
        elif chapter is None:
            if log in whole:
                yield f"{tag(record)} before any RESTARTED"
            chapter = self._chapters[scope] = Chapter(record.epoch, opened=False)
        if record.epoch != chapter.epoch:
            yield f"{tag(record)} of epoch {record.epoch} within epoch {chapter.epoch}"
        yield from _next(chapter, log, keyed)


def _next(chapter: Chapter, log: Log, keyed: Keyed) -> Iterator[str]:
    record = keyed.record
    match record:
        case Restarted():
            chapter.partitions = record.partitions
        case Synced():
            yield from _counted(chapter, record.partitions, tag(record))
            yield from _sync(chapter, record)
        case Progress():
            yield from _counted(chapter, record.partitions, tag(record))
            yield from _live(chapter, tag(record))
            yield from _progress(chapter, record)
        case Deleted(inferred=True):
            yield from _in_snapshot(chapter, "inferred DELETED")
        case Listed():
            yield from _in_snapshot(chapter, "LISTED")
            yield from _placed(chapter, log, keyed.key)
            chapter.listed.add(keyed.key)
        case Added() | Modified() | Deleted():
            yield from _live(chapter, tag(record))
            yield from _placed(chapter, log, keyed.key)
            yield from _newer(chapter, keyed.key, record)


def _in_snapshot(chapter: Chapter, what: str) -> Iterator[str]:
    if chapter.synced:
        yield f"{what} after SYNCED"


def _live(chapter: Chapter, what: str) -> Iterator[str]:
    """Of a chapter that was begun in the middle the first live record tells that SYNCED was before."""
    if not chapter.synced and (chapter.opened or chapter.listed):
        yield f"{what} before SYNCED"
    chapter.synced = True


def _sync(chapter: Chapter, record: Synced) -> Iterator[str]:
    yield from _in_snapshot(chapter, "SYNCED")
    listed = len(chapter.listed)
    if chapter.opened and record.objects != listed:
        said = record.objects if record.objects is not UNSET else "no number of"
        yield f"SYNCED says {said} objects, and {listed} were LISTED"
    chapter.synced = True
    chapter.reached = _order(record.resource_version)
    chapter.listed = set()


def _progress(chapter: Chapter, record: Progress) -> Iterator[str]:
    version = _order(record.resource_version)
    if chapter.reached is not None and version < chapter.reached:
        yield f"PROGRESS at {record.resource_version}, but all up to {chapter.reached[1]} was said"
    chapter.reached = version
    chapter.versions = {key: said for key, said in chapter.versions.items() if said > version}


def _newer(chapter: Chapter, key: str, record: Added | Modified | Deleted) -> Iterator[str]:
    text = f"{record.resource_version}"
    version = _order(text)
    if chapter.reached is not None and version <= chapter.reached:
        yield f"{tag(record)} at {text}, but all up to {chapter.reached[1]} was said"
    before = chapter.versions.get(key)
    if before is not None and version <= before:
        yield f"{tag(record)} at {text}, but {key} was at {before[1]} before"
    chapter.versions[key] = version


def _counted(chapter: Chapter, partitions: int, what: str) -> Iterator[str]:
    if chapter.partitions not in (0, partitions):
        yield f"{what} says {partitions} partitions, and the epoch has {chapter.partitions}"
    chapter.partitions = partitions


def _placed(chapter: Chapter, log: Log, key: str) -> Iterator[str]:
    """An inferred delete is where the key was, by the count of an epoch before: nobody can tell."""
    if chapter.partitions and (right := partition_of(key.encode(), chapter.partitions)) != log.partition:
        yield f"key {key!r} belongs into partition {right} of {chapter.partitions}"


def _order(version: str) -> Order:
    """Longer is greater: leading zeros do not count."""
    digits = version.lstrip("0") if is_version(version) else ""
    return len(digits), digits
