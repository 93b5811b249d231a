"""`event-bridge check` on real servers: what it finds, what it says of what is wrong, and that it disturbs nobody."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bridge_process import ROOT, BridgeProcess
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.ports import free_ports
from tests.trial import create_topics

Fields = dict[str, Any]


async def test_a_running_bridge_is_found_and_not_disturbed(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """An operator looks at a bridge in production; before its first start the answers are others."""
    config = config_for(cluster, broker, "looked-at")
    with BridgeProcess(config, tmp_path) as bridge:
        code, before = await check(tmp_path, config)
        assert (code, before["ok"]) == (0, True)
        assert before["checkpoints"] == topic("looked-at.checkpoints", exists=False, partitions=4)
        assert before["streams"][0]["topics"] == [topic("looked-at.configmaps", exists=False, partitions=3)]
        assert before["streams"][0]["checkpoint"] is None
        assert before["streams"][0]["start"] == {"how": "restart", "reason": "initial", "message": "no checkpoint"}

        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        for _ in range(3):
            code, during = await check(tmp_path, config)
            assert code == 0
        assert bridge.is_running
        log = bridge.log.read_text()
        assert "stream recovers" not in log, "no producer of ours was started: nobody was fenced"
        assert log.count("stream started") == 1
        assert await asyncio.to_thread(bridge.terminate) == 0

    found = during["streams"][0]
    assert during["checkpoints"] == topic("looked-at.checkpoints", exists=True, partitions=4)
    assert found["topics"] == [topic("looked-at.configmaps", exists=True, partitions=3)]
    assert found["resource"] == {"name": "configmaps", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "default"}
    assert found["checkpoint"]["phase"] == "live"
    assert 0 <= found["checkpoint"]["age"] < 60
    assert found["start"] == {"how": "resume", "reason": "", "message": ""}


async def test_a_changed_selection_is_told_before_the_restart(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """A new epoch is a whole snapshot to all consumers: to be known before, not after."""
    config = config_for(cluster, broker, "changed")
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        assert await asyncio.to_thread(bridge.terminate) == 0
    config["watches"][0]["labelSelector"] = "app=web"

    code, report = await check(tmp_path, config)

    assert code == 0
    assert report["streams"][0]["start"] == {
        "how": "restart",
        "reason": "identity_changed",
        "message": "labelSelector was unset, is app=web",
    }


async def test_a_wrong_token_is_named_and_kafka_is_looked_at_all_the_same(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """One end being wrong hides nothing of the other."""
    config = config_for(cluster, broker, "wrong-token")
    config["kubernetes"]["kubeconfig"] = str(cluster.kubeconfig_for("no-such-token"))

    code, report = await check(tmp_path, config)

    assert code == 1
    assert "refused our credentials (401 Unauthorized)" in report["kubernetes"]["problem"]
    assert report["kafka"]["problem"] == ""
    assert report["streams"][0]["topics"] == [topic("wrong-token.configmaps", exists=False, partitions=3)]
    assert not report["streams"][0]["ok"]


async def test_an_authority_that_does_not_fit_is_named(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """The commonest mistake in a kubeconfig made by hand; never mended by not verifying."""
    kubeconfig = json.loads(cluster.kubeconfig.read_text())
    del kubeconfig["clusters"][0]["cluster"]["certificate-authority"]
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig))
    config = config_for(cluster, broker, "wrong-ca")
    config["kubernetes"]["kubeconfig"] = "kubeconfig"

    code, report = await check(tmp_path, config)

    assert code == 1
    assert "its certificate is not trusted" in report["kubernetes"]["problem"]
    assert "certificate-authority" in report["kubernetes"]["problem"]


async def test_kafka_being_away_is_named_and_the_cluster_is_looked_at_all_the_same(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """With the address, so that a wrong one is seen."""
    config = config_for(cluster, broker, "no-kafka")
    (port,) = free_ports(1)
    config["kafka"]["bootstrapServers"] = f"127.0.0.1:{port}"

    code, report = await check(tmp_path, config)

    assert code == 1
    assert f"127.0.0.1:{port}" in report["kafka"]["problem"]
    assert report["checkpoints"] is None
    assert report["streams"][0]["access"] == {"list": True, "watch": True}
    assert not report["streams"][0]["ok"]


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"resource": "no-such-things"}, "has no resource 'no-such-things'"),
        ({"resource": "nodes"}, "nodes have no namespaces. Remove `namespaces` from the watch."),
        ({"fieldSelector": "spec.color=red"}, "does not take the selectors"),
    ],
)
async def test_a_watch_that_cannot_work_is_named(
    cluster: Cluster, broker: Broker, tmp_path: Path, fields: Fields, problem: str
) -> None:
    """Before anything runs, and with the mend."""
    config = config_for(cluster, broker, "unwatchable", **fields)

    code, report = await check(tmp_path, config)

    assert code == 1
    assert [problem in said for said in report["streams"][0]["problems"]] == [True]


async def test_topics_that_must_exist_and_do_not_are_named(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """`topics.create: false` is for teams whose topics are made by others: this is the list for them."""
    config = config_for(cluster, broker, "not-made")
    config["topics"] = {"create": False}

    code, report = await check(tmp_path, config)

    assert code == 1
    assert report["streams"][0]["problems"] == [
        "topics.create is false, and there is no topic not-made.configmaps. Create it, or set topics.create: true."
    ]
    assert "not-made.checkpoints" in report["checkpoints"]["problem"]

    await create_topics(broker.bootstrap, {"not-made.configmaps": 2, "not-made.checkpoints": 7})
    code, report = await check(tmp_path, config)

    assert report["streams"][0]["topics"] == [topic("not-made.configmaps", exists=True, partitions=2)]
    assert "has 7 partitions, checkpoints.partitions is 4" in report["checkpoints"]["problem"]
    assert code == 1


async def test_the_table_says_the_same_in_80_columns(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """For people, piped into a ticket."""
    config = config_for(cluster, broker, "drawn")

    code, output = await event_bridge_check(tmp_path, config)

    assert code == 0
    assert "\x1b" not in output
    assert max(len(line.rstrip()) for line in output.splitlines()) <= 80
    assert "drawn.configmaps" in output
    assert "as admin" in output


def config_for(cluster: Cluster, broker: Broker, name: str, **fields: str) -> Fields:
    return {
        "name": name,
        "standalone": True,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "topics": {"partitions": 3},
        "checkpoints": {"partitions": 4},
        "watches": [{"resource": "configmaps", "namespaces": ["default"], "topic": f"{name}.configmaps", **fields}],
    }


def topic(name: str, *, exists: bool, partitions: int) -> Fields:
    return {"name": name, "exists": exists, "partitions": partitions, "problem": "", "note": ""}


async def check(directory: Path, config: Fields) -> tuple[int, Fields]:
    code, output = await event_bridge_check(directory, config, "--output", "json")
    report: Fields = json.loads(output)
    assert report["ok"] == (code == 0)
    return code, report


async def event_bridge_check(directory: Path, config: Fields, *arguments: str) -> tuple[int, str]:
    file = directory / "checked.yaml"
    file.write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "check", "-c", str(file), *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "COLUMNS"},
    )
    output, errors = await process.communicate()
    assert errors == b"", errors.decode()
    assert process.returncode is not None
    return process.returncode, output.decode()
