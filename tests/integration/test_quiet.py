"""Silent streams on real servers: they stay resumable, relist for nothing never, and find out what silence hides."""

import asyncio
import base64
import json
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.audit.ledger import Ledger
from tests.audit.records import Envelope, Record, parse
from tests.load import CONFIGMAPS, CRDS, EVENTS, WIDGETS
from tests.middleman import Middleman
from tests.servers.apiserver import Cluster
from tests.servers.etcd import Etcd
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

pytestmark = pytest.mark.integration

Clusters = Callable[..., Cluster]
COMPACTIONS = 20


@pytest.mark.integration(timeout=240)
async def test_an_idle_events_stream_outlives_twenty_compactions(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """The case this project was born from: no bookmarks, nothing to say, and etcd forgets every 5 seconds."""
    cluster = new_cluster("--etcd-compaction-interval=5s")
    watches = [{"resource": "events", "topic": "twenty.events"}]
    async with trial(cluster, broker, tmp_path, watches, name="twenty", verifyInterval="3s") as run:
        writer = await run.writer(EVENTS, CONFIGMAPS)
        await writer.create(EVENTS, "team-a", "long-ago")
        run.bridge.start()
        await run.synced()
        began = await _compactions(cluster.etcd)
        await _until_compacted(run, began + COMPACTIONS // 2)
        run.bridge.kill()
        run.bridge.start()
        await _until_compacted(run, began + COMPACTIONS)
        await writer.create(EVENTS, "team-a", "at-last")
        await run.caught_up(writer, 10)
        report = await run.verdict(await writer.ledger())
        values = await _values(run)

    assert report.ok
    assert report.restarts == {"events initial": 1}
    assert any(value.type == "PROGRESS" for value in values)


async def _until_compacted(run: Trial, count: int) -> None:
    until = time.monotonic() + 100
    while await _compactions(run.cluster.etcd) < count:
        assert run.bridge.is_running, run.bridge.tail()
        assert time.monotonic() < until, "the API server does not compact"
        await asyncio.sleep(0.5)


async def _compactions(etcd: Etcd) -> int:
    """How often the API server has compacted: it writes this key each time (etcd3/compact.go)."""
    body = json.dumps({"key": base64.b64encode(b"compact_rev_key").decode()}).encode()

    def ask() -> dict[str, Any]:
        with urllib.request.urlopen(urllib.request.Request(f"{etcd.url}/v3/kv/range", body), timeout=10) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer

    found = (await asyncio.to_thread(ask)).get("kvs", [])
    return int(found[0]["version"]) if found else 0


@asynccontextmanager
async def between(
    cluster: Cluster, broker: Broker, directory: Path, resource: str, name: str
) -> AsyncIterator[tuple[Trial, Middleman]]:
    """A trial whose bridge reaches the cluster through a middleman."""
    watches = [{"resource": resource, "name": "quiet", "topic": f"quiet.{name}"}]
    async with Middleman(cluster) as middle:
        kubernetes = {"kubeconfig": str(middle.kubeconfig(directory / "middleman"))}
        config: dict[str, Any] = {"name": name, "verifyInterval": "3s", "kubernetes": kubernetes}
        async with trial(cluster, broker, directory, watches, **config) as run:
            yield run, middle


async def test_a_line_that_was_lost_is_found(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Later changes came, so the position has passed it: only a comparison can tell."""
    async with between(new_cluster(), broker, tmp_path, "events", "lost") as (run, middle):
        writer = await run.writer(EVENTS)
        run.bridge.start()
        await run.synced()
        middle.swallows = "never-told"
        await writer.create(EVENTS, "team-a", "never-told")
        await writer.create(EVENTS, "team-a", "told")
        await asyncio.to_thread(run.bridge.says, '"desynchronized"', 60)
        await run.synced()
        await run.caught_up(writer)
        report = await run.verdict(Ledger([], set(), (await writer.ledger()).final))

    assert report.ok
    assert report.restarts == {"quiet initial": 1, "quiet desynchronized": 1}


async def test_a_silent_server_that_was_put_back_is_found(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """A load balancer keeps the connection open, so nothing ever breaks, and nothing would ever be said."""
    async with between(new_cluster(), broker, tmp_path, "events", "back") as (run, middle):
        writer = await run.writer(EVENTS)
        await writer.create(EVENTS, "team-a", "kept")
        backup = await asyncio.to_thread(run.cluster.snapshot)
        kept = await writer.ledger()
        run.bridge.start()
        await run.synced()
        for number in range(150):  # more versions than the server's start hands out
            await writer.create(EVENTS, "team-a", f"later-{number}")
        await run.caught_up(writer)
        middle.holds, middle.asked = True, []
        await asyncio.to_thread(run.cluster.rewind, backup)
        await asyncio.to_thread(run.bridge.says, '"rewound"', 60)
        found = "limit=1" not in _limits(middle)
        await run.synced()
        report = await run.verdict(Ledger([], set(), kept.final))

    assert report.ok
    assert report.restarts == {"quiet initial": 1, "quiet rewound": 1}
    assert found, "by a verification, not by the question of a stream that resumes"


async def test_another_cluster_behind_the_same_address_is_found(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """Its versions are later than ours, so it takes our position for one of its own, and is silent."""
    one, other = new_cluster(), new_cluster()
    async with between(one, broker, tmp_path, "events", "other") as (run, middle):
        writer = await run.writer(EVENTS)
        await writer.create(EVENTS, "team-a", "here")
        run.bridge.start()
        await run.synced()
        async with other.kube() as kube:
            for number in range(150):
                body = {"metadata": {"name": f"elsewhere-{number}"}, "data": {}}
                await kube.create("/api/v1/namespaces/default/configmaps", body)
        middle.holds, middle.cluster, middle.asked = True, other, []
        await asyncio.to_thread(run.cluster.kill_api)
        await asyncio.to_thread(run.bridge.says, '"identity_changed"', 60)
        found = "limit=1" not in _limits(middle)
        await run.synced()
        values = await _values(run)
        assert run.bridge.terminate() == 0

    restarts = [value for value in values if value.type == "RESTARTED" and value.partition == 0]
    assert [value.reason for value in restarts] == ["initial", "identity_changed"]
    assert found, "by a verification"
    assert "here" in [value.object.metadata.name for value in values if value.inferred and value.object]


async def test_a_resource_that_went_in_silence_is_found(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Its watch would stay open for as long as something holds it."""
    async with between(new_cluster(), broker, tmp_path, "widgets.example.com", "went") as (run, middle):
        writer = await run.writer(WIDGETS)
        await writer.create(WIDGETS, "team-a", "before")
        run.bridge.start()
        await run.synced()
        middle.holds, middle.swallows = True, "DELETED"
        await run.kube.delete(f"{CRDS}/widgets.example.com")
        await asyncio.to_thread(run.bridge.says, '"resource_removed"', 60)
        await run.synced()
        values = await _values(run)
        assert run.bridge.terminate() == 0

    restarts = [value.reason for value in values if value.type == "RESTARTED" and value.partition == 0]
    assert restarts == ["initial", "resource_removed"]
    assert "before" in [value.object.metadata.name for value in values if value.inferred and value.object]


async def _values(run: Trial) -> list[Envelope]:
    records = [parse(entry) for log in await run.logs() for entry in log.entries]
    return [record.value for record in records if isinstance(record, Record)]


def _limits(middle: Middleman) -> set[str]:
    """`limit=1` is the question for the newest version, `limit=2000` a verification's page."""
    return {part for asked in middle.asked for part in asked.partition("?")[2].split("&") if part.startswith("limit=")}
