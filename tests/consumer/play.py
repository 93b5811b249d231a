"""`python -m tests.consumer.play DIRECTORY` plays vectors to the follower, on both stores; exit code 1 on a difference.

The format of vectors is told in protocol/README.md.
"""

import binascii
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from bridge.consumer.intake import Intake, Refused
from bridge.consumer.records import Entry
from bridge.consumer.state import Log, Store
from bridge.consumer.stores.memory import MemoryStore
from bridge.consumer.stores.sqlite import SqliteStore

Objects = dict[str, dict[str, dict[str, Any]]]
"""Partition -> stream -> key -> object."""


class NoVector(Exception):  # noqa: N818 - what the file is
    """The file is no vector, or a part of one. Its text names it, and says why."""


class Step(Struct, frozen=True):
    """One record, and what is to be held after it."""

    partition: Annotated[int, Meta(ge=0, lt=1 << 31)]
    key: str | None
    state: dict[str, Any]
    value: Raw | UnsetType = UNSET
    text: str | UnsetType = UNSET
    hex: str | UnsetType = UNSET
    refused: bool = False

    def __post_init__(self) -> None:
        _ = self.bytes  # raises where it is none

    @property
    def bytes(self) -> bytes | None:
        """The record's value as Kafka holds it."""
        if self.hex is not UNSET:
            return binascii.unhexlify(self.hex)
        if self.text is not UNSET:
            return self.text.encode()
        if self.value is UNSET:
            raise ValueError("a step without value")
        return None if bytes(self.value) == b"null" else bytes(self.value)


class Vector(Struct, frozen=True):
    steps: Annotated[list[Step], Meta(min_length=1)]
    name: str = ""
    why: str = ""


def load(file: Path) -> Vector:
    try:
        return msgspec.json.decode(file.read_text(encoding="utf-8"), type=Vector)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise NoVector(f"{file} is no vector, or a part of one: {error}") from error


def differences(vector: Vector, open_store: Callable[[], Store]) -> list[str]:
    """What came out otherwise than it should. The consumer is made anew from its store before every record."""
    wrong = []
    for number, step in enumerate(vector.steps, 1):
        store = open_store()
        key = step.key.encode() if step.key is not None else None
        notices = Intake(store).take(Log("topic", step.partition), [Entry(number, key, step.bytes)])
        if (found := held(store)) != step.state:
            wrong.append(f"{vector.name}, step {number}: holds {found}, should be {step.state}")
        if any(isinstance(notice, Refused) for notice in notices) != step.refused:
            wrong.append(f"{vector.name}, step {number}: {'not ' * step.refused}refused: {notices}")
        if isinstance(store, SqliteStore):
            store.close()
    return wrong


def held(store: Store) -> Objects:
    found: Objects = {}
    for scope, key, held in store.objects():
        found.setdefault(str(scope.partition), {}).setdefault(scope.stream, {})[key] = json.loads(held.body)
    return found


def play(vectors: Iterable[Vector]) -> list[str]:
    wrong = []
    for vector in vectors:
        memory = MemoryStore()
        wrong += differences(vector, lambda memory=memory: memory)  # type: ignore[misc]
        with TemporaryDirectory() as directory:
            wrong += differences(vector, lambda place=directory: SqliteStore(Path(place) / "state.db"))  # type: ignore[misc]
    return wrong


def play_file(file: Path) -> list[str]:
    try:
        return play([load(file)])
    except NoVector as error:
        return [f"{error}"]


def main() -> int:
    files = sorted(Path(sys.argv[1]).glob("*.json"))
    wrong = [problem for file in files for problem in play_file(file)]
    print(*wrong, f"{len(files)} vectors in {sys.argv[1]}, {len(wrong)} differences", sep="\n")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main())
