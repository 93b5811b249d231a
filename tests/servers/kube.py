"""A small client for tests: any path, JSON in and out, the server's own words when it refuses."""

import asyncio
import io
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

Object = dict[str, Any]

BUSY = 30.0
"""Seconds for a server that asks to come back later."""


class RefusedError(Exception):
    """The server said no: `status` is HTTP's, `reason` is Kubernetes' (`NotFound`, `Forbidden`, `Expired`...)."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        self.status = status
        self.reason = reason
        super().__init__(f"{status} {reason}: {message}")


class Kube:
    """Use as `async with`. Paths are absolute: `/api/v1/namespaces/default/configmaps/a`."""

    def __init__(self, url: str, token: str, ca: Path) -> None:
        self._url = url
        self._token = token
        self._ca = ca

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            self._url,
            headers={"Authorization": f"Bearer {self._token}"},
            connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=self._ca), limit=0),
            timeout=aiohttp.ClientTimeout(total=60),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._session.close()

    async def get(self, path: str, **parameters: str) -> Object:
        """An object, a list, or any other document."""
        until = time.monotonic() + BUSY
        while True:
            try:
                return await self._ask("GET", path, parameters=parameters)
            except RefusedError as refused:
                if refused.status != 429 or time.monotonic() > until:
                    raise
                await asyncio.sleep(0.5)  # "storage is (re)initializing": it says when it is not ready, as at a start

    async def list(self, path: str, **parameters: str) -> list[Object]:
        items: list[Object] = (await self.get(path, **parameters))["items"]
        return items

    async def version(self, path: str) -> int:
        """The resource version of a fresh list."""
        return int((await self.get(path, limit="1"))["metadata"]["resourceVersion"])

    async def create(self, path: str, body: Object) -> Object:
        """`path` is the collection's."""
        return await self._ask("POST", path, body)

    async def update(self, path: str, body: Object) -> Object:
        return await self._ask("PUT", path, body)

    async def patch(self, path: str, body: Object) -> Object:
        """A merge patch (RFC 7386)."""
        return await self._ask("PATCH", path, body, "application/merge-patch+json")

    async def apply(self, path: str, body: Object, **parameters: str) -> Object:
        """Create or mend, as `kubectl apply --server-side` does. `dryRun="All"`: only say what would be."""
        query = {"fieldManager": "tests", "force": "true", **parameters}
        return await self._ask("PATCH", path, body, "application/apply-patch+yaml", query)

    async def delete(self, path: str) -> Object:
        """The object as it was, or a Status, as the server likes; pods go without a grace period (nobody ends them)."""
        return await self._ask("DELETE", path, {"gracePeriodSeconds": 0})

    @asynccontextmanager
    async def watch(self, path: str, **parameters: str) -> AsyncIterator[AsyncIterator[Object]]:
        """The events of a watch, as dicts, also of type ERROR, until the server ends it (or `timeoutSeconds`)."""
        query = {"watch": "true", **parameters}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with self._session.get(path, params=query, timeout=timeout) as response:
            if response.status != 200:
                raise await _refusal(response)
            yield _lines(response.content)

    async def _ask(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        content_type: str = "application/json",
        parameters: dict[str, str] | None = None,
    ) -> Object:
        data = None if body is None else io.BytesIO(json.dumps(body).encode())  # bytes over 1 MiB make aiohttp warn
        headers = {"Content-Type": content_type} if body is not None else {}
        async with self._session.request(method, path, params=parameters, data=data, headers=headers) as response:
            if response.status >= 400:
                raise await _refusal(response)
            answer: Object = await response.json()
            return answer


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[Object]:
    """Lines of any length: `readline` would refuse those over its buffer."""
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)


async def _refusal(response: aiohttp.ClientResponse) -> RefusedError:
    content = await response.read()
    try:
        status = json.loads(content)
        return RefusedError(response.status, status["reason"], status["message"])
    except (json.JSONDecodeError, KeyError):
        return RefusedError(response.status, response.reason or "", content.decode(errors="replace")[:1000])
