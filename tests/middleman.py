"""What may stand between the bridge and its API servers: it swallows lines, holds connections, and can change sides."""

import asyncio
import contextlib
import json
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from tests.servers.apiserver import Cluster


class Middleman:
    """Plain HTTP to the bridge, as the administrator to *cluster*. Use as `async with`; asked for reads only."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.swallows = ""
        """The next line of a watch that holds this text never arrives."""
        self.holds = False
        """Watches whose server has ended stay open, and silent; other requests wait until it is back."""
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    def kubeconfig(self, path: Path) -> Path:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "middle", "cluster": {"server": self._url}}],
            "users": [{"name": "middle", "user": {}}],
            "contexts": [{"name": "middle", "context": {"cluster": "middle", "user": "middle"}}],
            "current-context": "middle",
        }
        path.write_text(json.dumps(content))
        return path

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path_qs)
        response = web.StreamResponse()
        while True:
            try:
                await self._relay(request, response)
            except aiohttp.ClientError as error:
                if not response.prepared and not self.holds:
                    return web.Response(status=503, text=str(error))
            if response.prepared:
                break
            await asyncio.sleep(0.1)
        with contextlib.suppress(ConnectionError):  # whoever asked may be gone
            await response.write_eof()
        return response

    async def _relay(self, request: web.Request, response: web.StreamResponse) -> None:
        cluster = self.cluster
        headers = {"Authorization": f"Bearer {cluster.token}", "Accept": request.headers.get("Accept", "*/*")}
        context = ssl.create_default_context(cafile=cluster.ca)
        async with self._session.get(cluster.url + request.path_qs, headers=headers, ssl=context) as answer:
            response.set_status(answer.status)
            response.content_type = answer.content_type
            await response.prepare(request)
            if "watch=true" not in request.query_string:
                await response.write(await answer.read())
                return
            with contextlib.suppress(aiohttp.ClientError):
                await self._watch(answer, response)
            if self.holds and answer.status == 200:
                await asyncio.sleep(3600)

    async def _watch(self, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        line = b""
        async for chunk in answer.content.iter_any():
            *whole, line = (line + chunk).split(b"\n")
            for each in whole:
                if self.swallows and self.swallows.encode() in each:
                    self.swallows = ""
                else:
                    await response.write(each + b"\n")
