"""A watch: objects first if that is asked for, then every change of the selection, bookmarks, and the end in time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import msgspec
from msgspec import Struct

from bridge.sandbox.apiserver import refusals
from bridge.sandbox.apiserver.lists import FRESH
from bridge.sandbox.apiserver.options import Options
from bridge.sandbox.apiserver.refusals import Object, RefusalError
from bridge.sandbox.apiserver.resources import CRDS, Resource
from bridge.sandbox.apiserver.selectors import selects
from bridge.sandbox.apiserver.store import Change, Store, at_version
from bridge.sandbox.apiserver.views import View

BOOKMARKS = 60.0
"""Seconds between bookmarks (cacher.go)."""
LAST = 2.0
"""Seconds before a watch ends that it gets a last bookmark (cache_watcher.go)."""
BATCH = 500
"""Changes that are looked at before what they say is sent: a bound for the memory of one write."""
INITIAL_END = "k8s.io/initial-events-end"

Send = Callable[[bytes], Awaitable[None]]


class Asked(Struct, frozen=True):
    """What is watched, by whom and how it is shown."""

    resource: Resource
    namespace: str
    options: Options
    view: View


class Watch:
    """Owns its place in the history. `run` ends when the time is over, the watch is told to, or it cannot go on."""

    def __init__(self, store: Store, asked: Asked, interval: float) -> None:
        self.asked = asked
        self.path = ""
        """Where it was asked for, by whoever keeps the open ones."""
        self.is_cut = False
        """Ended without good order: the connection breaks in the middle of the answer."""
        self._store = store
        self._selects = selects(asked.resource, asked.options.labels, asked.options.fields, asked.namespace)
        self._interval = interval
        self._seen = 0
        self._woken = asyncio.Event()
        self._ended = False
        self._injected: list[bytes] = []
        self._first = True

    def end(self, *, cut: bool = False) -> None:
        self._ended, self.is_cut = True, cut
        self._woken.set()

    def say(self, data: bytes) -> None:
        """Send *data* as it is, after what was due before."""
        self._injected.append(data)
        self._woken.set()

    async def run(self, send: Send) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.asked.options.timeout
        self._store.listeners.add(self._woken.set)
        try:
            await send(await self._beginning())
            await self._follow(send, deadline)
        except RefusalError as error:
            await send(line("ERROR", error.status))
        finally:
            self._store.listeners.discard(self._woken.set)

    async def _follow(self, send: Send, deadline: float) -> None:
        bookmarks = self._bookmark_times(deadline)
        due = next(bookmarks, deadline)
        while not self._is_over(deadline):
            self._woken.clear()
            if lines := self._due():
                await send(lines)
            if lines or self._is_behind():
                continue
            if self._now() >= due < deadline:
                due = next(bookmarks, deadline)
                await send(self._bookmark())
                continue
            await self._sleep(min(due, deadline))
        if self._injected:
            await send(self._due())

    async def _sleep(self, until: float) -> None:
        try:
            async with asyncio.timeout_at(until):
                await self._woken.wait()
        except TimeoutError:
            return

    def _is_over(self, deadline: float) -> bool:
        """A watch that fell behind what is remembered is closed as a slow one: without a word."""
        return self._ended or self._now() >= deadline or (self._seen < self._store.forgotten and not self._is_ahead())

    def _is_behind(self) -> bool:
        return self._seen < self._store.version

    def _is_ahead(self) -> bool:
        return self._seen > self._store.version

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    # What it says

    async def _beginning(self) -> bytes:
        """Where to begin, and the objects that are there, if they are wanted."""
        asked, store = self.asked.options, self._store
        initial = asked.is_any if asked.initial is None else asked.initial
        if not initial:
            self._seen = store.version if asked.version is None else asked.version
            self._check_age()
            return b""
        if not await store.reaches(asked.version or 0, FRESH):
            raise refusals.too_large(asked.version or 0, store.version, cached=True)
        self._seen = store.version
        objects = [body for _, body in store.all(self.asked.resource.storage) if self._selects(body)]
        end = self._bookmark({INITIAL_END: "true"}) if asked.bookmarks else b""
        return b"".join([self._event("ADDED", body) for body in objects]) + end

    def _check_age(self) -> None:
        if self.asked.resource.cached and self._seen < self._store.forgotten:
            raise refusals.watch_too_old(self._seen, self._store.forgotten)
        if not self.asked.resource.cached and self._seen < self._store.compacted:
            raise refusals.too_old("watch")

    def _due(self) -> bytes:
        """All that is to be said now. Changes up to the version that was asked for are never said."""
        injected, self._injected = self._injected, []
        if self._seen < self._store.forgotten or self._is_ahead():
            return b"".join(injected)
        changes = self._store.since(self._seen, BATCH)
        if changes:
            self._seen = changes[-1].version
        return b"".join([*(said for change in changes if (said := self._said(change))), *injected])

    def _said(self, change: Change) -> bytes:
        """An object that enters the selection was added, and one that leaves it deleted, as far as is told here."""
        resource = self.asked.resource
        if change.storage == CRDS.storage and change.after is None and change.key == resource.name:
            self._ended = True  # what is watched is served no more
        if change.storage != resource.storage:
            return b""
        before = change.before if change.before and self._selects(change.before) else None
        after = change.after if change.after and self._selects(change.after) else None
        if after is not None:
            return self._event("MODIFIED" if before else "ADDED", after)
        return self._event("DELETED", at_version(before, change.version)) if before else b""

    def _event(self, kind: str, body: Object) -> bytes:
        shown = self.asked.view.event(self.asked.resource, body, self._first)
        self._first = False
        return line(kind, shown)

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        """All up to its version has been said."""
        if self._is_ahead():
            return b""
        resource = self.asked.resource
        metadata: Object = {"resourceVersion": str(self._seen)}
        if annotations:
            metadata["annotations"] = annotations
        body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        return line("BOOKMARK", self.asked.view.event(resource, body, self._first))

    def _bookmark_times(self, deadline: float) -> Iterator[float]:
        """The uncached get none but the one that ends a snapshot."""
        if not (self.asked.options.bookmarks and self.asked.resource.cached):
            return
        due = self._now() + self._interval
        while due < deadline - LAST:
            yield due
            due += self._interval
        if self._now() < deadline - LAST:
            yield deadline - LAST


def line(kind: str, body: Object) -> bytes:
    return msgspec.json.encode({"type": kind, "object": body}) + b"\n"
