"""Topics and ledgers made by hand, for the tests of the judge: clean ones, to be spoilt."""

from typing import Any

import msgspec

from tests.audit.ledger import Act, Ledger, Live, Scope, Write
from tests.audit.records import Entry, Log, placed

TOPIC, STREAM, PARTITIONS = "k8s.things", "things", 2
TIME = "2026-11-23T08:30:00.123Z"
SCOPE = Scope(STREAM, TOPIC, "configmaps")
CLEAN_LEDGER = [
    ("a", "a1", "ADDED", "7"),
    ("b", "b1", "ADDED", "12"),
    ("a", "a1", "MODIFIED", "13"),
    ("b", "b1", "DELETED", ""),
]


class Story:
    """Writes a topic as the protocol wants it; tests then spoil it."""

    def __init__(self, stream: str = STREAM) -> None:
        self.stream = stream
        self.epoch = 0
        self.entries: list[tuple[int, str, dict[str, Any]]] = []
        self.listed = [0] * PARTITIONS

    def marker(self, **fields: object) -> "Story":
        for partition in range(PARTITIONS):
            own = {"partition": partition, "partitions": PARTITIONS}
            objects = {"objects": self.listed[partition]} if fields["type"] == "SYNCED" else {}
            self.add(partition, self.stream, {**own, **objects, **fields})
        return self

    def restarted(self, epoch: int, reason: str = "initial", previous: tuple[int, str] | None = None) -> "Story":
        self.epoch, self.listed = epoch, [0] * PARTITIONS
        told = {"epoch": previous[0], "resourceVersion": previous[1], "time": TIME} if previous else None
        return self.marker(type="RESTARTED", reason=reason, message="", previous=told)

    def synced(self, version: str) -> "Story":
        return self.marker(type="SYNCED", resourceVersion=version)

    def progress(self, version: str) -> "Story":
        return self.marker(type="PROGRESS", resourceVersion=version)

    def change(self, kind: str, name: str, uid: str, version: str, **more: str) -> "Story":
        key = f"configmaps/default/{name}"
        metadata = {"namespace": "default", "name": name, "uid": uid, "resourceVersion": version, **more}
        self.listed[placed(key, PARTITIONS)] += kind == "LISTED"
        self.add(
            placed(key, PARTITIONS), key, {"type": kind, "resourceVersion": version, "object": {"metadata": metadata}}
        )
        return self

    def inferred(self, name: str, uid: str) -> "Story":
        key = f"configmaps/default/{name}"
        metadata = {"namespace": "default", "name": name, "uid": uid}
        value = {"type": "DELETED", "inferred": True, "object": {"metadata": metadata}}
        self.add(placed(key, PARTITIONS), key, value)
        return self

    def add(self, partition: int, key: str, value: dict[str, Any]) -> None:
        common = {"cluster": "test", "stream": self.stream, "epoch": self.epoch, "time": TIME}
        self.entries.append((partition, key, {**common, **value}))

    def log(self) -> Log:
        entries = [
            Entry(TOPIC, p, n, key.encode(), msgspec.json.encode(v)) for n, (p, key, v) in enumerate(self.entries)
        ]
        return Log(TOPIC, PARTITIONS, sorted(entries, key=lambda entry: (entry.partition, entry.offset)))


def clean() -> Story:
    """One object from before, one that comes, changes and goes; a gap in which one goes and one comes."""
    story = Story().restarted(1).change("LISTED", "a", "a1", "7").synced("10")
    return story.change("ADDED", "b", "b1", "12").change("MODIFIED", "a", "a1", "13").change("DELETED", "b", "b1", "14")


def with_gap() -> Story:
    """As `clean`, then between 14 and 20 `a` went and `c` came."""
    story = clean().progress("14").restarted(2, "expired", (1, "14"))
    return story.change("LISTED", "c", "c1", "17").inferred("a", "a1").synced("20")


def ledger(*acts: tuple[str, str, str, str], unknown: set[str] | None = None) -> Ledger:
    """What was done, as (name, uid, act, version); what is left at the end follows from it."""
    writes: list[Write] = []
    living: dict[str, Write] = {}
    for number, (name, uid, act, version) in enumerate(acts):
        before = living.pop(name, None)
        write = _write(name, uid, act, version, before.version if before else "", float(number))
        writes.append(write)
        if act != "DELETED":
            living[name] = write
    final = [Live("configmaps", "default", w.name, w.uid, w.version, {}) for w in living.values()]
    return Ledger(writes, unknown or set(), final)


def _write(name: str, uid: str, act: str, version: str, after: str, time: float) -> Write:
    kind = msgspec.convert(act, Act)
    return Write("configmaps", "default", name, uid, kind, version, after, {}, time)
