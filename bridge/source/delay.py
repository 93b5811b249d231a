"""For how long a stream has not got on, and what is said of it: in time, and not at every try."""

import asyncio

from bridge.telemetry import StreamDelayed

HEALTHY = 120.0
"""Seconds. A stream that was open so long proves health as well as a frame does (client-go resets after as much)."""
REMIND = 60.0
"""Seconds between two log lines about a stream that cannot proceed."""


class Delay:
    """Owns since when a stream cannot proceed, and when that was last said: at the second try, then once a minute."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self.over()

    def over(self) -> None:
        self._since: float | None = None
        self._said: float | None = None
        self._tries = 0

    def goes_on(self, what: object, *, at_once: bool = False) -> None:
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        self._tries += 1
        if (at_once or self._tries > 1) and (self._said is None or now - self._said >= REMIND):
            self._said = now
            StreamDelayed(self._stream, str(what), round(now - self._since, 1), self._tries).emit()
