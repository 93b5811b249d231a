"""Files that change at random while all goes wrong: in the end all run the last one, and never two a partition."""

import asyncio
import random

import pytest

from bridge.sandbox.broker.server import Broker
from tests.ownership.test_member import PARTITIONS, SESSION, Replica, config_of, replicas, until_whole

FILES = [f"[{{resource: pods}}, {{resource: events, labelSelector: n={number}}}]" for number in range(3)]
ACTS = 25


class Storm:
    """Owns three replicas and what befalls them."""

    def __init__(self, broker: Broker, group: list[Replica], seed: int) -> None:
        self._broker = broker
        self.group = group
        self._chance = random.Random(seed)
        self.files = [config_of(broker, text) for text in FILES]

    async def rage(self) -> None:
        acts = [self._change, self._change, self._change, self._lose, self._kill, self._kafka]
        for _ in range(ACTS):
            await self._chance.choice(acts)()
            await asyncio.sleep(self._chance.choice([0.0, 0.1, 0.5, 1.0, 3.0, SESSION + 1]))

    async def _change(self) -> None:
        self._chance.choice(self.group).member.offer(self._chance.choice(self.files))

    async def _lose(self) -> None:
        """The broker has done what it was asked, and nobody hears of it."""
        self._broker.lose(self._chance.choice(["JoinGroup", "SyncGroup", "Heartbeat"]), self._chance.randint(1, 3))

    async def _kill(self) -> None:
        """It comes back, before or after its session has passed, with whatever file is there then."""
        number = self._chance.randrange(len(self.group))
        killed = self.group[number]
        await killed.freeze()
        for place in [place for place, name in killed.running.items() if name == killed.name]:
            del killed.running[place]
        await asyncio.sleep(self._chance.choice([1.0, SESSION + 5]))
        self.group[number] = Replica(self._chance.choice(self.files), killed.name, killed.running)
        self.group[number].start()

    async def _kafka(self) -> None:
        await self._broker.stop()
        await asyncio.sleep(self._chance.choice([1.0, SESSION + 5]))
        await self._broker.start()


@pytest.mark.parametrize("seed", range(8))
async def test_all_end_with_the_last_file(seed: int) -> None:
    """Nobody may wait for somebody for ever, and no stream may be run twice."""
    async with Broker() as broker, replicas(config_of(broker, FILES[0]), "a", "b", "c") as group:
        storm = Storm(broker, group, seed)
        await storm.rage()
        for each in storm.group:
            each.member.offer(storm.files[seed % len(FILES)])
            await asyncio.sleep(3)
        await asyncio.sleep(60)
        await until_whole(group[0].running)
        ended = {each.in_force.watches for each in storm.group}
        counts = [each.count for each in storm.group]
        for each in storm.group:
            await each.freeze()

    assert ended == {storm.files[seed % len(FILES)].watches}
    assert sum(counts) == PARTITIONS
    assert max(counts) - min(counts) <= 1
    assert [each.doubled for each in storm.group] == [[], [], []]
