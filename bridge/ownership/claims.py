"""What is ours, and how long that is proven.

The broker throws a member out when it has heard nothing of it for the session's length. What it answered was heard
after it was sent: from then on, for as long as a session lasts, nobody else can have been given what we hold.
"""

import asyncio
from collections.abc import Iterable


class Claims:
    """Owns the partitions that we hold, and the time until which that is proven. On the clock of the running loop."""

    def __init__(self, session: float) -> None:
        self._session = session
        self._held: set[int] = set()
        self._until = float("-inf")
        self._changed = asyncio.Event()

    @property
    def held(self) -> frozenset[int]:
        return frozenset(self._held)

    def proven(self, sent: float) -> None:
        """What was sent then has been answered as that of a member."""
        self._until = max(self._until, sent + self._session)
        self._changed.set()

    def take(self, partitions: Iterable[int]) -> None:
        self._held |= set(partitions)
        self._changed.set()

    def drop(self, partitions: Iterable[int]) -> None:
        self._held -= set(partitions)

    def left(self, partition: int) -> float:
        """Seconds for which it is ours beyond doubt, if the broker says nothing more; 0 if it is not."""
        return max(0.0, self._until - asyncio.get_running_loop().time()) if partition in self._held else 0.0

    def owns(self, partition: int) -> bool:
        return self.left(partition) > 0

    async def owned(self, partition: int) -> None:
        """Wait until it is ours beyond doubt."""
        while not self.owns(partition):
            self._changed.clear()
            await self._changed.wait()
