"""The sandbox as other projects use it: what docs/sandbox.md shows is run as it stands there."""

import os
import re
import socket
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from confluent_kafka import Producer

from bridge.sandbox import Sandbox, Wish

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
TEST, PROGRAM = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
POD = {"metadata": {"name": "web-1"}}


def _run(directory: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """As in another checkout: nothing of this one's settings is near."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, *words],
        cwd=directory,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_fixture_is_there_once_the_package_is_installed(tmp_path: Path) -> None:
    """Who tests a program of theirs against a cluster and a Kafka writes this and no conftest."""
    (tmp_path / "test_mine.py").write_text(TEST)

    done = _run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_the_servers_run_in_the_loop_of_a_program(tmp_path: Path) -> None:
    """Programs on asyncio need no thread."""
    (tmp_path / "program.py").write_text(PROGRAM)

    done = _run(tmp_path, "-W", "error", "program.py")

    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ \['web-1'\]\n", done.stdout)


def test_what_the_servers_refuse_is_raised_where_it_was_asked() -> None:
    """A mistake in a test shows in that test, not in a thread of ours."""
    with Sandbox() as sandbox:
        sandbox.do(lambda servers: servers.api.create("pods", POD))

        with pytest.raises(Exception, match='pods "web-1" already exists'):
            sandbox.do(lambda servers: servers.api.create("pods", POD))


def test_a_broker_can_go_and_come_back() -> None:
    """The commonest fault of all, and with what was acknowledged still there."""
    with Sandbox() as sandbox:
        sandbox.do(lambda servers: servers.broker.create("t"))
        host, _, port = sandbox.bootstrap.partition(":")
        sandbox.wait(lambda servers: servers.broker.stop())
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, int(port)))

        sandbox.wait(lambda servers: servers.broker.start())

        socket.create_connection((host, int(port))).close()
        with pytest.raises(ValueError, match="already exists"):
            sandbox.do(lambda servers: servers.broker.create("t"))


def test_a_port_that_is_taken_is_said_and_nothing_stays() -> None:
    """No hanging test, no thread and no file left behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sandbox = Sandbox(Wish(kafka_port=taken.getsockname()[1]))

        with pytest.raises(OSError, match="address already in use"), sandbox:
            pass

    assert not sandbox.kubeconfig.parent.exists()


@pytest.mark.parametrize("auto_create", [True, False])
def test_topics_are_made_on_sight_unless_that_is_not_wished(auto_create: bool) -> None:
    """`echo hello | kcat -P -t new` is the first thing that many try, and works with a Kafka as it comes."""
    with Sandbox(Wish(auto_create=auto_create)) as sandbox:
        producer = Producer({"bootstrap.servers": sandbox.bootstrap, "topic.metadata.propagation.max.ms": 0})
        errors: list[object] = []
        producer.produce("new", b"hello", on_delivery=lambda error, _: errors.append(error and error.name()))
        left = producer.flush(30)

    assert (errors, left) == ([None if auto_create else "UNKNOWN_TOPIC_OR_PART"], 0)


def test_other_projects_see_its_types() -> None:
    assert files("bridge").joinpath("py.typed").is_file()
