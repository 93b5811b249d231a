"""`event-bridge sandbox`, as a process: what it prints is all that anybody needs to use it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

EVENT_BRIDGE = [sys.executable, "-m", "bridge"]
CONFIG = 'standalone: true\nkafka: {bootstrapServers: "${KAFKA_BOOTSTRAP_SERVERS}"}\nwatches: [{resource: pods}]\n'


def test_what_it_prints_is_enough_for_a_bridge(tmp_path: Path) -> None:
    """Who has neither a cluster nor a Kafka sees the bridge at work within a minute; and nothing stays of it."""
    config = tmp_path / "bridge.yaml"
    config.write_text(CONFIG)
    with subprocess.Popen([*EVENT_BRIDGE, "sandbox"], stdout=subprocess.PIPE, text=True) as sandbox:
        assert sandbox.stdout is not None
        exports: dict[str, str] = {}
        while len(exports) < 2:
            line = sandbox.stdout.readline()
            assert line, "it ended by itself"
            exports |= re.findall(r"^export (\w+)=(\S+)$", line)
        checked = subprocess.run(
            [*EVENT_BRIDGE, "check", "-c", str(config)],
            env={**os.environ, **exports},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        sandbox.send_signal(signal.SIGTERM)
        code = sandbox.wait(30)

    assert (checked.returncode, code) == (0, 0), checked.stdout + checked.stderr
    assert not Path(exports["KUBECONFIG"]).exists()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*EVENT_BRIDGE, "sandbox", "--kafka-port", port], capture_output=True, text=True, check=False, timeout=60
        )

    assert done.returncode == 1
    assert port in done.stderr
    assert "Choose another --api-port or --kafka-port." in done.stderr
