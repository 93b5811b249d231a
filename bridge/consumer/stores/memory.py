"""State for as long as the process lives: for tests, and for consumers that read their topics anew at each start."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from bridge.consumer.state import LOST, Chapter, Held, Log, Scope, Standing


class MemoryStore:
    """Owns the objects, the chapters and the offsets. Nothing in it can fail, so a transaction is nothing to it."""

    def __init__(self) -> None:
        self._objects: dict[Scope, dict[str, Held]] = {}
        self._chapters: dict[Scope, Chapter] = {}
        self._offsets: dict[Log, int] = {}

    def chapter(self, scope: Scope) -> Chapter | None:
        return self._chapters.get(scope)

    def turn(self, scope: Scope, chapter: Chapter) -> None:
        self._chapters[scope] = chapter

    def held(self, scope: Scope, key: str) -> Held | None:
        return self._objects.get(scope, {}).get(key)

    def put(self, scope: Scope, key: str, held: Held) -> None:
        self._objects.setdefault(scope, {})[key] = held

    def drop(self, scope: Scope, key: str) -> bool:
        return self._objects.get(scope, {}).pop(key, None) is not None

    def count(self, scope: Scope, epoch: int) -> int:
        return sum(held.epoch == epoch for held in self._objects.get(scope, {}).values())

    def sweep(self, scope: Scope, epoch: int) -> list[str]:
        objects = self._objects.get(scope, {})
        gone = sorted(key for key, held in objects.items() if held.epoch < epoch)
        for key in gone:
            del objects[key]
        return gone

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def offset(self, log: Log) -> int | None:
        return self._offsets.get(log)

    def advance(self, log: Log, offset: int) -> None:
        self._offsets[log] = offset

    def lose(self, log: Log) -> None:
        self._offsets.pop(log, None)
        for scope, chapter in self._chapters.items():
            if scope[:2] == log:
                self._chapters[scope] = replace(chapter, standing=Standing.JOINED, version="", time="")
                objects = self._objects.get(scope, {})
                objects.update({key: replace(held, epoch=LOST) for key, held in objects.items()})

    def forget(self, log: Log) -> None:
        self._offsets.pop(log, None)
        for scope in [scope for scope in self._chapters if scope[:2] == log]:
            del self._chapters[scope]
            self._objects.pop(scope, None)

    def logs(self) -> list[Log]:
        return sorted(self._offsets)

    def chapters(self) -> dict[Scope, Chapter]:
        return dict(self._chapters)

    def objects(self) -> Iterator[tuple[Scope, str, Held]]:
        for scope, objects in self._objects.items():
            for key, held in objects.items():
                yield scope, key, held

    def close(self) -> None:
        """There is nothing to let go of."""
