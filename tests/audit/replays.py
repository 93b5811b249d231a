"""At-least-once: what may be said again, and how. After a crash a run is repeated, exactly and to its end.

Law: without what is said again, a stream must be as exactly-once would have it. So repetitions are taken out here, and
the other checks judge the rest. A repeated run begins at any live change of the epoch and goes, in the same order, to
the last thing that was told; only another crash or a new epoch may cut it short. Deletes may be inferred again.
"""

from dataclasses import dataclass, field

from tests.audit.records import Record, order
from tests.audit.report import Report, at

Identity = tuple[str, str, str, str]


def unfold(records: list[Record], report: Report) -> list[Record]:
    """The *records* of one stream in one partition without those that repeat others."""
    part = _Partition(report)
    for record in records:
        part.take(record)
    part.end()
    return part.told


@dataclass
class _Partition:
    """*at* is where the repetition under way has come to in *told*; there is none at its end.

    *places* has the live changes since the last marker of an epoch, *last* the last word on each key.
    """

    report: Report
    told: list[Record] = field(default_factory=list)
    places: dict[Identity, int] = field(default_factory=dict)
    last: dict[str, Record] = field(default_factory=dict)
    gone: set[tuple[str, str]] = field(default_factory=set)
    at: int = 0
    again: set[str] = field(default_factory=set)
    progress: str = ""

    def take(self, record: Record) -> None:
        match record.value.type:
            case "RESTARTED" | "SYNCED":
                self.places, self.progress = {}, ""
                self._tell(record)
            case "PROGRESS":
                self._progress(record)
            case "DELETED" if record.value.inferred:
                self._inferred(record)
            case _ if record.is_live:
                self._live(record)
            case _:
                self._tell(record)

    def end(self) -> None:
        if self._is_repeating:
            self._left_out(self.told[-1])

    @property
    def _is_repeating(self) -> bool:
        return self.at < len(self.told)

    def _tell(self, record: Record) -> None:
        self.told.append(record)
        self.at = len(self.told)
        self.last[record.key] = record
        if record.value.type == "DELETED":
            self.gone.add((record.key, record.uid))

    def _live(self, record: Record) -> None:
        place = self.places.get(_identity(record))
        if place is None:
            if self._is_repeating:
                self._left_out(record)
            self._tell(record)
            self.places[_identity(record)] = len(self.told) - 1
            return
        if not self._is_repeating or place < self.at:
            self.again = set()
        elif any(self._is_owed(other) for other in self.told[self.at : place]):
            self._left_out(record)
        self.at = place + 1
        self.again.add(record.key)
        self.report.counts["records told again"] += 1
        while self._is_repeating and not self._is_owed(self.told[self.at]):
            self.at += 1

    def _is_owed(self, other: Record) -> bool:
        """A delete of what is not repeated otherwise need not be said again, nor a progress."""
        return other.is_live and (other.value.type != "DELETED" or other.key in self.again)

    def _progress(self, record: Record) -> None:
        if self._is_repeating and order(record.version) >= order(self.told[self.at].version):
            self._left_out(record)
        if order(record.version) > order(self.progress) and not self._is_repeating:
            self.progress = record.version
            self._tell(record)

    def _inferred(self, record: Record) -> None:
        """Of what was told to be gone, or was never told of: the index had it, and no more."""
        last = self.last.get(record.key)
        if (record.key, record.uid) in self.gone or last is None or last.value.type == "DELETED":
            self.report.counts["records told again"] += 1
        else:
            self._tell(record)

    def _left_out(self, record: Record) -> None:
        missing = self.told[self.at]
        what = f"a repetition leaves out {missing.value.type} {missing.key} at {missing.version}"
        self.report.violations.append(at(record, "order", what))


def _identity(record: Record) -> Identity:
    return record.value.type, record.key, record.uid, record.version
