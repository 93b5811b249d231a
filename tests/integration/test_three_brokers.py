"""Kafka as in production: three brokers, what is acknowledged is on two; leaders move, and one never comes back."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.load import CONFIGMAPS, EVENTS, PODS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker, Brokers
from tests.trial import trial

RATE = 40.0
"""Writes per second, beside three brokers and an API server on two cores."""
WATCHES: list[dict[str, Any]] = [
    {"resource": "configmaps", "topic": "k8s.things"},
    {"resource": "pods", "topic": "k8s.things"},
    {"resource": "events", "topic": "k8s.events"},
]
AWAY = 3.0
"""Seconds that a broker is away: leaders have moved by then."""


@pytest.mark.integration
async def test_leaders_move_and_one_broker_is_lost_for_good(new_cluster: Callable[[], Cluster], tmp_path: Path) -> None:
    """Nobody is called at night for one broker: nothing is lost or doubled, and no gap is announced."""
    brokers = await asyncio.to_thread(Brokers().__enter__)
    try:
        kafka = {"bootstrapServers": brokers.bootstrap}
        async with trial(new_cluster(), brokers.nodes[0], tmp_path, WATCHES, kafka=kafka) as run:
            writer = await run.writer(CONFIGMAPS, PODS, EVENTS)
            run.bridge.start()
            await run.synced()
            async with asyncio.TaskGroup() as group:
                working = group.create_task(writer.work(45, RATE))
                group.create_task(_lose(brokers.nodes, working))
            await run.caught_up(writer)

            report = await run.verdict(await writer.ledger())
    finally:
        await asyncio.to_thread(brokers.close)

    assert report.ok, run.bridge.tail()
    assert report.counts["keys of unknown outcome"] == 0
    assert report.counts["writes told as they happened"] > 500
    assert dict(report.restarts) == {"configmaps initial": 1, "pods initial": 1, "events initial": 1}


async def _lose(nodes: list[Broker], working: "asyncio.Task[None]") -> None:
    """Each one once, by a stop or by a kill; then the last one for good."""
    for node, kill in ((nodes[0], False), (nodes[1], True), (nodes[2], False)):
        await asyncio.sleep(2)
        await asyncio.to_thread(node.kill if kill else node.stop)
        await asyncio.sleep(AWAY)
        await asyncio.to_thread(node.start)
    assert not working.done(), "all was over before the last broker was lost: nothing is proven"
    await asyncio.to_thread(nodes[2].kill)
