"""Records in, tellings out: what each one says, what it changed, and whether it may stand there. No I/O, no clock."""

import threading
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from bridge.consumer.follower import Upsert
from bridge.consumer.intake import Intake, Notice
from bridge.consumer.records import Added, Deleted, Entry, Foreign, Keyed, Listed, Modified, read
from bridge.consumer.state import Chapter, Held, Log, Scope
from bridge.consumer.stores.memory import MemoryStore
from bridge.tail.grammar import Grammar


class Told(Struct, frozen=True):
    """A record, as it was read. *before*: the object as it was held until then, None if nothing is known of it.

    *notices*: what it means to a consumer; none: it changes nothing.
    """

    log: Log
    entry: Entry
    keyed: Keyed | Foreign
    before: Held | None
    notices: tuple[Notice, ...]


class Violation(Struct, frozen=True):
    """The first record that may not stand where it stands."""

    log: Log
    offset: int
    what: str


class Choice(Struct, frozen=True):
    """What is shown of all that is read. Globs; markers have no key of an object: those of *stream* are shown."""

    stream: str = "*"
    key: str = "*"

    def takes(self, told: Told) -> bool:
        match told.keyed:
            case Foreign():
                return self == Choice()
            case Keyed(key=key, record=Added() | Modified() | Listed() | Deleted() as record):
                return fnmatchcase(record.stream, self.stream) and fnmatchcase(key, self.key)
            case Keyed(record=record):
                return fnmatchcase(record.stream, self.stream)


class Reading:
    """Owns the state, what was told and not yet taken away, and the lock: a picture is drawn beside the reading."""

    def __init__(self, choice: Choice, *, checked: bool) -> None:
        self.store = MemoryStore()
        self.choice = choice
        self.checked = checked
        self.records = 0
        self.violation: Violation | None = None
        self._intake = Intake(self.store)
        self._grammar = Grammar() if checked else None
        self._whole: set[Log] = set()
        self._told: list[Told] = []
        self._lock = threading.Lock()

    def begin(self, offsets: Mapping[Log, int]) -> None:
        """Each partition is read from there on; nothing is missed of those that begin at 0."""
        for log, offset in offsets.items():
            self.store.advance(log, offset)
        self._whole = {log for log, offset in offsets.items() if offset == 0}

    def take(self, log: Log, entries: Sequence[Entry]) -> Sequence[Notice]:
        """As an intake does, and one by one. After a violation nothing is taken."""
        notices: list[Notice] = []
        with self._lock:
            for entry in entries:
                if self.violation is None and entry.offset >= (self.store.offset(log) or 0):
                    notices += self._one(log, entry)
        return notices

    def has_none_of_ours(self, topic: str) -> bool:
        return self._intake.has_none_of_ours(topic)

    def lose(self, log: Log) -> None:
        self._whole.discard(log)
        if self._grammar is not None:
            self._grammar.lose(log)

    def collect(self) -> list[Told]:
        """What was told since the last time, of what was chosen."""
        told, self._told = self._told, []
        return told

    def state(self) -> tuple[list[tuple[Scope, str, Held]], dict[Scope, Chapter]]:
        """The objects that are held and chosen, in order, and where their streams are."""
        with self._lock:
            objects = [
                (scope, key, held)
                for scope, key, held in self.store.objects()
                if fnmatchcase(scope.stream, self.choice.stream) and fnmatchcase(key, self.choice.key)
            ]
            chapters = self.store.chapters()
        chosen = {scope: chapters[scope] for scope in sorted(chapters) if fnmatchcase(scope.stream, self.choice.stream)}
        return sorted(objects, key=lambda row: (row[1], row[0])), chosen

    def _one(self, log: Log, entry: Entry) -> Sequence[Notice]:
        keyed = read(entry.key, entry.value)
        self.records += 1
        before = None
        if isinstance(keyed, Keyed):
            before = self.store.held(Scope(log.topic, log.partition, keyed.record.stream), keyed.key)
        if self._grammar is not None:
            wrong = self._wrong(self._grammar, log, keyed)
            self.violation = Violation(log, entry.offset, wrong) if wrong else None
        notices = self._intake.take(log, [entry])
        told = Told(log, entry, keyed, before, tuple(notices))
        if self.choice.takes(told):
            self._told.append(told)
        return notices

    def _wrong(self, grammar: Grammar, log: Log, keyed: Keyed | Foreign) -> str:
        if isinstance(keyed, Foreign):
            return f"no record of the protocol: {keyed.why}"
        return grammar.check(log, keyed, self._whole)


def is_ignored(told: Told) -> bool:
    """A change of an epoch that is over: a repetition, which changes nothing."""
    return (
        isinstance(told.keyed, Keyed)
        and isinstance(told.keyed.record, Added | Modified | Listed)
        and not any(isinstance(notice, Upsert) for notice in told.notices)
    )
