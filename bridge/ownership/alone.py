"""The membership of a bridge that shares with nobody: every partition is its own, and nobody is to be asked."""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from bridge.config.tree import Config


class Keeper(Protocol):
    """Runs the streams of partitions. `follow` ends and begins what another configuration has otherwise."""

    def acquire(self, partitions: Iterable[int]) -> None: ...
    async def release(self, partitions: Iterable[int]) -> None: ...
    def adopt(self, config: Config) -> None: ...
    async def follow(self) -> None: ...


class Alone:
    """Owns the configuration that was last offered, until it is followed."""

    def __init__(self, partitions: int, keeper: Keeper) -> None:
        """*partitions*: how many the checkpoint topic has."""
        self._partitions = range(partitions)
        self._keeper = keeper
        self._changed = asyncio.Event()

    def offer(self, config: Config) -> None:
        """It is in force at once."""
        self._keeper.adopt(config)
        self._changed.set()

    async def run(self) -> None:
        """Until cancelled."""
        self._keeper.acquire(self._partitions)
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._keeper.follow()

    async def give_up(self) -> None:
        """After a `run` that failed."""
        await self._keeper.release(self._partitions)

    async def leave(self) -> None:
        """Nobody is there to be told."""
