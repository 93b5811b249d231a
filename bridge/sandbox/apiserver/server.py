"""The API server's door: start and end it, write to it from within, and let happen to it what happens to clusters."""

import json
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from bridge.sandbox.apiserver import writes
from bridge.sandbox.apiserver.access import Access
from bridge.sandbox.apiserver.addresses import resource_named
from bridge.sandbox.apiserver.discovery import served
from bridge.sandbox.apiserver.handler import Handler, Request
from bridge.sandbox.apiserver.objects import Author
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.replies import Reply, Script
from bridge.sandbox.apiserver.resources import Resource
from bridge.sandbox.apiserver.store import WINDOW, Change, Snapshot, Store

BODY = 8 << 20
"""Bytes of a request that are read: more than the real server takes (3 MiB), so that big objects can be tried."""
GRACE = 0.1
"""Seconds in which the last answers may finish when the server ends; open watches are ended before."""
WITHIN = Author("sandbox", raw=True)


class ApiServer:
    """Use as `async with ApiServer() as server`. All methods but `start` and `close` act at once.

    Resources are named as kubectl writes them, in the plural: `pods`, `deployments.apps`, `widgets.example.com`.
    What is written from within is taken as it is given, with status, uid and times, as a controller would write it.
    """

    def __init__(self, port: int = 0, *, token: str | None = None, window: int = WINDOW) -> None:
        """*port* 0 is any free one. *window*: changes that are remembered.

        *token*: what clients must bear. kubectl cannot: it shows no credentials to a server without TLS.
        """
        self._store = Store(window)
        self._handler = Handler(self._store, token)
        self._port = port
        self._runner: web.AppRunner | None = None
        for name in writes.STAYING:
            self.create("namespaces", {"metadata": {"name": name}})

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def start(self) -> None:
        application = web.Application(client_max_size=BODY)
        application.router.add_route("*", "/{path:.*}", self._handler.handle)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=GRACE)
        await runner.setup()
        self._runner = runner
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        await site.start()
        self._port = runner.addresses[0][1]

    async def close(self) -> None:
        """As a process that is killed. What was written stays: it may be started again on its port."""
        self.close_watches(cut=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def kubeconfig_text(self) -> str:
        """For kubectl, the bridge and all others (JSON is YAML too)."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "sandbox", "cluster": {"server": self.url}}],
            "users": [{"name": "sandbox", "user": {"token": self._handler.token} if self._handler.token else {}}],
            "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": "sandbox"}}],
            "current-context": "sandbox",
        }
        return json.dumps(content, indent=1)

    # Objects

    @property
    def version(self) -> int:
        """The newest resource version."""
        return self._store.version

    def get(self, resource: str, namespace: str, name: str) -> Object | None:
        found = self._resource(resource)
        return self._store.get(found.storage, found.key(namespace, name))

    def list(self, resource: str) -> list[Object]:
        return [body for _, body in self._store.all(self._resource(resource).storage)]

    def create(self, resource: str, body: Object) -> Object:
        """In the namespace that it names, else `default`. Refused as over HTTP, with a `RefusalError`."""
        found = self._resource(resource)
        return writes.create(self._store, found, _home(found, body), body, WITHIN)

    def update(self, resource: str, body: Object) -> Object:
        """Status included. A `resourceVersion` in it must be the object's own; without one any will do."""
        found, name = self._resource(resource), body["metadata"]["name"]
        old = writes.get(self._store, found, _home(found, body), name)
        metadata = {"resourceVersion": old["metadata"]["resourceVersion"]} | body["metadata"]
        return writes.update(self._store, found, name, old, body | {"metadata": metadata}, WITHIN)

    def delete(self, resource: str, namespace: str, name: str) -> None:
        writes.delete(self._store, self._resource(resource), namespace, name, {})

    def follow(self, told: Callable[[Change], None]) -> None:
        """*told* hears of every write from now on, as it happens: what a ledger is made of."""
        at = self.version

        def tell() -> None:
            nonlocal at
            for change in self._store.since(at):
                told(change)
            at = self.version

        self._store.listeners.add(tell)

    # What can happen to it

    def compact(self) -> None:
        """Etcd's history is forgotten: old positions of `events` are 410 (and of no other resource), old pages too."""
        self._store.compact()

    def expire_everything(self) -> None:
        """As a restart does: watches end, and every version handed out until now is 410 afterwards."""
        self._store.forget_all()
        self.close_watches()

    def snapshot(self) -> Snapshot:
        """The whole state, for `rewind`."""
        return self._store.snapshot()

    def rewind(self, snapshot: Snapshot) -> None:
        """As the restore of a backup: versions go back, and will be handed out again for other changes."""
        self._store.restore(snapshot)
        self.close_watches(cut=True)

    def close_watches(self, *, cut: bool = False) -> None:
        """In good order as in an upgrade, or cut as by a crash."""
        for watch in tuple(self._handler.watches):
            watch.end(cut=cut)

    def say(self, path: str, data: bytes) -> int:
        """Send *data*, whatever it is, into the open watches of *path*, and say how many there are.

        Half a line and then `close_watches(cut=True)` is a connection that broke in the middle of one.
        """
        told = [watch for watch in self._handler.watches if watch.path == path]
        for watch in told:
            watch.say(data)
        return len(told)

    @property
    def open_watches(self) -> int:
        return len(self._handler.watches)

    @property
    def requests(self) -> tuple[Request, ...]:
        """The last ones, oldest first."""
        return tuple(self._handler.requests)

    @property
    def script(self) -> Script:
        """Replies in place of the truth, for the next requests of a path."""
        return self._handler.script

    @property
    def access(self) -> Access:
        """What is forbidden."""
        return self._handler.access

    def answer(self, path: str, *replies: Reply, method: str = "GET", watch: bool | None = None) -> None:
        """Queue *replies* for the next requests of *path*, one each; *watch* tells lists and watches apart."""
        self.script.queue(path, *replies, method=method, watch=watch)

    def set_latency(self, seconds: float) -> None:
        """Before every answer."""
        self._handler.latency = seconds

    def set_bookmarks(self, seconds: float) -> None:
        """Between two bookmarks of the watches that are opened from now on."""
        self._handler.bookmarks = seconds

    def _resource(self, name: str) -> Resource:
        return resource_named(name, served(self._store))


def _home(resource: Resource, body: Object) -> str:
    if not resource.namespaced:
        return ""
    return str(body["metadata"].get("namespace") or "default")
