"""The two servers behind one face: where they are, and what can be made to happen to them."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bridge.sandbox.apiserver.server import ApiServer
from tests.contract.apiserver.client import Client
from tests.servers.apiserver import Cluster


class Side(Protocol):
    def client(self) -> AbstractAsyncContextManager[Client]: ...

    async def compact(self) -> None: ...

    async def expire_everything(self) -> None: ...


class Sandbox:
    """Lives as long as its client."""

    def __init__(self) -> None:
        self._server = ApiServer()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        async with self._server, Client(self._server.url, "", None) as client:
            yield client

    async def compact(self) -> None:
        self._server.compact()

    async def expire_everything(self) -> None:
        self._server.expire_everything()


class Real:
    """Shared by all tests: each works in a namespace of its own."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        trust = ssl.create_default_context(cafile=self._cluster.ca)
        async with Client(self._cluster.url, self._cluster.token, trust) as client:
            yield client

    async def compact(self) -> None:
        await asyncio.to_thread(self._cluster.compact)

    async def expire_everything(self) -> None:
        await asyncio.to_thread(self._cluster.expire_everything)
