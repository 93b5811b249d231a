"""What was really done: every acknowledged write, and what the cluster holds at the end."""

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

Act = Literal["ADDED", "MODIFIED", "DELETED"]


class Write(Struct, frozen=True):
    """One acknowledged write. A delete has no *version* of its own (the API does not tell it): it came after *after*.

    *time* is in seconds since 1970, when the answer came. *labels* are the object's after the write (before a delete).
    """

    resource: str
    namespace: str
    name: str
    uid: str
    act: Act
    version: str
    after: str
    labels: dict[str, str]
    time: float

    @property
    def key(self) -> str:
        return key_of(self.resource, self.namespace, self.name)


class Live(Struct, frozen=True):
    """An object that the cluster holds at the end."""

    resource: str
    namespace: str
    name: str
    uid: str
    version: str
    labels: dict[str, str]

    @property
    def key(self) -> str:
        return key_of(self.resource, self.namespace, self.name)


class Scope(Struct, frozen=True):
    """What a stream was asked to follow: the part of the config file that a judge must know.

    *resource* as it stands in keys (`pods`, `widgets.example.com`); *namespace* None is all of them; *selector* is one
    `label=value`. Everything of a scope goes to one *topic*.
    """

    stream: str
    topic: str
    resource: str
    namespace: str | None = None
    selector: str | None = None

    def covers(self, thing: Write | Live) -> bool:
        """Whether *thing* is of this resource and namespace, whatever its labels."""
        return thing.resource == self.resource and self.namespace in (None, thing.namespace)

    def selects(self, labels: dict[str, str]) -> bool:
        if self.selector is None:
            return True
        label, _, value = self.selector.partition("=")
        return labels.get(label) == value


class Ledger(Struct, frozen=True):
    """Invariant: the writes of one key are in the order in which they happened.

    *unknown* are the keys of which a write's outcome could not be found out: their history cannot be judged exactly.
    """

    writes: list[Write]
    unknown: set[str]
    final: list[Live]

    def save(self, path: Path) -> None:
        path.write_bytes(msgspec.json.encode(self))

    def histories(self, scope: Scope) -> dict[str, list[Write]]:
        """The writes that *scope* covers, by key, without the keys of unknown outcome."""
        by_key: dict[str, list[Write]] = {}
        for write in self.writes:
            if scope.covers(write) and write.key not in self.unknown:
                by_key.setdefault(write.key, []).append(write)
        return by_key


def load(path: Path) -> Ledger:
    return msgspec.json.decode(path.read_bytes(), type=Ledger)


def key_of(resource: str, namespace: str, name: str) -> str:
    return f"{resource}/{namespace}/{name}" if namespace else f"{resource}/{name}"
