import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
HEAVY = ("kubernetes_asyncio", "aiokafka", "aiohttp")


def test_the_version_is_the_distributions() -> None:
    """So a bug report names what runs."""
    result = event_bridge("--version")

    assert result.stdout == f"event-bridge {importlib.metadata.version('kube-event-bridge')}\n"
    assert result.returncode == 0


def test_schema_prints_the_file_that_editors_use() -> None:
    """`event-bridge schema > schema.json` is what the documentation tells people to do."""
    result = event_bridge("schema")

    assert result.stdout == (ROOT / "config" / "schema.json").read_text()
    assert json.loads(result.stdout)["title"] == "kube-event-bridge"
    assert result.returncode == 0


@pytest.mark.parametrize("arguments", [["--version"], ["schema"], ["check", "--help"]])
def test_what_needs_no_network_library_imports_none(arguments: list[str]) -> None:
    """They take half a second to import: too long to wait for a help text, or at each keystroke of a completion."""
    code = f"""
import atexit, sys
atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))
sys.argv[1:] = {arguments}
from bridge.__main__ import main
main()
"""

    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert result.stderr == "[]\n"


def test_what_the_api_server_takes_can_be_read() -> None:
    """It takes JSON of 10,000 levels in custom resources: whoever may write one must not be able to stop a stream."""
    code = """
import atexit, sys
def read():
    from bridge.source.frames import decode
    from tests.source.words import PODS
    deep = b'{"a":' * 9990 + b"1" + b"}" * 9990
    line = b'{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"5"},"spec":%b}}' % deep
    print(type(decode([line], PODS)[0]).__name__, file=sys.stderr)
atexit.register(read)
sys.argv[1:] = ["--version"]
from bridge.__main__ import main
main()
"""

    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)

    assert result.stderr == "Change\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be an account that nobody knows")
def test_an_account_without_a_home_can_run_it(tmp_path: Path) -> None:
    """`docker run --user 12345`, or a service that was given no $HOME: the answer is about the config, no traceback."""
    config = tmp_path / "bridge.yaml"
    config.write_text("http: {listen: null}\nkafka: {bootstrapServers: k:9092}\nwatches: [{resource: pods}]\n")
    code = f"""
import os, sys
os.environ.clear()
os.environ["EVENT_BRIDGE_CONFIG"] = {str(config)!r}
os.setresuid(4_000_000, 0, 0)
sys.argv[1:] = ["run"]
from bridge.__main__ import main
main()
"""

    result = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)

    assert result.stderr.startswith("/.kube/config: no such file"), result.stderr
    assert result.returncode == 2


def test_every_problem_of_a_file_is_told_with_its_place(tmp_path: Path) -> None:
    """One go to mend them all, and an exit code that a pipeline can tell from a failure."""
    file = tmp_path / "bridge.yaml"
    file.write_text("standalone: true\nkafka:\n  bootstrapServer: k:9092\nwatches:\n  - resource: pods\n    topik: a\n")

    result = event_bridge("run", "-c", str(file))

    assert result.returncode == 2
    assert result.stdout == ""
    places = [line.partition(" ")[0] for line in result.stderr.splitlines()]
    assert f"{file}:3:" in places
    assert f"{file}:6:" in places
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["run", "--no-such-option"], ["no-such-command"], ["check", "-o", "xml"]])
def test_a_wrong_command_line_exits_with_2(arguments: list[str]) -> None:
    """As a wrong config does: both are the caller's to mend."""
    result = event_bridge(*arguments)

    assert result.returncode == 2
    assert "Usage" in result.stderr
    assert result.stdout == ""


def test_a_kubeconfig_that_does_not_exist_is_a_config_problem(tmp_path: Path) -> None:
    """No traceback, and no retrying of what only a person can mend."""
    file = tmp_path / "bridge.yaml"
    file.write_text(
        "http: {listen: null}\nkubernetes: {kubeconfig: nowhere}\n"
        "kafka: {bootstrapServers: '127.0.0.1:1'}\nwatches: [{resource: pods}]\n"
    )

    result = event_bridge("run", "-c", str(file))

    assert result.returncode == 2
    assert str(tmp_path / "nowhere") in result.stderr
    assert "Traceback" not in result.stderr


def event_bridge(*arguments: str) -> subprocess.CompletedProcess[str]:
    """As users start it, in a process of its own."""
    command = [sys.executable, "-m", "bridge", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)


def test_python_without_assertions_is_refused() -> None:
    """aiokafka's state checks and our own are assertions: without them a broken transaction could be committed."""
    ended = subprocess.run(
        [sys.executable, "-O", "-m", "bridge", "--version"], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "python -O" in ended.stderr


def test_a_missing_authority_is_told_at_once(tmp_path: Path) -> None:
    """Nothing but a person brings the file: waiting for it would look like a slow start."""
    config = tmp_path / "bridge.yaml"
    config.write_text(
        "standalone: true\nwatches: [{resource: pods}]\nkafka: {bootstrapServers: 'k:9093', tls: {ca: nowhere.pem}}\n"
    )

    ended = subprocess.run(
        [sys.executable, "-m", "bridge", "run", "-c", str(config)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "kafka.tls" in ended.stderr
    assert str(tmp_path / "nowhere.pem") in ended.stderr
