"""Which objects a stream tells of: selectors, namespaces, a resource that comes later, streams that share a topic."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.topics import read_topic
from tests.load import CONFIGMAPS, PODS, WIDGETS, make_widgets
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.sink.stage import delete
from tests.trial import create_topics, trial

pytestmark = pytest.mark.integration

Clusters = Callable[[], Cluster]


async def test_objects_leave_and_enter_a_selection(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Leaving is DELETED, entering is ADDED; also while nobody looked. All pods go to the same topic."""
    watches = [
        {"resource": "pods", "topic": "selected.pods"},
        {"resource": "pods", "name": "web", "labelSelector": "app=web", "topic": "selected.pods"},
    ]
    async with trial(new_cluster(), broker, tmp_path, watches, name="selected") as run:
        writer = await run.writer(PODS)
        for name in ("stays", "leaves", "leaves-unseen"):
            await writer.create(PODS, "team-a", name)
        await writer.create(PODS, "team-a", "enters", labels={"app": "db"})
        run.bridge.start()
        await run.synced()
        await writer.change(PODS, "team-a", "leaves", {"app": "db"})
        await writer.change(PODS, "team-a", "enters", {"app": "web"})
        await writer.change(PODS, "team-a", "enters", {"app": "db"})
        await writer.delete(PODS, "team-a", "enters")
        await writer.create(PODS, "team-a", "enters", labels={"app": "web"})
        await run.caught_up(writer)
        run.bridge.kill()
        await writer.change(PODS, "team-a", "leaves-unseen", {"app": "db"})
        await asyncio.to_thread(run.cluster.expire_everything)
        run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"pods initial": 1, "pods expired": 1, "web initial": 1, "web expired": 1}


async def test_listed_namespaces_are_streams_of_their_own(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """And nothing of the other namespaces is told."""
    watches = [{"resource": "configmaps", "namespaces": ["team-a", "team-b"], "topic": "listed.configmaps"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="listed") as run:
        await create_topics(broker.bootstrap, {"listed.configmaps": 3})
        writer = await run.writer(CONFIGMAPS, namespaces=["team-a", "team-b", "others"])
        await writer.work(2, rate=60)
        run.bridge.start()
        await run.synced()
        await writer.work(3, rate=60)
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps.team-a initial": 1, "configmaps.team-b initial": 1}


async def test_streams_that_share_a_topic_are_all_told_anew_when_it_is_made_again(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """The first of them to start makes it, and the others find it whole: they must not go on over the loss."""
    namespaces = [f"team-{number}" for number in range(12)]
    topic = "shared.configmaps"
    watches = [{"resource": "configmaps", "namespaces": namespaces, "topic": topic}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="shared") as run:
        await create_topics(broker.bootstrap, {topic: 2})
        writer = await run.writer(CONFIGMAPS, namespaces=namespaces)
        await writer.work(3, rate=60)
        run.bridge.start()
        await run.caught_up(writer)
        assert await asyncio.to_thread(run.bridge.terminate) == 0
        await delete(broker.bootstrap, topic)
        await create_topics(broker.bootstrap, {topic: 2})
        run.bridge.start()
        await run.synced()
        await writer.work(2, rate=60)
        await run.caught_up(writer)
        command = [sys.executable, "-m", "bridge", "verify", "-c", str(run.bridge.config), "--output", "json"]
        verified = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        told, _ = await verified.communicate()
        log = await read_topic(broker.bootstrap, topic)
        values = [json.loads(entry.value) for entry in log.entries]
        begun = Counter((value["stream"], value["reason"]) for value in values if value["type"] == "RESTARTED")

    assert verified.returncode == 0, told.decode()
    assert begun == {(f"configmaps.{namespace}", "repartitioned"): 2 for namespace in namespaces}


async def test_a_resource_may_come_later(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """The other streams run meanwhile, and this one begins by itself when it can."""
    watches = [
        {"resource": "configmaps", "topic": "later.configmaps"},
        {"resource": "widgets.example.com", "topic": "later.widgets"},
    ]
    async with trial(new_cluster(), broker, tmp_path, watches, name="later") as run:
        early = await run.writer(CONFIGMAPS)
        run.bridge.start()
        scopes, run.scopes = run.scopes, run.scopes[:1]
        await run.caught_up(early)
        run.scopes = scopes
        await make_widgets(run.kube)
        writer = await run.writer(CONFIGMAPS, WIDGETS, seed=2)
        await writer.work(2, rate=20)
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps initial": 1, "widgets.example.com initial": 1}
