"""What the judge says: counts for the reader, violations for the one who has to mend it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from tests.audit.records import Entry, Record

Kind = Literal["unreadable", "grammar", "doubled", "order", "lost", "invented", "snapshot", "ghost", "missing", "stale"]
SHOWN = 20
"""Of each kind: the first ones tell the cause, the rest only repeat it."""


class Violation(Struct, frozen=True):
    """Something that the protocol forbids. *partition* and *offset* are -1 where it is about no single record."""

    kind: Kind
    topic: str
    what: str
    partition: int = -1
    offset: int = -1

    def __str__(self) -> str:
        where = f"{self.topic}[{self.partition}]@{self.offset}" if self.partition >= 0 else self.topic
        return f"{self.kind:10} {where}: {self.what}"


def at(record: Record | Entry, kind: Kind, what: str) -> Violation:
    return Violation(kind, record.topic, what, record.partition, record.offset)


@dataclass
class Report:
    """Grows while the checks run. `ok` is the verdict."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    restarts: Counter[str] = field(default_factory=Counter)
    """Epochs by `stream reason`, so that a person sees how much of the evidence lies in gaps, and why."""

    @property
    def ok(self) -> bool:
        return not self.violations

    def of(self, *kinds: Kind) -> list[Violation]:
        return [violation for violation in self.violations if violation.kind in kinds]

    def __str__(self) -> str:
        kinds = Counter(violation.kind for violation in self.violations)
        lines = [f"{count:>10}  {name}" for name, count in self.counts.items()]
        lines += [f"{count:>10}  RESTARTED {name}" for name, count in sorted(self.restarts.items())]
        lines.append(
            "verdict: " + (", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "clean: the promise was kept")
        )
        for kind, number in kinds.items():
            lines += [f"  {violation}" for violation in self.of(kind)[:SHOWN]]
            lines += [f"  {kind:10} ... and {number - SHOWN} more"] if number > SHOWN else []
        return "\n".join(lines)
