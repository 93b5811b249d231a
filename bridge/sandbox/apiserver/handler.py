"""A request in, an answer out: which verb it is, and in what form the answer goes."""

import asyncio
import gzip
from collections import deque
from contextlib import suppress
from typing import Any

from aiohttp import web
from msgspec import Struct

from bridge.sandbox.apiserver import contents, discovery, openapi, refusals, writes
from bridge.sandbox.apiserver.access import Access
from bridge.sandbox.apiserver.addresses import Address, address
from bridge.sandbox.apiserver.lists import Listed, listed
from bridge.sandbox.apiserver.options import options
from bridge.sandbox.apiserver.refusals import RefusalError
from bridge.sandbox.apiserver.replies import Answer, Late, Script, Stream
from bridge.sandbox.apiserver.responses import JSON, cut, document, refusal, shown, streamed, viewed
from bridge.sandbox.apiserver.store import Rehearsal, Store
from bridge.sandbox.apiserver.watches import BOOKMARKS, Asked, Watch

REMEMBERED = 10_000
"""Requests that are remembered for tests to look at."""


class Request(Struct, frozen=True):
    """One that was made, and when by the loop's clock."""

    method: str
    path: str
    query: dict[str, str]
    time: float


class Handler:
    """Owns the open watches and what is to be answered instead of the truth."""

    def __init__(self, store: Store, token: str | None) -> None:
        self.store = store
        self.script = Script()
        self.access = Access()
        self.watches: set[Watch] = set()
        self.requests: deque[Request] = deque(maxlen=REMEMBERED)
        self.latency = 0.0
        self.bookmarks = BOOKMARKS
        self.token = token

    async def handle(self, request: web.Request) -> web.StreamResponse:
        now = asyncio.get_running_loop().time()
        self.requests.append(Request(request.method, request.path, dict(request.query), now))
        if self.latency:
            await asyncio.sleep(self.latency)
        reply = self.script.take(request.method, request.path, _is_watch(request))
        match reply:
            case Answer(status, body, headers):
                return web.Response(status=status, body=body, headers=headers)
            case Stream():
                return await streamed(request, reply)
            case Late(seconds):
                await asyncio.sleep(seconds)
            case None:
                pass
        try:
            return await self._truth(request)
        except RefusalError as error:
            return refusal(request, error)

    async def _truth(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            raise refusals.unauthorized()
        if path in ("/readyz", "/healthz", "/livez"):
            return web.Response(text="ok")
        if path == "/version":
            return document(request, discovery.VERSION)
        accept = request.headers.get("Accept", "")
        found = openapi.document(self.store, path) or discovery.document(self.store, path, accept)
        if found is not None:
            kind = discovery.AGGREGATED if found.get("kind") == "APIGroupDiscoveryList" else JSON
            return document(request, found, kind=kind)
        asked = address(path, discovery.served(self.store))
        if asked is None:
            return web.Response(status=404, text="404 page not found\n")
        return await self._asked(request, asked)

    async def _asked(self, request: web.Request, asked: Address) -> web.StreamResponse:
        verb = _verb(request, asked)
        if verb not in asked.resource.verbs:
            raise refusals.not_allowed()
        self.access.check(verb, asked.resource, asked.namespace, asked.name)
        match verb:
            case "get":
                found = writes.get(self.store, asked.resource, asked.namespace, asked.name)
                return shown(request, asked, found)
            case "list":
                page = await listed(self.store, asked.resource, asked.namespace, options(request.query))
                return document(request, viewed(request).many(asked.resource, page))
            case "watch":
                return await self._watch(request, asked)
            case _:
                return self._write(request, asked, verb, await request.read())

    def _write(self, request: web.Request, asked: Address, verb: str, body: bytes) -> web.StreamResponse:
        store = Rehearsal(self.store) if contents.is_rehearsed(request, verb, body) else self.store
        match verb:
            case "create":
                return self._create(store, request, asked, body)
            case "update":
                old = writes.get(store, asked.resource, asked.namespace, asked.name)
                new = contents.content(request, asked, body)
                author = contents.author(request, asked)
                return shown(request, asked, writes.update(store, asked.resource, asked.name, old, new, author))
            case "patch":
                return _patch(store, request, asked, body)
            case "delete":
                preconditions = contents.deletion(request, body).preconditions or contents.NOTHING
                where = asked.namespace, asked.name
                return document(request, writes.delete(store, asked.resource, *where, preconditions))
            case _:
                return _delete_all(store, request, asked)

    def _create(self, store: Store, request: web.Request, asked: Address, body: bytes) -> web.StreamResponse:
        content = contents.content(request, asked, body)
        if "list" not in asked.resource.verbs:
            review = self.access.review(asked.resource, content if isinstance(content, dict) else {})
            return document(request, review, 201)
        author = contents.author(request, asked)
        return shown(request, asked, writes.create(store, asked.resource, asked.namespace, content, author), 201)

    async def _watch(self, request: web.Request, asked: Address) -> web.StreamResponse:
        wanted = Asked(asked.resource, asked.namespace, options(request.query), viewed(request))
        watch = Watch(self.store, wanted, self.bookmarks)
        watch.path = request.path
        zipped = watch.asked.options.initial is True and "gzip" in request.headers.get("Accept-Encoding", "")
        response = web.StreamResponse(headers={"Content-Type": JSON} | ({"Content-Encoding": "gzip"} if zipped else {}))
        await response.prepare(request)

        async def send(data: bytes) -> None:
            if data:
                await response.write(gzip.compress(data, 1) if zipped else data)

        self.watches.add(watch)
        try:
            with suppress(ConnectionError):
                await watch.run(send)
        finally:
            self.watches.discard(watch)
        if watch.is_cut:
            cut(request)
        return response


def _patch(store: Store, request: web.Request, asked: Address, body: bytes) -> web.StreamResponse:
    author = contents.author(request, asked)
    old = store.get(asked.resource.storage, asked.resource.key(asked.namespace, asked.name))
    if old is None and request.content_type == writes.APPLY:
        content: Any = writes.decoded(asked.resource, body)
        made = writes.create(store, asked.resource, asked.namespace, content, author)
        return shown(request, asked, made, 201)
    old = writes.get(store, asked.resource, asked.namespace, asked.name)
    done = writes.patch(store, asked.resource, old, request.content_type, body, author)
    return shown(request, asked, done)


def _delete_all(store: Store, request: web.Request, asked: Address) -> web.StreamResponse:
    wanted = options(request.query)
    gone = writes.delete_all(store, asked.resource, asked.namespace, wanted.labels, wanted.fields)
    page = Listed(gone, {"resourceVersion": str(store.version)})
    return document(request, viewed(request).many(asked.resource, page))


def _verb(request: web.Request, asked: Address) -> str:
    match request.method, bool(asked.name):
        case ("GET", True):
            return "get"
        case ("GET", False):
            return "watch" if _is_watch(request) else "list"
        case ("POST", False) if asked.namespace or not asked.resource.namespaced:
            return "create"
        case ("PUT", True):
            return "update"
        case ("PATCH", True):
            return "patch"
        case ("DELETE", named):
            return "delete" if named else "deletecollection"
        case _:
            raise refusals.not_allowed()


def _is_watch(request: web.Request) -> bool:
    return request.query.get("watch", "").lower() in ("1", "true")
