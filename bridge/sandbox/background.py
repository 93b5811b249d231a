"""Both servers in a thread of their own: for tests and programs that are not asyncio's."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self, TypeVar

from bridge.sandbox.pair import Pair, Wish, together

Result = TypeVar("Result")
DEADLINE = 30.0
"""Seconds for anything that is asked of the servers. All of it takes milliseconds."""


class Sandbox:
    """Use as `with Sandbox() as sandbox`. Owns the thread, its loop, and a directory with a kubeconfig in it.

    Clients of any kind connect to `kubeconfig` and `bootstrap`. The servers themselves belong to the thread: act on
    them through `do` and `wait`, and keep nothing that these return but values.
    """

    def __init__(self, wish: Wish = Wish()) -> None:  # noqa: B008 - frozen
        self._wish = wish
        self._pair: Future[Pair] = Future()
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._run, name="sandbox", daemon=True)
        self._directory = tempfile.TemporaryDirectory(prefix="event-bridge-sandbox-")

    def __enter__(self) -> Self:
        """Raises OSError where a port is taken."""
        self._thread.start()
        try:
            pair = self._pair.result(DEADLINE)
        except BaseException:
            self._end()
            raise
        self.kubeconfig.write_text(pair.api.kubeconfig_text())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    @property
    def kubeconfig(self) -> Path:
        """A file: for `$KUBECONFIG`, kubectl's `--kubeconfig`, any client's loader."""
        return Path(self._directory.name, "kubeconfig")

    @property
    def bootstrap(self) -> str:
        """For any Kafka client's `bootstrap.servers`."""
        return self._pair.result(0).broker.bootstrap

    @property
    def environment(self) -> dict[str, str]:
        """For processes: what `event-bridge sandbox` tells people to export."""
        return {"KUBECONFIG": str(self.kubeconfig), "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap}

    def do(self, act: Callable[[Pair], Result]) -> Result:
        """`sandbox.do(lambda servers: servers.api.create("pods", pod))`. Raises what *act* raises."""

        async def acted(pair: Pair) -> Result:
            return act(pair)

        return self.wait(acted)

    def wait(self, act: Callable[[Pair], Coroutine[None, None, Result]]) -> Result:
        """As `do`, for what must be awaited: `sandbox.wait(lambda servers: servers.broker.stop())`."""
        pair, loop = self._pair.result(0), self._loop
        assert loop is not None, "it runs"
        return asyncio.run_coroutine_threadsafe(act(pair), loop).result(DEADLINE)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except* OSError as error:
            self._pair.set_exception(error.exceptions[0])

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with together(self._wish) as pair:
            self._pair.set_result(pair)
            await self._ending.wait()

    def _end(self) -> None:
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(DEADLINE)
        self._directory.cleanup()
