"""`event-bridge sandbox`, as a process: what it prints is all that anybody needs to use it."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.bridge_process import BridgeProcess
from tests.web.running import url_of

EVENT_BRIDGE = [sys.executable, "-m", "bridge"]


def test_what_it_prints_is_enough_for_a_bridge(tmp_path: Path) -> None:
    """Who has neither a cluster nor a Kafka sees the bridge at work within a minute; and nothing stays of it."""
    with subprocess.Popen([*EVENT_BRIDGE, "sandbox"], stdout=subprocess.PIPE, text=True) as sandbox:
        exports, config = _read(sandbox)
        with BridgeProcess(config, tmp_path, exports) as bridge:
            checked = subprocess.run(
                [*EVENT_BRIDGE, "check", "-c", str(bridge.config)],
                env={**os.environ, **exports},
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            bridge.start()
            url = url_of(bridge)
        sandbox.send_signal(signal.SIGTERM)
        code = sandbox.wait(30)

    assert (checked.returncode, code) == (0, 0), checked.stdout + checked.stderr
    assert not url.endswith(":8080"), "which another program of whoever tries it may have"
    assert not Path(exports["KUBECONFIG"]).exists()


def _read(sandbox: subprocess.Popen[str]) -> tuple[dict[str, str], str]:
    """The exports, and the config file, of what it prints."""
    assert sandbox.stdout is not None
    text = ""
    while "http listening" not in text:
        line = sandbox.stdout.readline()
        assert line, "it ended by itself"
        text += line
    (config,) = re.findall(r"bridge.yaml, .*?\n\n((?:  .*\n)+)", text)
    return dict(re.findall(r"^export (\w+)=(\S+)$", text, re.MULTILINE)), textwrap.dedent(config)


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
