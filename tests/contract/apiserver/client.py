"""A client that hides nothing: status and document of every answer, every event of a watch as it came."""

import asyncio
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

Object = dict[str, Any]
MERGE = "application/merge-patch+json"
EVENTS = 60.0
"""Seconds that an event may be waited for: the real server is shared, and the machine too."""


class Reply(NamedTuple):
    status: int
    body: Any
    """JSON as an object, anything else as text."""


class Client:
    """Use as `async with`."""

    def __init__(self, url: str, token: str, trust: ssl.SSLContext | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._trust = trust

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._trust or True, limit=0)
        self._session = aiohttp.ClientSession(
            self._url, headers=self._headers, connector=connector, auto_decompress=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str, accept: str = "application/json", **query: str) -> Reply:
        return await self._ask("GET", path, accept=accept, query=query)

    async def post(self, path: str, body: object, kind: str = "application/json", **query: str) -> Reply:
        return await self._ask("POST", path, body, kind, query=query)

    async def put(self, path: str, body: object, **query: str) -> Reply:
        return await self._ask("PUT", path, body, query=query)

    async def patch(self, path: str, body: object, kind: str = MERGE, **query: str) -> Reply:
        return await self._ask("PATCH", path, body, kind, query=query)

    async def delete(self, path: str, body: object = None, kind: str = "application/json", **query: str) -> Reply:
        return await self._ask("DELETE", path, body, kind, query=query)

    async def namespace(self) -> str:
        """A new one."""
        name = f"contract-{secrets.token_hex(4)}"
        assert (await self.post("/api/v1/namespaces", {"metadata": {"name": name}})).status == 201
        return name

    async def configmaps(self, *names: str) -> str:
        """A new namespace with these in it; the path of the collection."""
        path = f"/api/v1/namespaces/{await self.namespace()}/configmaps"
        for name in names:
            assert (await self.post(path, {"metadata": {"name": name}, "data": {"k": name}})).status == 201
        return path

    async def events(self, *names: str) -> str:
        """The same, with Events."""
        namespace = await self.namespace()
        path = f"/api/v1/namespaces/{namespace}/events"
        for name in names:
            assert (await self.post(path, event(namespace, name))).status == 201
        return path

    async def version(self, path: str) -> str:
        """Of a fresh read, after which the real server's cache is as new: what is old enough may be read from it."""
        return str((await self.get(path, limit="1")).body["metadata"]["resourceVersion"])

    @asynccontextmanager
    async def watch(
        self, path: str, accept: str = "application/json", **query: str
    ) -> AsyncIterator[AsyncIterator[Object]]:
        """Its events, until it ends."""
        asked = {"watch": "true", "timeoutSeconds": "300"} | query
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        async with self._session.get(path, params=asked, headers=headers) as response:
            assert response.status == 200, await response.read()
            try:
                yield _lines(response)
            finally:
                await _cut(response)

    async def raw(self, path: str, headers: dict[str, str], **query: str) -> tuple[aiohttp.ClientResponse, bytes]:
        """The answer, and the bytes of its body as they came over the wire."""
        async with self._session.get(path, params=query, headers=headers) as response:
            return response, await response.read()

    async def _ask(
        self,
        method: str,
        path: str,
        body: object = None,
        kind: str = "application/json",
        accept: str = "application/json",
        query: dict[str, str] | None = None,
    ) -> Reply:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Accept": accept, "Accept-Encoding": "identity"} | ({"Content-Type": kind} if data else {})
        async with self._session.request(method, path, params=query, data=data, headers=headers) as response:
            content = await response.read()
            is_json = response.content_type == "application/json"
            return Reply(response.status, json.loads(content) if is_json else content.decode())


async def _cut(response: aiohttp.ClientResponse) -> None:
    """What is left unread ends at once: a TLS connection that closes in good order outlives the test's loop."""
    if response.connection is not None and response.connection.transport is not None:
        response.connection.transport.abort()
    await asyncio.sleep(0)


async def _lines(response: aiohttp.ClientResponse) -> AsyncIterator[Object]:
    rest = b""
    async for chunk in response.content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)


async def until(events: AsyncIterator[Object], last: Callable[[Object], bool]) -> list[Object]:
    """All events up to the one that is *last*."""
    found: list[Object] = []
    async with asyncio.timeout(EVENTS):
        async for event in events:
            found.append(event)
            if last(event):
                return found
    raise AssertionError(f"the watch ended: {found}")


async def everything(events: AsyncIterator[Object]) -> list[Object]:
    async with asyncio.timeout(EVENTS):
        return [event async for event in events]


def ends_initial(event: Object) -> bool:
    return bool(event["object"]["metadata"].get("annotations", {}).get("k8s.io/initial-events-end"))


def is_about(name: str) -> Callable[[Object], bool]:
    return lambda event: event["object"]["metadata"].get("name") == name


def told(events: list[Object]) -> list[tuple[str, str]]:
    """What was said, in short."""
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in events]


def plain(body: Object) -> Object:
    """An object without what is different each time, and without who wrote it."""
    own = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace")
    metadata = {name: value for name, value in body["metadata"].items() if name not in own}
    return body | {"metadata": metadata}


def event(namespace: str, name: str, kind: str = "Normal", reason: str = "Tested", about: str = "x") -> Object:
    involved = {"kind": "Pod", "namespace": namespace, "name": about}
    return {"metadata": {"name": name}, "involvedObject": involved, "type": kind, "reason": reason}


def pod(name: str, labels: dict[str, str] | None = None, node: str = "") -> Object:
    spec: Object = {"containers": [{"name": "c", "image": "i"}]} | ({"nodeName": node} if node else {})
    return {"metadata": {"name": name, "labels": labels or {}}, "spec": spec}
