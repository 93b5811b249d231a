"""The HTTP side: what is asked, and what is answered. No state but the board's, and nothing that can be changed."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from bridge.metrics import exposition
from bridge.web.board import Board
from bridge.web.gauges import Builds, readings
from bridge.web.page import page
from bridge.web.pulse import Pulse
from bridge.web.readiness import Check

PATIENCE = 0.5
"""Seconds that answers under way have when the bridge ends: it must be gone within 10."""
SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "event-bridge",
    "X-Content-Type-Options": "nosniff",
}
MENDS = (
    "Choose another address or port for http.listen: port 0 takes a free one, and http: {listen: null} serves nothing"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Unbindable(Exception):  # noqa: N818 - what it is, not that it is one
    """Nobody can be served there. Says why, and the mend."""


class Answers:
    """Reads the board for whoever asks."""

    def __init__(self, board: Board, pulse: Pulse, builds: Builds) -> None:
        self._board = board
        self._pulse = pulse
        self._builds = builds
        self._page = page()
        self._paths: dict[str, tuple[Handler, str]] = {
            "/": (self.page, "the status page"),
            "/livez": (self.livez, "whether the bridge's event loop turns"),
            "/readyz": (self.readyz, "whether every stream's position is young enough; ?verbose tells each"),
            "/metrics": (self.metrics, "for Prometheus"),
            "/status": (self.status, "every stream, as JSON"),
        }

    @property
    def routes(self) -> list[web.RouteDef]:
        return [web.get(path, handler) for path, (handler, _) in self._paths.items()]

    async def page(self, _: web.Request) -> web.Response:
        answer = web.Response(text=self._page.html, content_type="text/html", charset="utf-8")
        answer.headers["Content-Security-Policy"] = self._page.policy
        answer.enable_compression()
        return answer

    async def livez(self, request: web.Request) -> web.Response:
        beats, told = self._pulse.beats, f"last heartbeat {self._pulse.silence:.1f}s ago"
        return _verdict("livez", request, [Check("loop", beats, told)])

    async def readyz(self, request: web.Request) -> web.Response:
        return _verdict("readyz", request, list(self._board.checks()))

    async def status(self, _: web.Request) -> web.Response:
        answer = web.Response(body=msgspec.json.encode(self._board.read()), content_type="application/json")
        answer.enable_compression()
        return answer

    async def metrics(self, request: web.Request) -> web.Response:
        values = readings(self._board.read(), self._builds, self._pulse.lag)
        accept = ",".join(request.headers.getall("Accept", []))
        body, kind = await asyncio.to_thread(exposition, accept, values)  # tenths of a second, with hundreds of streams
        answer = web.Response(body=body, headers={"Content-Type": kind})
        answer.enable_compression()
        return answer

    @web.middleware
    async def guide(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Who has lost the way is told the paths."""
        try:
            return await handler(request)
        except web.HTTPNotFound:
            paths = "".join(f"{path:10}{about}\n" for path, (_, about) in self._paths.items())
            return web.Response(status=404, text=f"There is nothing here. There is:\n{paths}")


def _verdict(name: str, request: web.Request, found: list[Check]) -> web.Response:
    """As Kubernetes' own probes answer: `ok`, or a line for each check."""
    fine = all(check.ok for check in found)
    if fine and "verbose" not in request.query:
        return web.Response(text="ok\n")
    lines = [*map(str, found), f"{name} check {'passed' if fine else 'failed'}"]
    return web.Response(status=200 if fine else 503, text="\n".join(lines) + "\n")


async def _secure(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in SAFE.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = SAFE["Server"]


@asynccontextmanager
async def serve(listen: str, board: Board, builds: Builds) -> AsyncIterator[str]:
    """Answer at *listen* as long as the context lasts. Yields the URL. Raises `Unbindable`."""
    pulse = Pulse()
    answers = Answers(board, pulse, builds)
    app = web.Application(middlewares=[answers.guide])
    app.add_routes(answers.routes)
    app.on_response_prepare.append(_secure)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=PATIENCE)
    await runner.setup()
    beating = asyncio.create_task(pulse.run(), name="pulse")
    try:
        yield await _bound(runner, listen)
    finally:
        beating.cancel()
        await runner.cleanup()


async def _bound(runner: web.AppRunner, listen: str) -> str:
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        why = (
            os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        )  # names have codes below 0
        raise Unbindable(f"http.listen: cannot listen on {listen}: {why}. {MENDS}") from error
    bound = runner.addresses[0][1]
    return f"http://{host}:{bound}"
