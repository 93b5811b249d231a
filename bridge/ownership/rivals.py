"""Whether replicas of our name run, for a bridge that is alone: then it waits until they have gone.

Otherwise each would throw the other out in turn and, without transactions, both would write. Who may not ask for
the group, or is told nothing of it, goes on.
"""

import asyncio
import math
from collections.abc import Sequence

from bridge.config.tree import Config
from bridge.ownership.group import Group, Membership
from bridge.ownership.telling import NameTaken
from bridge.sink.connection import KafkaFault

LOOK = 3.0
"""Seconds between two looks: one small request."""
FIRST = 2.0
"""Seconds for the first one: a new Kafka that is first asked for a group makes its topic of groups."""
REMIND = 60.0
"""Seconds between two words on the same trouble."""


async def namesakes(config: Config) -> list[Membership]:
    """Replicas of our name; none where nobody may know."""
    try:
        async with Group.reached(config) as group:
            return await group.members()
    except KafkaFault:
        return []


def taken(config: Config, hosts: Sequence[str]) -> str:
    """Why a bridge that is alone runs nothing, and the mend."""
    return f"replicas of the name {config.name} run on {', '.join(hosts)}. Stop them, or change `name` here"


class Rivals:
    """Owns what the last look has found, while `run` lasts. All partitions are ours, or none."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._hosts: list[str] = []
        self._looked = asyncio.Event()
        self._said = float("-inf")

    def left(self, _partition: int) -> float:
        return 0.0 if self._hosts else math.inf

    async def owned(self, _partition: int) -> None:
        try:
            await asyncio.wait_for(self._looked.wait(), FIRST)
        except TimeoutError:
            return
        while self._hosts:
            self._looked.clear()
            await self._looked.wait()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with Group.reached(self._config) as group:
                    while True:
                        self._learn([member.said.host for member in await group.members()])
                        await asyncio.sleep(LOOK)
            except KafkaFault:
                self._looked.set()
            await asyncio.sleep(LOOK)

    def _learn(self, hosts: Sequence[str]) -> None:
        self._hosts = sorted(hosts)
        self._looked.set()
        now = asyncio.get_running_loop().time()
        if self._hosts and now - self._said >= REMIND:
            self._said = now
            NameTaken(taken(self._config, self._hosts)).emit()
