"""Two ways to follow a topic. Both must always agree, and end in exactly the cluster's state."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.audit.records import Record
from tests.audit.report import Report, at

State = dict[str, tuple[str, str]]
"""Key to uid and version."""


@dataclass
class Marking:
    """Mark and sweep, by the markers alone: an inferred delete says nothing to it."""

    serving: State = field(default_factory=dict)
    incoming: State = field(default_factory=dict)
    epoch: int = 0

    def take(self, record: Record) -> None:
        value = record.value
        match value.type:
            case "RESTARTED":
                self.epoch, self.incoming = value.epoch, {}
            case "LISTED":
                self.incoming[record.key] = (record.uid, record.version)
            case "SYNCED" if value.epoch == self.epoch:
                self.serving, self.incoming = self.incoming, {}
            case "ADDED" | "MODIFIED":
                self.serving[record.key] = (record.uid, record.version)
            case "DELETED" if not value.inferred:
                self.serving.pop(record.key, None)
            case _:
                pass


@dataclass
class Plain:
    """Upserts and deletes, and no idea that there are markers."""

    serving: State = field(default_factory=dict)

    def take(self, record: Record) -> None:
        match record.value.type:
            case "ADDED" | "MODIFIED" | "LISTED":
                self.serving[record.key] = (record.uid, record.version)
            case "DELETED":
                self.serving.pop(record.key, None)
            case _:
                pass


def follow(records: Iterable[Record], report: Report) -> tuple[State, State]:
    """What both hold at the end of one stream in one partition; where they disagree at a SYNCED is reported."""
    marking, plain = Marking(), Plain()
    for record in records:
        marking.take(record)
        plain.take(record)
        if record.value.type == "SYNCED":
            for key in _difference(marking.serving, plain.serving):
                one, other = marking.serving.get(key), plain.serving.get(key)
                report.violations.append(at(record, "stale", f"{key}: by markers {one}, plainly {other}"))
    return marking.serving, plain.serving


def _difference(one: State, other: State) -> list[str]:
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))
