"""What may be said of one object, record by record: never twice, never backwards, and nothing that makes no sense."""

from dataclasses import dataclass, field

from tests.audit.records import Record, order
from tests.audit.report import Report, at

HISTORY_BREAKS = ("rewound", "identity_changed")
"""After these, versions belong to another history and may repeat or be lower."""


@dataclass
class Key:
    """What consumers know of one key of one stream. *uid* is empty while there is no object."""

    uid: str = ""
    version: str = ""
    is_dying: bool = False
    listed_in: int = 0
    published: set[str] = field(default_factory=set)


def read_key(records: list[Record], breaks: set[int], report: Report) -> None:
    """Judge the *records* of one key of one stream, in the order of the log. *breaks* are epochs of a new history."""
    key, epoch = Key(), 0
    for record in records:
        if any(epoch < new <= record.value.epoch for new in breaks):
            key.version, key.published = "", set()
        epoch = record.value.epoch
        if record.is_live:
            _live(key, record, report)
        elif record.value.type == "LISTED":
            _listed(key, record, report)
        _presence(key, record, report)


def _live(key: Key, record: Record, report: Report) -> None:
    what = f"{record.value.type} {record.key} at {record.version}"
    if record.version in key.published:
        report.violations.append(at(record, "doubled", what))
    elif record.version == key.version and key.listed_in == record.value.epoch:
        report.violations.append(at(record, "doubled", f"{what}, LISTED in this epoch already"))
    elif order(record.version) <= order(key.version):
        report.violations.append(at(record, "order", f"{what} after {key.version}"))
    key.published.add(record.version)
    key.version = record.version


def _listed(key: Key, record: Record, report: Report) -> None:
    what = f"LISTED {record.key} at {record.version}"
    if key.listed_in == record.value.epoch:
        report.violations.append(at(record, "doubled", f"{what}, a second time in epoch {record.value.epoch}"))
    elif order(record.version) < order(key.version):
        report.violations.append(at(record, "order", f"{what} after {key.version}"))
    key.listed_in = record.value.epoch
    key.version = record.version


def _presence(key: Key, record: Record, report: Report) -> None:
    """Follow whether there is an object, and which one."""
    what = f"{'inferred ' * record.value.inferred}{record.value.type} {record.key}"
    match record.value.type:
        case "ADDED" if key.uid:
            report.violations.append(at(record, "order", f"{what}, but it is there already"))
        case "LISTED" if key.uid and key.uid != record.uid:
            report.violations.append(
                at(record, "order", f"{what} is another object, and the old one's delete was not told")
            )
        case "MODIFIED" | "DELETED" if key.uid != record.uid:
            report.violations.append(at(record, "order", f"{what} uid {record.uid}, known is {key.uid or 'nothing'}"))
    if record.is_live and record.value.type == "DELETED" and record.is_dying != key.is_dying:
        report.violations.append(at(record, "lost", f"{what} shows a deletionTimestamp that was not told before"))
    key.uid = "" if record.value.type == "DELETED" else record.uid
    key.is_dying = record.is_dying and bool(key.uid)
