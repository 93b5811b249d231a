"""`event-bridge run` as a process: what it prints where, and how it ends."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.bridge_process import ROOT, BridgeProcess
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_order(
    cluster: Cluster, broker: Broker, tmp_path: Path, number: signal.Signals
) -> None:
    """As a kubelet and as a terminal end it; a lost terminal (SIGHUP) does not."""
    with BridgeProcess(config_for(cluster, broker, f"ended-{number.name.lower()}"), tmp_path) as bridge:
        bridge.start()
        await asyncio.to_thread(bridge.says, "relist completed", 60)
        bridge.send(signal.SIGHUP)
        await asyncio.sleep(0.5)
        assert bridge.is_running
        bridge.send(number)
        assert await asyncio.to_thread(bridge.wait, 10) == 0

    last = json.loads(bridge.log.read_text().splitlines()[-1])
    assert (last["event"], last["why"]) == ("bridge stopped", number.name)
    assert "Traceback" not in bridge.log.read_text()


async def test_logs_go_to_standard_error_and_nothing_to_standard_output(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """JSON, one object a line, where standard error is no terminal: for whatever collects it."""
    file = tmp_path / "bridge.yaml"
    config = {**config_for(cluster, broker, "streams-apart"), "http": {"listen": None}}
    file.write_text(yaml.safe_dump(config))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "run", "-c", str(file)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        lines: list[dict[str, object]] = []
        async with asyncio.timeout(60):
            while not lines or lines[-1]["event"] != "relist completed":
                lines.append(json.loads(await process.stderr.readline()))
        process.terminate()
        output, rest = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    lines += [json.loads(line) for line in rest.splitlines()]
    assert process.returncode == 0
    assert output == b""
    assert [line["event"] for line in lines] == [
        "bridge started",
        "topic created",
        "topic created",
        "stream started",
        "stream restarted",
        "relist completed",
        "stream stopped",
        "bridge stopped",
    ]
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)


async def test_when_no_stream_can_work_it_ends_with_1(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """A supervisor restarts it, and its log says what to mend."""
    config = config_for(cluster, broker, "hopeless")
    config["watches"] = [{"resource": "nodes", "namespaces": ["default"], "topic": "hopeless"}]
    with BridgeProcess(config, tmp_path) as bridge:
        bridge.start()
        assert await asyncio.to_thread(bridge.wait, 30) == 1

    failed = [json.loads(line) for line in bridge.log.read_text().splitlines() if '"stream failed"' in line]
    assert [(line["stream"], line["level"]) for line in failed] == [("nodes.default", "error")]
    assert "remove `namespaces`" in failed[0]["what"]


def config_for(cluster: Cluster, broker: Broker, name: str) -> dict[str, object]:
    return {
        "name": name,
        "standalone": True,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "topics": {"partitions": 1},
        "checkpoints": {"partitions": 1},
        "watches": [{"resource": "configmaps", "namespaces": ["default"], "topic": f"{name}.configmaps"}],
    }
