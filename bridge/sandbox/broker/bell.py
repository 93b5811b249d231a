"""Waiting for news: whoever waits is woken by whatever happens next, and looks for himself whether it concerns him."""

import asyncio
import contextlib


class Bell:
    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self, until: float) -> None:
        """For the next ring, or until that time of the loop. Look and wait without an await between, and miss none."""
        ringing = self._next
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await ringing.wait()
