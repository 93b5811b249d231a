"""`event-bridge live`: what a container's health check runs."""

import subprocess
import sys
from pathlib import Path

import yaml

from bridge.sandbox.background import Sandbox
from tests.bridge_process import BridgeProcess
from tests.web.running import url_of

CONFIG = {
    "standalone": True,
    "kafka": {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}"},
    "watches": [{"resource": "pods"}],
}


def live(directory: Path, listen: str | None) -> tuple[int, str]:
    """By a file that says where; not that of the bridge, which has taken a free port."""
    file = directory / "asked.yaml"
    kafka = {"bootstrapServers": "nowhere:9092"}
    file.write_text(yaml.safe_dump({**CONFIG, "kafka": kafka, "http": {"listen": listen}}))
    command = [sys.executable, "-m", "bridge", "live", "-c", str(file)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_it_tells_a_bridge_that_lives_from_one_that_does_not(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """And it asks on this machine, whatever address the bridge listens at."""
    with BridgeProcess(CONFIG, tmp_path, event_bridge_sandbox.environment) as bridge:
        bridge.start()
        port = url_of(bridge).rpartition(":")[2]
        alive = [live(tmp_path, f"{host}:{port}") for host in ("0.0.0.0", "127.0.0.1")]
        bridge.kill()
        code, said = live(tmp_path, f"0.0.0.0:{port}")

    assert alive == [(0, "ok\n"), (0, "ok\n")]
    assert (code, said.startswith(f"http://localhost:{port}/livez: ")) == (1, True)


def test_a_bridge_that_serves_nothing_is_not_called_dead(tmp_path: Path) -> None:
    """`http.listen: null` is a setting: an engine that restarts what is unhealthy must not restart it for ever."""
    assert live(tmp_path, None) == (0, "http.listen is null: nobody can ask\n")


def test_a_port_that_nobody_knows_is_a_mistake_of_the_file(tmp_path: Path) -> None:
    """With port 0 the bridge is well and every health check fails: people would look at the bridge for the reason."""
    code, said = live(tmp_path, "127.0.0.1:0")

    assert code == 2
    assert said == (
        f"{tmp_path / 'asked.yaml'}: http.listen: 127.0.0.1:0 is a free port, which only the bridge's log names: nobody"
        " can ask there. Name a port, for example 127.0.0.1:8080, or write null, and it is not asked.\n"
    )
