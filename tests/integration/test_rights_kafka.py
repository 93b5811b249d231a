"""The ACLs that `event-bridge acls` prints, put into a real Kafka by its own tool: enough, and each of them needed."""

import asyncio
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import java_tools
from tests.bridge_process import BridgeProcess
from tests.command import event_bridge
from tests.integration.test_kafka_access import PLAIN, SETTINGS, USERS, Brokers
from tests.load import make
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

Object = dict[str, Any]
MODES: dict[str, Object] = {
    "shared": {},
    "alone": {"standalone": True},
    "without-transactions": {"delivery": "at-least-once"},
    "alone-without-transactions": {"standalone": True, "delivery": "at-least-once"},
}


@pytest.fixture(scope="session")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return java_tools.fetch(tmp_path_factory.mktemp("tools"))


Tool = Callable[[str], str]


@pytest.fixture
def tool(jars: Path) -> Tool:
    """Runs a command line as it was printed: what the script kafka-acls.sh runs."""

    def run(line: str) -> str:
        script, *words = shlex.split(line)
        assert script == "kafka-acls.sh"
        return java_tools.run(jars, "AclCommand", *words)

    return run


@pytest.mark.integration(timeout=500)
@pytest.mark.parametrize("mode", MODES)
async def test_the_printed_commands_are_enough(
    cluster: Cluster, new_broker: Brokers, tool: Tool, tmp_path: Path, mode: str
) -> None:
    """In every way to run: the bridge publishes, its operators ask and are answered, and nobody is refused anything."""
    broker = await asyncio.to_thread(new_broker, SETTINGS)
    config = config_for(cluster, broker, MODES[mode])
    for line in await printed(config, tmp_path):
        await asyncio.to_thread(tool, line)

    untouched = await check(config, tmp_path)
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        resynced = await event_bridge("resync", config, tmp_path, "granted")
        async with cluster.kube() as kube:
            for plural in ("configmaps", "serviceaccounts"):
                await make(kube, f"/api/v1/namespaces/default/{plural}", {"metadata": {"name": f"granted-{mode}"}})
        await asyncio.to_thread(bridge.says, "spread.default.sa", 30)
        running, status = await check(config, tmp_path), await event_bridge("status", config, tmp_path)
        refused = await event_bridge("verify", config, tmp_path)
        for line in await printed(config, tmp_path, "--reading"):
            await asyncio.to_thread(tool, line)
        verified = await event_bridge("verify", config, tmp_path)
        log = bridge.log.read_text()
        assert await asyncio.to_thread(bridge.terminate) == 0

    assert (untouched, running) == ((0, ""), (0, ""))
    assert (resynced.code, status.code, verified.code) == (0, 0, 0), verified.output + verified.errors
    assert refused.code == 1, "the bridge itself cannot read what it writes"
    assert "stream recovers" not in log
    assert "no permission" not in log


async def printed(config: Object, directory: Path, *arguments: str) -> list[str]:
    """The commands, with the administrator's login."""
    admin = directory / "admin.properties"
    login = f'{PLAIN} username="admin" password="{USERS["admin"]}";'
    admin.write_text(f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={login}\n")
    answer = await event_bridge("acls", config, directory, "--command-config", str(admin), *arguments)
    assert (answer.code, answer.errors) == (0, "")
    return [line for line in answer.output.splitlines() if line and not line.startswith("#")]


async def check(config: Object, directory: Path) -> tuple[int, str]:
    """The exit code, and everything that it has to say."""
    answer = await event_bridge("check", config, directory, "--output", "json")
    report = json.loads(answer.output)
    states = [report["kafka"], report["checkpoints"], report["group"]]
    states += [topic for stream in report["streams"] for topic in stream["topics"]]
    words = [state.get(word, "") for state in states if state is not None for word in ("problem", "note")]
    words += [problem for stream in report["streams"] for problem in stream["problems"]]
    return answer.code, "\n".join(filter(None, words))


def config_for(cluster: Cluster, broker: Broker, mode: Object) -> Object:
    """Its topics' names depend on the resource, and on namespaces that are not known before."""
    sasl = {"mechanism": "PLAIN", "username": "bridge", "password": USERS["bridge"]}
    delivery = mode.get("delivery", "exactly-once")
    return {
        "name": "granted",
        "standalone": mode.get("standalone", False),
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap, "sasl": sasl, "delivery": delivery},
        "topics": {"partitions": 2},
        "checkpoints": {"partitions": 2},
        "watches": [
            {"resource": "cm", "name": "granted", "topic": "granted.{resource}"},
            {"resource": "serviceaccounts", "name": "spread", "topic": "spread.{namespace}.sa"},
        ],
    }
