"""What was really done against what was told: every acknowledged write once, or inside an announced gap."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.audit.followers import State
from tests.audit.gaps import Story
from tests.audit.ledger import Ledger, Scope, Write
from tests.audit.records import Record, order
from tests.audit.report import Kind, Report, Violation


@dataclass
class Told:
    """Everything that one stream told: records by key, epochs in order, the followers' end states."""

    by_key: dict[str, list[Record]]
    stories: list[Story]
    marking: State
    plain: State


@dataclass
class Question:
    """One scope, what was told of it, and where the answer goes."""

    scope: Scope
    told: Told
    report: Report

    def complain(self, kind: Kind, what: str) -> None:
        self.report.violations.append(Violation(kind, self.scope.topic, f"{self.scope.stream}: {what}"))

    def ask(self, ledger: Ledger) -> None:
        for key, writes in ledger.histories(self.scope).items():
            records = self.told.by_key.get(key, [])
            self._writes(writes, records)
            self._inventions(key, writes, records)
            self._snapshots(key, writes, records)
        self._end(ledger)

    def _writes(self, writes: list[Write], records: list[Record]) -> None:
        live = {(record.uid, record.version): record for record in records if record.is_live}
        for write, owed in owed_by(writes, self.scope):
            if owed and write.act == "DELETED":
                self._delete(write, records)
            elif owed:
                self._write(write, owed, live.get((write.uid, write.version)))

    def _write(self, write: Write, owed: str, record: Record | None) -> None:
        if record is not None:
            self.report.counts["writes told as they happened"] += 1
            if record.value.type != owed:
                self.complain("order", f"{write.key} at {write.version} is {record.value.type}, should be {owed}")
        elif any(story.excuses(write) for story in self.told.stories):
            self.report.counts["writes inside announced gaps"] += 1
        else:
            self.complain("lost", f"{owed} {write.key} at {write.version}, written at {write.time:.3f}")

    def _delete(self, write: Write, records: list[Record]) -> None:
        """A delete is owed while the object is believed in. What came, or came again into a selection, and was deleted
        inside one gap leaves no trace.
        """
        mine = [record for record in records if record.uid == write.uid]
        told = [r for r in mine if r.is_live and r.value.type == "DELETED" and order(r.version) > order(write.after)]
        believed = mine and mine[-1].value.type != "DELETED"
        inferred = mine and mine[-1].value.inferred
        if told:
            self.report.counts["writes told as they happened"] += 1
        elif inferred or (not believed and any(story.excuses(write) for story in self.told.stories)):
            self.report.counts["writes inside announced gaps"] += 1
        else:
            self.complain("lost", f"DELETED {write.key} uid {write.uid} after {write.after}, at {write.time:.3f}")

    def _inventions(self, key: str, writes: list[Write], records: list[Record]) -> None:
        """What was told must have been done: nobody else writes the ledger's keys.

        But the API server does: it marks a pod (deletionTimestamp) before it goes, at a version that nobody is told.
        """
        known = {write.version for write in writes}
        gone = {write.uid for write in writes if write.act == "DELETED"}
        for record in records:
            is_told = record.value.type == "DELETED" or (record.is_dying and record.uid in gone)
            if not is_told and record.version not in known:
                self.complain("invented", f"{record.value.type} {key} at {record.version}: nobody wrote that")

    def _snapshots(self, key: str, writes: list[Write], records: list[Record]) -> None:
        listed = {record.value.epoch: record.version for record in records if record.value.type == "LISTED"}
        for story in self.told.stories:
            if not story.upto or story.reason == "rewound":
                continue
            owed = state_at(story.upto, writes, self.scope)
            if owed is not None and listed.get(story.epoch, "") != owed:
                found = listed.get(story.epoch) or "missing"
                self.complain(
                    "snapshot", f"epoch {story.epoch} at {story.upto}: {key} is {found}, should be {owed or 'absent'}"
                )

    def _end(self, ledger: Ledger) -> None:
        """Both followers must hold what the cluster holds, object by object."""
        owed = {
            o.key: (o.uid, o.version) for o in ledger.final if self.scope.covers(o) and self.scope.selects(o.labels)
        }
        self.report.counts["objects in the end"] += len(owed)
        for name, state in (("by markers", self.told.marking), ("plainly", self.told.plain)):
            for key in sorted(owed.keys() - state.keys()):
                self.complain("missing", f"{key} {owed[key]}, following {name}")
            for key in sorted(state.keys() - owed.keys()):
                self.complain("ghost", f"{key} {state[key]}, following {name}")
            for key in sorted(key for key in owed.keys() & state.keys() if owed[key] != state[key]):
                self.complain("stale", f"{key} is {state[key]}, should be {owed[key]}, following {name}")


def owed_by(writes: list[Write], scope: Scope) -> Iterator[tuple[Write, str]]:
    """Each write of one key with the type of the change it owes, empty if none: objects enter and leave a selection."""
    inside = False
    for write in writes:
        before = inside
        inside = write.act != "DELETED" and scope.selects(write.labels)
        match before, inside:
            case False, True:
                yield write, "ADDED"
            case True, True:
                yield write, "MODIFIED"
            case True, False:
                yield write, "DELETED"
            case _:
                yield write, ""


def state_at(version: str, writes: list[Write], scope: Scope) -> str | None:
    """The version that a snapshot at *version* must have of this key, empty if none, None if the ledger cannot tell.

    It cannot where a delete is the next thing that happened: when that was, in versions, nobody says.
    """
    known = [n for n, write in enumerate(writes) if write.version and order(write.version) <= order(version)]
    if not known:
        return ""
    write, following = writes[known[-1]], writes[known[-1] + 1 :]
    if following and following[0].act == "DELETED":
        return None
    return write.version if scope.selects(write.labels) else ""
