"""Secrets of a real API server, in a real Kafka: what the topics hold of them, and what they do not."""

import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.audit.topics import read_topics
from tests.bridge_process import BridgeProcess
from tests.command import event_bridge
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

Object = dict[str, Any]
KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
DIGEST = re.compile(r"masked:[0-9a-f]{32}")
VALUES = ("hunter2-listed", "hunter2-made", "hunter2-rotated", "hunter2-large" * 2000)


@pytest.mark.integration(timeout=300)
@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_no_value_is_in_the_topics_and_every_change_is(
    cluster: Cluster, broker: Broker, tmp_path: Path, delivery: str
) -> None:
    """A topic has more readers than the API server has: what they need is that a secret changed, not what it is."""
    space = f"masked-{delivery}"
    config = config_for(cluster, broker, space)
    config["kafka"]["delivery"] = delivery
    path = f"/api/v1/namespaces/{space}/secrets"
    async with cluster.kube() as kube:
        await kube.create("/api/v1/namespaces", {"metadata": {"name": space}})
        await kube.create(path, secret("listed", VALUES[0]))
        with BridgeProcess(config, tmp_path) as bridge:
            bridge.start()
            await asyncio.to_thread(bridge.says, "relist completed", 60)
            await kube.create(path, secret("login", VALUES[1]))
            await kube.create(path, secret("large", VALUES[3]))
            many = {f"{number:03}-{'k' * 60}": VALUES[0] for number in range(300)}
            await kube.create(path, {"metadata": {"name": "many"}, "stringData": many})
            await told(broker, space, "many", 1)
            assert await asyncio.to_thread(bridge.terminate) == 0
            bridge.start()  # the salt is of the checkpoint
            await kube.patch(f"{path}/login", {"metadata": {"labels": {"touched": "yes"}}})
            await kube.patch(f"{path}/login", {"stringData": {"password": VALUES[2]}})
            await kube.delete(f"{path}/login")
            records = await told(broker, space, "login", 4)
            verified = await event_bridge("verify", config, tmp_path)
            shown = await event_bridge("tail", config, tmp_path, "--once", "--output", "json")
            state = await event_bridge("tail", config, tmp_path, "--once", "--state")
            log = bridge.log.read_text()
            assert await asyncio.to_thread(bridge.terminate) == 0

    made, touched, rotated, deleted = records
    assert [record["type"] for record in records] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
    assert made["object"]["data"].keys() == {"password", "user"}
    assert all(DIGEST.fullmatch(digest) for digest in made["object"]["data"].values())
    assert DIGEST.fullmatch(made["object"]["metadata"]["annotations"][KUBECTL])
    assert made["object"]["data"] == touched["object"]["data"], "unchanged, over a restart of the bridge"
    assert touched["object"]["data"]["user"] == rotated["object"]["data"]["user"]
    assert touched["object"]["data"]["password"] != rotated["object"]["data"]["password"] == password(deleted)
    assert [record["type"] for record in await told(broker, space, "listed", 1)] == ["LISTED"]
    assert DIGEST.fullmatch(password((await told(broker, space, "large", 1))[0])), "masked, it is not too large"
    assert (await told(broker, space, "many", 1))[0]["oversize"] > 16_384

    said = [verified.output, shown.output, shown.errors, state.output, state.errors, log, *await raw(broker, space)]
    assert (verified.code, shown.code, state.code) == (0, 0, 0), shown.errors + state.errors
    assert "masked:" in shown.output
    assert "secrets are published unmasked" not in log
    assert [value[:20] for value in VALUES for text in said for form in forms(value) if form in text] == []


@pytest.mark.integration(timeout=300)
async def test_who_wants_them_unmasked_is_warned_at_every_start_and_both_ways_begin_an_epoch(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """What consumers hold must be masked from the moment that the file says so, not only what changes later."""
    config = config_for(cluster, broker, "unmasked")
    watch = config["watches"][0]
    watch["mask"] = "none"
    async with cluster.kube() as kube:
        await kube.create("/api/v1/namespaces", {"metadata": {"name": "unmasked"}})
        await kube.create("/api/v1/namespaces/unmasked/secrets", secret("login", VALUES[1]))
    logs: list[str] = []
    for mask in ("none", "none", None):
        watch["mask"] = mask
        if mask is None:
            del watch["mask"]
        life = tmp_path / f"{len(logs)}"
        life.mkdir()
        with BridgeProcess(config, life) as bridge:
            bridge.start()
            await asyncio.to_thread(bridge.says, "stream started", 60)
            if len(logs) != 1:
                await asyncio.to_thread(bridge.says, "relist completed", 60)
            assert await asyncio.to_thread(bridge.terminate) == 0
            logs.append(bridge.log.read_text())

    assert ["secrets are published unmasked" in log for log in logs] == [True, True, False]
    assert ["stream restarted" in log for log in logs] == [True, False, True]
    assert "mask was none, is secrets" in logs[2]
    before, after = await told(broker, "unmasked", "login", 2)
    assert base64.b64decode(before["object"]["data"]["password"]).decode() == VALUES[1]
    assert DIGEST.fullmatch(password(after))
    assert after["type"] == "LISTED"


def password(record: Object) -> str:
    text: str = record["object"]["data"]["password"]
    return text


def secret(name: str, value: str) -> Object:
    """As `kubectl apply` leaves it."""
    made = {"metadata": {"name": name}, "stringData": {"password": value, "user": "hunter2-user"}}
    return {"metadata": {"name": name, "annotations": {KUBECTL: json.dumps(made)}}, "stringData": made["stringData"]}


def forms(value: str) -> list[str]:
    """Plain, and in base64 wherever in a text it stands: without what depends on its neighbours."""
    return [value, *(base64.b64encode(b" " * at + value.encode()).decode()[4 if at else 0 : 24] for at in range(3))]


async def told(broker: Broker, space: str, name: str, count: int) -> list[Object]:
    """The records of a secret, as soon as there are *count*."""
    async with asyncio.timeout(60):
        while True:
            try:
                (log,) = await read_topics(broker.bootstrap, [f"{space}.secrets"])
            except LookupError:
                log = None
            key = f"secrets/{space}/{name}".encode()
            found = [json.loads(entry.value) for entry in log.entries if entry.key == key] if log is not None else []
            if len(found) >= count:
                return found
            await asyncio.sleep(0.3)


async def raw(broker: Broker, space: str) -> list[str]:
    """Everything that the bridge has written, the checkpoint topic too."""
    logs = await read_topics(broker.bootstrap, [f"{space}.secrets", f"{space}.checkpoints"])
    return ["\n".join((entry.key + b" " + entry.value).decode() for entry in log.entries) for log in logs]


def config_for(cluster: Cluster, broker: Broker, space: str) -> Object:
    return {
        "name": space,
        "standalone": True,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap, "maxMessageBytes": "16KiB"},
        "topics": {"partitions": 2},
        "checkpoints": {"partitions": 2},
        "watches": [{"resource": "Secret", "name": "credentials", "namespaces": [space], "topic": f"{space}.secrets"}],
    }
