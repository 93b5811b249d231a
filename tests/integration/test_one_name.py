"""Two deployments with one name by mistake, on the real servers: the second waits, says why, and `check` warns of it.

Two groups with other watches: tests/integration/test_groups.py.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bridge_process import BridgeProcess
from tests.integration.test_groups import command
from tests.replicas import Replicas, log_of, replicas
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker


async def test_another_clusters_bridge_waits(
    cluster: Cluster, new_cluster: Callable[[], Cluster], broker: Broker, tmp_path: Path
) -> None:
    """One file for two clusters, `cluster` and all: each would tell consumers that what it sees is all there is."""
    other = await asyncio.to_thread(new_cluster)
    async with replicas(cluster, broker, tmp_path, "ab") as group:
        first, second = group.processes.values()
        rewrite(second, str(cluster.kubeconfig), str(other.kubeconfig))
        first.start()
        await group.settled("a")
        second.start()
        await asyncio.to_thread(second.says, "group runs another configuration", 30)
        rewrite(group.run.bridge, str(cluster.kubeconfig), str(other.kubeconfig))
        code, checked, _ = await command(group, "check", "--output", "json")
        owners = await group.owners()

    (word,) = [line["what"] for line in log_of(second) if line["event"] == "group runs another configuration"]
    assert word.startswith("it runs on a; its cluster is another one, though both are called test: the uid of")
    assert set(owners.values()) == {"a"}
    assert "stream started" not in second.log.read_text()
    told = json.loads(checked)["group"]
    assert (code, told["members"], told["problem"]) == (0, 2, "")
    assert told["note"].startswith(f"replicas of another configuration run, those of this one wait for them: {word}")


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_a_standalone_bridge_waits_for_a_group(
    cluster: Cluster, broker: Broker, tmp_path: Path, delivery: str
) -> None:
    """They would throw each other out in turn or, without transactions, both write."""
    kafka = {"bootstrapServers": broker.bootstrap, "delivery": delivery}
    async with replicas(cluster, broker, tmp_path, "ab", kafka=kafka) as group:
        first, second = group.processes.values()
        rewrite(second, "standalone: false", "standalone: true")
        first.start()
        await group.settled("a")
        second.start()
        await asyncio.to_thread(second.says, "name taken", 30)
        await asyncio.sleep(3)
        waiting = log_of(second)
        code, checked, _ = await check(second, group)
        assert await asyncio.to_thread(first.terminate) == 0
        await asyncio.to_thread(second.says, "stream started", 30)
        recovered = [line for line in log_of(first) if line["event"] == "stream recovers"]

    words = [line["what"] for line in waiting if line["event"] == "name taken"]
    assert words == [f"replicas of the name {group.config.name} run on a. Stop them, or change `name` here"]
    assert "stream started" not in {line["event"] for line in waiting}
    assert recovered == [], "nobody was thrown out"
    problem = (
        "this bridge is standalone, and replicas of its name run on a: it would wait. Stop them, or change `name`."
    )
    assert (code, json.loads(checked)["group"]["problem"]) == (1, problem)


async def test_a_standalone_bridge_gives_way_to_a_group(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """The group comes second, and cannot see it: without transactions nothing else would stop one of them."""
    kafka = {"bootstrapServers": broker.bootstrap, "delivery": "at-least-once"}
    async with replicas(cluster, broker, tmp_path, "ab", kafka=kafka) as group:
        first, second = group.processes.values()
        rewrite(second, "standalone: false", "standalone: true")
        second.start()
        await asyncio.to_thread(second.says, "stream started", 60)
        first.start()
        await asyncio.to_thread(second.says, "name taken", 30)
        await group.settled("a")
        writer = await group.writer()
        await writer.work(3, 40)
        report = await _verdict(group, writer)

    assert report.ok


async def _verdict(group: Replicas, writer: Any) -> Any:  # noqa: ANN401 - the writer's and the judge's
    await group.run.caught_up(writer)
    return await group.run.verdict(await writer.ledger())


async def check(bridge: BridgeProcess, group: Replicas) -> tuple[int, str, str]:
    """With the config of *bridge*."""
    kept, group.run.bridge = group.run.bridge, bridge
    try:
        return await command(group, "check", "--output", "json")
    finally:
        group.run.bridge = kept


def rewrite(bridge: BridgeProcess, old: str, new: str) -> None:
    text = bridge.config.read_text()
    assert old in text, text
    bridge.config.write_text(text.replace(old, new))
