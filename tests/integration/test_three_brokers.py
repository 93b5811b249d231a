"""As in production: three brokers, what is acknowledged is on two, and three replicas of the bridge.

Leaders move, and the group's coordinator with them; then one broker and one replica are lost for good, at once.
"""

import asyncio
from pathlib import Path

import pytest

from tests.load import Writer
from tests.replicas import Replicas, replicas
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker, Brokers

RATE = 40.0
"""Writes per second, beside three brokers, an API server and three bridges on two cores."""
AWAY = 3.0
"""Seconds that a broker is away: leaders have moved by then."""


@pytest.mark.integration
async def test_leaders_move_and_a_broker_and_a_replica_are_lost_for_good(cluster: Cluster, tmp_path: Path) -> None:
    """Nobody is called at night for one machine: nothing is lost or doubled, and no gap is announced."""
    brokers = await asyncio.to_thread(Brokers().__enter__)
    try:
        kafka = {"bootstrapServers": brokers.bootstrap}
        async with replicas(cluster, brokers.nodes[0], tmp_path, "abc", kafka=kafka) as group:
            writer = await group.writer()
            await group.begin()
            over = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_work(writer, over))
                await _lose(group, brokers.nodes)
                over.set()
            await group.run.caught_up(writer)
            ledger = await writer.ledger()
            assert await asyncio.to_thread(group.processes["b"].terminate) == 0
            report = await group.run.verdict(ledger)
    finally:
        await asyncio.to_thread(brokers.close)

    assert report.ok, group.run.bridge.tail()
    assert report.counts["keys of unknown outcome"] == 0
    assert report.counts["writes told as they happened"] > 500
    assert dict(report.restarts) == {f"configmaps.{namespace} initial": 1 for namespace in group.namespaces}
    assert {name: process.lives for name, process in group.processes.items()} == {"a": 1, "b": 1, "c": 1}


async def _work(writer: Writer, over: asyncio.Event) -> None:
    while not over.is_set():
        await writer.work(1, RATE)


async def _lose(group: Replicas, nodes: list[Broker]) -> None:
    """Each broker once, by a stop or by a kill; then the last one for good, and a replica with it."""
    for node, kill in ((nodes[0], False), (nodes[1], True), (nodes[2], False)):
        await asyncio.sleep(2)
        await asyncio.to_thread(node.kill if kill else node.stop)
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(node.start)
    await asyncio.to_thread(nodes[2].kill)
    group.processes["c"].kill()
    await group.settled("ab", 120)
