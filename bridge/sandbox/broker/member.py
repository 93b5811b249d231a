"""A member of a consumer group, and what it waits for."""

import asyncio
from typing import Any

from msgspec import Struct

Answer = dict[str, Any]


class Joining(Struct, frozen=True):
    """What a member says of itself. *protocols*: its ways to share partitions, the best first, with its metadata."""

    client: str
    instance: str | None
    session: float
    rebalance: float
    kind: str
    protocols: dict[str, bytes]


class Member:
    """Owns what is known of it. It waits for at most one answer of each kind."""

    def __init__(self, name: str, said: Joining, seen: float) -> None:
        self.name = name
        self.said = said
        self.seen = seen
        self.assignment = b""
        self.timer: asyncio.TimerHandle | None = None
        self._joining: asyncio.Future[Answer] | None = None
        self._syncing: asyncio.Future[Answer] | None = None

    @property
    def waits(self) -> bool:
        """It cannot send a heartbeat, for it waits for us."""
        return _is_pending(self._joining) or _is_pending(self._syncing)

    @property
    def joins(self) -> bool:
        return _is_pending(self._joining)

    def join(self, instead: Answer) -> asyncio.Future[Answer]:
        """*instead* goes to an older request of its that has not been answered."""
        _resolve(self._joining, instead)
        self._joining = asyncio.get_running_loop().create_future()
        return self._joining

    def sync(self, instead: Answer) -> asyncio.Future[Answer]:
        _resolve(self._syncing, instead)
        self._syncing = asyncio.get_running_loop().create_future()
        return self._syncing

    def joined(self, answer: Answer) -> None:
        _resolve(self._joining, answer)

    def synced(self, answer: Answer) -> None:
        _resolve(self._syncing, answer)


def _is_pending(future: asyncio.Future[Answer] | None) -> bool:
    return future is not None and not future.done()


def _resolve(future: asyncio.Future[Answer] | None, answer: Answer) -> None:
    if future is not None and not future.done():
        future.set_result(answer)
