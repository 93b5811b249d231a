"""Whether the event loop turns: what `/livez` is about."""

import asyncio

BEAT = 1.0
"""Seconds between two heartbeats."""
DEAD = 10.0
"""Seconds without one: the longest that the bridge should ever compute for is a hundredth of it."""


class Pulse:
    """Owns when the loop's heart last beat, and how late that was."""

    def __init__(self) -> None:
        self.lag = 0.0
        self._loop = asyncio.get_running_loop()
        self._beat = self._loop.time()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            due = self._loop.time() + BEAT
            await asyncio.sleep(BEAT)
            self._beat = self._loop.time()
            self.lag = max(0.0, self._beat - due)

    @property
    def silence(self) -> float:
        """Seconds since the last heartbeat."""
        return self._loop.time() - self._beat

    @property
    def beats(self) -> bool:
        return self.silence <= DEAD
