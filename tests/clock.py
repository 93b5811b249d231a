"""A loop whose clock jumps: when nothing is left to do but wait for a time, that time has come.

A test may sleep for an hour, and takes no time. Sockets work, both ends of them on this loop: while bytes may be on
their way, the clock stands. Work in threads is waited for. Another process is beyond its sight: use the real clock.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from tests.stuck import StuckError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

IN_FLIGHT = 0.002
"""What a peer wrote to a loopback socket may show up late: the kernel delivers it in a soft interrupt, normally within
the sender's call, on a busy machine a little after."""

THREAD = 30.0
"""The longest that the clock stands for work in a thread, in real seconds."""


class JumpingSelector(selectors.DefaultSelector):
    """Never waits for time, only, for as long as it takes, for what is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.in_threads: set[asyncio.Future[Any]] = set()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if ready := super().select(self._patience()):
            return ready
        if timeout is None or self.in_threads:
            raise StuckError("nothing will ever happen: every task waits, and no timer is set")
        self.now += timeout
        return []

    def _patience(self) -> float:
        if self.in_threads:
            return THREAD
        return IN_FLIGHT if self._has_sockets() else 0.0

    def _has_sockets(self) -> bool:
        """More than the socket with which a loop wakes itself."""
        return len(self.get_map()) > 1


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._stand_until(future)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncio's own
        """At the end of a run; waits for a thread that joins the others. Python 3.11 knows no timeout here."""
        assert timeout is None or timeout > THREAD
        end = self.create_task(super().shutdown_default_executor())
        self._stand_until(end)
        await end

    def _stand_until(self, future: asyncio.Future[Any]) -> None:
        self._clock.in_threads.add(future)
        future.add_done_callback(self._clock.in_threads.discard)
