"""What was done against what was told: every change once, or inside an announced gap. Pure."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from bridge.consumer.records import Added, Deleted, Keyed, Modified, Restarted, Synced
from bridge.demo.ledger import Done


class Gap(Struct, frozen=True):
    """Changes of *stream* with versions in `(after, upto]` may be missing, and consumers were told so."""

    stream: str
    reason: str
    after: int
    upto: int

    def excuses(self, done: Done) -> bool:
        return done.stream == self.stream and self.after < done.version <= self.upto


class Verdict(Struct, frozen=True):
    """*changes* that were done: *told* one by one, *excused* by a gap or by the first snapshot, or *lost*."""

    changes: int
    told: int
    excused: int
    lost: int
    doubled: int
    gaps: tuple[Gap, ...]

    @property
    def holds(self) -> bool:
        return self.lost == 0 and self.doubled == 0


def judge(done: Iterable[Done], records: Iterable[Keyed]) -> Verdict:
    """*records*: all that was read, each partition in its order."""
    records = list(records)
    live: Counter[tuple[str, str, str, int]] = Counter()
    for keyed in records:
        record = keyed.record
        if isinstance(record, Added | Modified) or (isinstance(record, Deleted) and not record.inferred):
            version = record.resource_version if isinstance(record.resource_version, str) else "0"
            live[record.stream, type(record).__name__.upper(), keyed.key, int(version)] += 1
    snapshots, gaps = _gaps(records)
    told = excused = lost = 0
    for each in done:
        if live[each.stream, each.type, each.key, each.version]:
            told += 1
        elif any(gap.excuses(each) for gap in snapshots):
            excused += 1
        else:
            lost += 1
    doubled = sum(count - 1 for count in live.values() if count > 1)
    return Verdict(told + excused + lost, told, excused, lost, doubled, gaps)


def _gaps(records: list[Keyed]) -> tuple[list[Gap], tuple[Gap, ...]]:
    """What every epoch with a snapshot covers, and those of them that are gaps: all but the first of a stream."""
    opened: dict[tuple[str, int], Restarted] = {}
    closed: dict[tuple[str, int], int] = {}
    for keyed in records:
        record = keyed.record
        if isinstance(record, Restarted):
            opened[record.stream, record.epoch] = record
        elif isinstance(record, Synced):
            closed[record.stream, record.epoch] = int(record.resource_version)
    snapshots = [
        Gap(stream, record.reason, _after(record), closed[stream, epoch])
        for (stream, epoch), record in sorted(opened.items(), key=lambda item: item[0])
        if (stream, epoch) in closed
    ]
    return snapshots, tuple(gap for gap in snapshots if gap.reason != "initial")


def _after(record: Restarted) -> int:
    return int(record.previous.resource_version) if record.previous is not None else 0
