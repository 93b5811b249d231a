"""How long a stream may be silent before it must verify itself."""

import asyncio

from bridge.retry import between

JITTER = 0.25
"""Of the interval, to either side: many streams that fell silent together must not list together."""
GRACE = 0.25
"""Of the interval: what a fresh stream gets to say what a LIST knew. etcd tells within a tenth of a second
(watchable_store.go), an API server in trouble needs longer. A position that advances is then as old as this; until the
next verification it must not become older than etcd's history, which is 5 minutes (storagebackend/config.go)."""
LONGEST_GRACE = 60.0
"""Seconds: a watch lasts 300 at the least, and one that ends meanwhile proves nothing."""
AGAIN = 6.0
"""Seconds at the least between two that came to nothing. With what goes before it one takes six requests."""
PACE = 1.0
"""Seconds between two pages: a silent stream asks no more than once a second."""
BREATH = 1.0
"""Seconds that a stream which was just opened is listened to, however old its position is."""


class Silence:
    """Owns since when the position has not moved. Only that counts: deletes are heard, and leave it where it is."""

    def __init__(self, interval: float, age: float = 0.0) -> None:
        """*age*: how many seconds ago the position was learnt that the stream begins with."""
        self._interval = interval
        self._due = 0.0
        self.end()
        now = asyncio.get_running_loop().time()
        self._due = max(self._due - max(age, 0.0), now + between(0.0, self.grace))  # not all streams at once

    @property
    def grace(self) -> float:
        return min(GRACE * self._interval, LONGEST_GRACE)

    def adopt(self, interval: float) -> None:
        """Another interval, from now on: a shorter one is not waited for longer than it says."""
        now = asyncio.get_running_loop().time()
        self._interval = interval
        self._due = min(self._due, now + between(1 - JITTER, 1 + JITTER) * interval)

    def end(self) -> None:
        """The position has moved."""
        self._due = asyncio.get_running_loop().time() + between(1 - JITTER, 1 + JITTER) * self._interval

    def begin(self) -> None:
        """A verification begins. If nothing comes of it there is another one soon: the position goes on ageing."""
        self._due = asyncio.get_running_loop().time() + max(2 * GRACE * self._interval, AGAIN)

    def put_off(self, seconds: float) -> None:
        """The LIST of a verification failed, and is not asked for again so soon."""
        self._due = max(self._due, asyncio.get_running_loop().time() + seconds)

    @property
    def patience(self) -> float:
        """Seconds from now on."""
        return max(BREATH, self._due - asyncio.get_running_loop().time())
