"""What holds of the servers without starting them: pins, places, and what is said when a tool is missing."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.servers import build, tools, versions
from tests.servers.directory import PREFIX, Directory
from tests.servers.ports import free_ports
from tests.servers.process import Process, StartError
from tests.servers.steps import BuildError, Step, run_together

HERE = Path(build.__file__).parent
PYTHON = sys.executable


def test_go_mod_and_pom_pin_the_versions_that_we_name() -> None:
    """The cache's key and the version that the server tells of itself come from `versions.py`."""
    go_mod = (HERE / "go.mod").read_text()

    assert f"\tk8s.io/kubernetes v{versions.KUBERNETES}\n" in go_mod
    assert f"\tgo.etcd.io/etcd/server/v3 v{versions.ETCD}\n" in go_mod
    assert f"\ngo {versions.GO[0]}.{versions.GO[1]}" in go_mod
    assert f"<artifactId>kafka_2.13</artifactId><version>{versions.KAFKA}<" in (HERE / "pom.xml").read_text()


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVENT_BRIDGE_TEST_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert build.place().parent == tmp_path / "xdg" / "kube-event-bridge" / "servers"

    monkeypatch.setenv("EVENT_BRIDGE_TEST_CACHE", str(tmp_path / "cache"))
    assert build.place().parent == tmp_path / "cache"


def test_each_missing_tool_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    go, maven, java = tools.missing_for_build()

    assert go.startswith("Go is missing: version 1.26 or newer")
    assert maven.startswith("Maven is missing")
    assert java.startswith("Java is missing: version 17 or newer")


def test_tools_that_are_too_old_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _tool(tmp_path / "go", "echo go1.25.9")
    _tool(tmp_path / "mvn", "true")
    _tool(tmp_path / "java", "echo 'openjdk version \"11.0.20\" 2023-07-18' >&2")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    go, java = tools.missing_for_build()

    assert go.startswith("Go is too old: go1.25.9 found, 1.26 or newer needed")
    assert java.startswith("Java is too old: 17 or newer")


def test_a_failed_step_ends_the_others_and_shows_its_log(tmp_path: Path) -> None:
    fails = Step("fails", ["sh", "-c", "echo this is why; exit 3"], tmp_path, tmp_path / "fails.log")
    hangs = Step("hangs", ["sleep", "600"], tmp_path, tmp_path / "hangs.log")
    began = time.monotonic()

    with pytest.raises(BuildError, match=r"fails failed \(exit 3\)[\s\S]*this is why"):
        run_together([hangs, fails], print)

    assert time.monotonic() - began < 10


def test_a_start_that_fails_shows_the_log(tmp_path: Path) -> None:
    process = Process("a server", tmp_path / "log")

    with pytest.raises(StartError, match=r"a server ended with 1[\s\S]*Address already in use") as caught:
        process.start(["sh", "-c", "echo bind: Address already in use; exit 1"], lambda: False, 10)

    assert caught.value.port_taken
    assert process.pid is None


def test_a_server_that_never_answers_is_not_left_running(tmp_path: Path) -> None:
    process = Process("a server", tmp_path / "log")

    with pytest.raises(StartError, match=r"did not answer within 0\.3 s"):
        process.start(["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 600"], lambda: False, 0.3)

    assert not _runs(tmp_path / "pid")


def test_a_server_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Also when that is killed: nothing may be left of a test run that somebody killed."""
    program = (
        "import os, signal, sys; from pathlib import Path; from tests.servers.process import Process;"
        f"pid = Path({str(tmp_path / 'pid')!r});"
        f"Process('s', pid.with_name('log')).start(['sh', '-c', f'echo $$ > {{pid}}.new; mv {{pid}}.new {{pid}};"
        " sleep 600'], pid.exists, 10);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([PYTHON, "-c", program], check=False, timeout=30, cwd=HERE.parents[1])

    deadline = time.monotonic() + 5
    while _runs(tmp_path / "pid") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(tmp_path / "pid")


def test_orphaned_directories_are_swept_and_those_in_use_are_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    used = Directory()
    orphan, young = tmp_path / f"{PREFIX}orphan", tmp_path / f"{PREFIX}young"
    for path in (orphan, young):
        path.mkdir()
        (path / "lock").touch()
    for path in (orphan, used.path):
        os.utime(path / "lock", (0, 0))

    another = Directory()

    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in (used.path, young, another.path)}
    used.remove()
    another.remove()


def test_ports_are_distinct_and_no_ephemeral_ones() -> None:
    """A killed server's port must not become the local end of a client that tries to reach it."""
    ports = free_ports(20)

    assert len(set(ports)) == 20
    assert max(ports) < 32768


def _tool(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _runs(pid_file: Path) -> bool:
    """A process that has ended, but that nobody has waited for yet, does not run."""
    status = Path("/proc", pid_file.read_text().strip(), "status")
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
