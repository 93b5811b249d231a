"""Events that expire together: etcd deletes all objects of a lease in one revision, so they share one version."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.judge import judge
from tests.audit.records import Record, parse
from tests.load import EVENTS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

pytestmark = pytest.mark.integration

TTL = 20
"""Seconds. The API server puts the events of 5 % of it, in whole seconds, on one lease (etcd3/lease_manager.go)."""
CROWD = [f"crowd-{n}" for n in range(400)]
LARGE = {"apiVersion": "v1", "kind": "Pod", "namespace": "crowd", "name": "some-pod", "fieldPath": "x" * 20_000}
"""Deletes carry the whole object: 8 MB are many transactions, and crashes fall between them."""


async def test_a_crash_among_deletes_of_one_version_loses_none(
    new_cluster: Callable[..., Cluster], broker: Broker, tmp_path: Path
) -> None:
    """Every cluster's events expire so, hundreds at a time. A position in their midst would lose the rest of them."""
    watches = [{"resource": "events", "topic": "leases.events", "namespaces": ["crowd"]}]
    kafka = {"bootstrapServers": broker.bootstrap, "commitInterval": "1ms"}
    async with trial(new_cluster(f"--event-ttl={TTL}s"), broker, tmp_path, watches, name="leases", kafka=kafka) as run:
        writer = await run.writer(EVENTS, namespaces=["crowd"])
        run.bridge.start()
        await run.synced()
        await asyncio.gather(*(writer.create(EVENTS, "crowd", name, involvedObject=LARGE) for name in CROWD))
        await run.caught_up(writer)
        run.bridge.kill()
        await _killed_until_gone(run)
        run.bridge.start()
        await run.caught_up(writer)
        assert run.bridge.terminate() == 0
        logs = await run.logs()

    report = judge(logs)
    assert report.ok, str(report)
    records = [record for record in map(parse, logs[0].entries) if isinstance(record, Record) and not record.is_marker]
    crowd = [record for record in records if record.key.startswith("events/crowd/crowd-")]
    deletes = [record for record in crowd if record.value.type == "DELETED"]
    assert Counter(record.key for record in deletes) == Counter(f"events/crowd/{name}" for name in CROWD)
    assert not any(record.value.inferred for record in deletes)
    together = max(Counter(record.version for record in deletes).values())
    assert together > 100, "too few share a version: nothing was proven"


async def _killed_until_gone(run: Trial) -> None:
    """Kill the bridge again and again while the events expire: each time some milliseconds later in its life."""
    path = "/api/v1/namespaces/crowd/events?limit=1"
    async with asyncio.timeout(8 * TTL):
        while (await run.kube.get(path))["items"]:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.2)
        for milliseconds in (100, 150, 200, 250, 300):
            run.bridge.kill()
            run.bridge.start()
            await _is_watching(run)
            await asyncio.sleep(milliseconds / 1000)
        run.bridge.kill()


async def _is_watching(run: Trial) -> None:
    life = f"---- life {run.bridge.lives}\n"
    while "stream started" not in run.bridge.log.read_text().partition(life)[2]:  # noqa: ASYNC110 - another process's doing
        await asyncio.sleep(0.01)
