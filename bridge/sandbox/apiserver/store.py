"""Everything that is kept, and its history: one version for all of it, as in etcd, one greater with every write."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice

from msgspec import Struct

from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Storage

Listener = Callable[[], None]

WINDOW = 20_000
"""Changes that are remembered, about 80 MB of pods: enough for minutes of the liveliest demo."""


class Change(Struct, frozen=True):
    """One write. *before* is None for a new object, *after* for one that went."""

    version: int
    storage: Storage
    key: str
    before: Object | None
    after: Object | None


class Snapshot(Struct, frozen=True):
    """The whole state at one moment, as a backup of etcd holds it."""

    version: int
    objects: dict[Storage, dict[str, Object]]


class Store:
    """Owns objects, version and history. Objects are values: whoever changes one commits another.

    Invariant: the changes remembered are those after `forgotten`, without a hole.
    """

    def __init__(self, window: int = WINDOW) -> None:
        self.version = 1
        self.forgotten = 1
        """Watches and lists at versions below are expired."""
        self.compacted = 1
        """The same for what is not cached: etcd's own memory."""
        self._window = window
        self._objects: dict[Storage, dict[str, Object]] = {}
        self._changes: deque[Change] = deque()
        self.listeners: set[Listener] = set()
        """Told, without what, that something was written."""

    def get(self, storage: Storage, key: str) -> Object | None:
        return self._objects.get(storage, {}).get(key)

    def all(self, storage: Storage) -> list[tuple[str, Object]]:
        """In the order of keys."""
        return sorted(self._objects.get(storage, {}).items())

    def storages(self) -> list[Storage]:
        return list(self._objects)

    def at(self, storage: Storage, version: int) -> list[tuple[str, Object]]:
        """As `all` was at *version*, which must be remembered: what was written since is undone."""
        assert version >= self.forgotten
        objects = dict(self._objects.get(storage, {}))
        for change in reversed(self.since(version)):
            if change.storage == storage:
                if change.before is None:
                    del objects[change.key]
                else:
                    objects[change.key] = change.before
        return sorted(objects.items())

    def since(self, version: int, limit: int | None = None) -> list[Change]:
        """The changes after *version*, which must be remembered, or the first *limit* of them."""
        skipped = max(0, version - self.forgotten)
        return list(islice(self._changes, skipped, None if limit is None else skipped + limit))

    def commit(self, storage: Storage, key: str, after: Object | None) -> Object:
        """Write, and say what was written. A deleted object comes with the version of its deletion."""
        objects = self._objects.setdefault(storage, {})
        before = objects.get(key)
        self.version += 1
        body = after or before
        assert body is not None, "only what is there can go"
        written = at_version(body, self.version)
        if after is None:
            del objects[key]
        else:
            objects[key] = written
        self._remember(Change(self.version, storage, key, before, written if after else None))
        for told in tuple(self.listeners):
            told()
        return written

    def _remember(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > self._window:
            self._forget(self._changes[0].version)

    def _forget(self, version: int) -> None:
        while self._changes and self._changes[0].version <= version:
            self._changes.popleft()
        self.forgotten = max(self.forgotten, version)
        self.compacted = max(self.compacted, version)

    # What can happen to a store

    def compact(self) -> None:
        """Etcd forgets what was. What the watch cache holds is not touched."""
        self.compacted = self.version

    def forget_all(self) -> None:
        """As after a restart: the cache begins anew as well."""
        self._forget(self.version)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.version, {storage: dict(objects) for storage, objects in self._objects.items()})

    def restore(self, snapshot: Snapshot) -> None:
        """The version goes back too, and will be handed out again for other changes."""
        self._objects = {storage: dict(objects) for storage, objects in snapshot.objects.items()}
        self._changes.clear()
        self.version = self.forgotten = self.compacted = snapshot.version

    async def reaches(self, version: int, seconds: float) -> bool:
        """Whether *version* has been handed out within *seconds*."""
        if self.version >= version:
            return True
        written = asyncio.Event()
        self.listeners.add(written.set)
        try:
            async with asyncio.timeout(seconds):
                while self.version < version:
                    written.clear()
                    await written.wait()
        except TimeoutError:
            return False
        finally:
            self.listeners.discard(written.set)
        return True


class Rehearsal(Store):
    """What a dry run writes to: all that is in *store* now. Nobody hears of it, and no versions are handed out.

    So what is new has none, and what is changed keeps its own, as on the real server (registry/dryrun.go).
    """

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.restore(store.snapshot())

    def commit(self, storage: Storage, key: str, after: Object | None) -> Object:
        objects = self._objects.setdefault(storage, {})
        body = after or objects.get(key)
        assert body is not None, "only what is there can go"
        if after is None:
            del objects[key]
        else:
            objects[key] = after
        return body


def at_version(body: Object, version: int) -> Object:
    return body | {"metadata": body["metadata"] | {"resourceVersion": str(version)}}
