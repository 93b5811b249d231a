"""A real browser, driven over its own protocol (Chrome DevTools): what it shows, asks and complains about."""

import asyncio
import base64
import contextlib
import itertools
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars"),
    "--remote-debugging-port=0",
)
PATIENCE = 60.0
"""Seconds for the browser to start, and for a page to show something: the machine may be busy."""
BANNER = b"DevTools listening on "


def chromium() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


MISSING = "BROWSER MISSING: no chromium on this machine; install it (Debian: apt-get install chromium) to test the page"


class Tab:
    """One page. Owns what it has asked for, and what its console has said."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}

    async def listen(self) -> None:
        """Until the socket closes."""
        async for message in self._socket:
            said = message.json()
            if "id" in said:
                self._answers.pop(said["id"]).set_result(said)
            else:
                self._note(said.get("method"), said.get("params", {}))

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])

    async def ask(self, method: str, **params: object) -> Any:  # noqa: ANN401
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        said = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in said, said
        return said["result"]

    async def show(self, url: str, width: int, height: int = 900, *, dark: bool = False, scale: int = 1) -> None:
        """As on a screen of that many pixels."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.ask(f"{domain}.enable")
        await self.look(width, height, dark=dark, scale=scale)
        await self.ask("Page.navigate", url=url)

    async def look(self, width: int, height: int = 900, *, dark: bool = False, scale: int = 1) -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 700,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])

    async def run(self, script: str) -> Any:  # noqa: ANN401
        """The value of an expression in the page. Raises what it throws."""
        said = await self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def text(self) -> str:
        """All that can be read."""
        return str(await self.run("document.body ? document.body.innerText : ''"))

    async def until(self, script: str, seconds: float = PATIENCE) -> Any:  # noqa: ANN401
        """What the expression comes to, as soon as that is something."""
        ends = time.monotonic() + seconds
        while not (found := await self.run(script)):
            assert time.monotonic() < ends, f"not within {seconds:g} s: {script}\n{await self.text()}"
            await asyncio.sleep(0.1)
        return found

    async def picture(self) -> bytes:
        """A PNG of the whole page, however long."""
        shot = await self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def browser() -> AsyncIterator["Browser"]:
    """A browser of its own, with an empty profile; gone in the end."""
    program = chromium()
    assert program is not None, MISSING
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            *(program, *FLAGS, f"--user-data-dir={profile}", "about:blank"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            address = await asyncio.wait_for(_address(process), PATIENCE)
            async with aiohttp.ClientSession() as session:
                yield Browser(session, address)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async for line in process.stderr:
        if line.startswith(BANNER):
            return line.removeprefix(BANNER).decode().split("/")[2]
    raise AssertionError("the browser ended before it could be asked anything")


class Browser:
    """Makes tabs."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        async with self._session.put(f"http://{self._address}/json/new?about:blank") as answer:
            target = await answer.json()
        async with self._session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            listening = asyncio.create_task(tab.listen(), name="listen to the browser")
            try:
                yield tab
            finally:
                listening.cancel()
                await asyncio.wait({listening})


if __name__ == "__main__":
    print(chromium() or f"{MISSING}; its tests are skipped")
