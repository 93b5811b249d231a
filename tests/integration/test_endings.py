"""Beginnings and endings at the wrong time."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load import CONFIGMAPS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

pytestmark = pytest.mark.integration

Clusters = Callable[[], Cluster]
Brokers = Callable[[], Broker]
WATCHES = [{"resource": "configmaps", "topic": "endings"}]
MANY = 3000
"""Objects of 1.5 KB: some transactions of 1 MB each, so that a relist can be interrupted between two of them."""


async def test_kafka_may_come_later(new_cluster: Clusters, new_broker: Brokers, tmp_path: Path) -> None:
    """A pod starts when it starts; the bridge waits, says for what, and begins by itself."""
    async with trial(new_cluster(), new_broker(), tmp_path, WATCHES) as run:
        writer = await run.writer(CONFIGMAPS)
        await asyncio.to_thread(run.broker.kill)
        run.bridge.start()
        run.bridge.says(run.broker.bootstrap, 30)
        await writer.create(CONFIGMAPS, "team-a", "meanwhile")
        await asyncio.to_thread(run.broker.start)
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps initial": 1}
    assert run.bridge.lives == 1


@pytest.mark.parametrize("standalone", [True, False])
async def test_it_ends_in_time_although_kafka_is_away(
    new_cluster: Clusters, new_broker: Brokers, tmp_path: Path, standalone: bool
) -> None:
    """Ten seconds are what it promises. What was not committed is told in the next life."""
    async with trial(new_cluster(), new_broker(), tmp_path, WATCHES, standalone=standalone) as run:
        writer = await run.writer(CONFIGMAPS)
        run.bridge.start()
        await run.synced()
        await asyncio.to_thread(run.broker.kill)
        await writer.work(3, rate=50)
        assert run.bridge.terminate(10) == 0
        await asyncio.to_thread(run.broker.start)
        run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps initial": 1}


async def test_a_hang_up_is_no_end_and_an_end_is_clean(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """SIGHUP comes with a lost terminal. SIGTERM comes in the middle of work, and the next life goes on behind it."""
    async with trial(new_cluster(), broker, tmp_path, WATCHES, name="clean") as run:
        writer = await run.writer(CONFIGMAPS)
        run.bridge.start()
        await run.synced()
        run.bridge.send(signal.SIGHUP)
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.work(6, rate=100))
            await asyncio.sleep(3)
            assert await asyncio.to_thread(run.bridge.terminate) == 0
            run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps initial": 1}
    assert run.bridge.lives == 2


async def test_a_relist_that_is_killed_begins_anew(new_cluster: Clusters, new_broker: Brokers, tmp_path: Path) -> None:
    """Again and again, each time a little later in its life: no half snapshot may ever count."""
    async with trial(new_cluster(), new_broker(), tmp_path, WATCHES) as run:
        writer = await run.writer(CONFIGMAPS)
        names = [f"many-{number}" for number in range(MANY)]
        for start in range(0, MANY, 100):
            batch = names[start : start + 100]
            await asyncio.gather(*(writer.create(CONFIGMAPS, "team-a", name) for name in batch))
        for tenths in range(8):
            await _die_after(run, "stream started", tenths / 10)
        while "interrupted" not in run.bridge.log.read_text():
            await asyncio.to_thread(run.cluster.expire_everything)
            await _die_after(run, "stream restarted", 0)
            await _die_after(run, "stream started", 1)
        for name in names[::3]:
            await writer.delete(CONFIGMAPS, "team-a", name)
        await asyncio.to_thread(run.cluster.expire_everything)
        run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts["configmaps initial"] == 1
    assert report.restarts["configmaps interrupted"] >= 1, "no relist was hit: nothing is proven"


async def _die_after(run: Trial, line: str, seconds: float) -> None:
    """A life that ends *seconds* after it has logged *line*."""
    run.bridge.start()
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.005)
            if line in run.bridge.log.read_text().rpartition("---- life")[2]:
                break
    await asyncio.sleep(seconds)
    run.bridge.kill()
