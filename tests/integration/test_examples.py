"""The consumers that people copy: each passes all vectors, and follows a live topic to the same state as the audit."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.model.event import ChangeType
from bridge.sink.writer import Writer
from tests.bridge_process import ROOT
from tests.consumer.broken import BROKEN, spoil
from tests.consumer.vectors import VECTORS
from tests.integration.materializing import audited, snapshot
from tests.servers.kafka import Broker
from tests.sink.stage import change, fresh, stage

EXAMPLES = ROOT / "examples" / "consumers"
BUILD = 300.0
"""Seconds: the first time, dependencies are fetched."""
RUN = 60.0
FEW = 3
"""Lines on standard error: before the last one, which is ours, the client may say a line or two of its own."""


class Example:
    """One of them, built. *command* makes what is run of brokers, topic and whether to end."""

    def __init__(self, proof: list[str], follow: Callable[[str, str], list[str]]) -> None:
        self._proof = proof
        self._follow = follow

    async def prove(self, vectors: Path) -> "subprocess.CompletedProcess[str]":
        return await run([*self._proof, str(vectors)])

    async def follow(self, bootstrap: str, topic: str) -> "subprocess.CompletedProcess[str]":
        return await run(self._follow(bootstrap, topic))


async def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, timeout=RUN, cwd=ROOT
    )


@pytest.fixture(scope="module", params=["python", "go", "java"])
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Example:
    place = tmp_path_factory.mktemp(request.param) / "sources"
    shutil.copytree(EXAMPLES / request.param, place, ignore=shutil.ignore_patterns("target"))
    return {"python": python, "go": go, "java": java}[request.param](place)


def python(place: Path) -> Example:
    command = [sys.executable, str(place / "consumer.py")]
    return Example([*command, "--vectors"], lambda bootstrap, topic: [*command, bootstrap, topic, "--once"])


def go(place: Path) -> Example:
    build("go", ["go", "build", "-mod=readonly", "-buildvcs=false", "-o", str(place / "consumer"), "."], place)
    command = [str(place / "consumer")]
    return Example([*command, "-vectors"], lambda bootstrap, topic: [*command, "-once", bootstrap, topic])


def java(place: Path) -> Example:
    build("java", ["java", "-version"], place)
    build("mvn", ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies"], place)
    command = ["java", "-cp", f"{place}/target/classes:{place}/target/dependency/*", "Consumer"]
    return Example([*command, "--vectors"], lambda bootstrap, topic: [*command, bootstrap, topic, "--once"])


def build(tool: str, command: list[str], place: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"TOOL MISSING: {tool}, so the example that needs it was not tested")
    ended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=BUILD)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.integration(timeout=BUILD)
async def test_every_vector_comes_out_as_it_should(example: Example) -> None:
    """The same proof in every language."""
    ended = await example.prove(VECTORS)

    assert ended.returncode == 0, ended.stdout
    assert f"{len(list(VECTORS.glob('*.json')))} vectors" in ended.stdout


async def test_a_wrong_state_and_what_is_no_vector_are_found(example: Example, tmp_path: Path) -> None:
    """A proof that cannot fail is none."""
    spoil(tmp_path)

    ended = await example.prove(tmp_path)

    told = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (1, "")
    assert [line.partition(" is no vector, or a part of one: ")[0] for line in told[: len(BROKEN)]] == [
        f"{tmp_path}/{name}.json" for name in sorted(BROKEN)
    ]
    assert all("wrong" in line.partition(", step ")[0] for line in told[len(BROKEN) : -1])
    assert told[-1].startswith(f"{len(BROKEN) + 2} vectors in {tmp_path}, ")


async def test_a_directory_that_is_not_there_proves_nothing(example: Example, tmp_path: Path) -> None:
    ended = await example.prove(tmp_path / "no")

    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"0 vectors in {tmp_path}/no" in ended.stdout


async def test_a_live_topic_is_followed_to_the_same_state(example: Example, broker: Broker) -> None:
    """Committed records only, over a gap, from all partitions."""
    at = stage(broker.bootstrap)
    opened = await at.open()
    await write(opened.writer)
    wanted = await audited(broker.bootstrap, at.topic)

    found = await follow(example, broker.bootstrap, at.topic, wanted)

    assert found == wanted
    assert len(wanted) == 15
    await opened.writer.close()


async def write(writer: Writer) -> None:
    await snapshot(writer, 1000, {f"pod-{n}": n + 1 for n in range(20)}, 100)
    await writer.write([change("pod-1", 101), change("pod-2", 102, ChangeType.DELETED)])
    gone = [f"pod-{n}" for n in range(3, 8)]
    left = {f"pod-{n}": n + 1 for n in range(20) if n not in (1, 2) and f"pod-{n}" not in gone}
    await snapshot(writer, 2000, {**left, "pod-1": 101}, 200, *gone)
    await writer.write([change("new", 201, ChangeType.ADDED, fresh=True)])


async def follow(
    example: Example, bootstrap: str, topic: str, wanted: object
) -> dict[tuple[int, str], tuple[str, str]]:
    """The last commit may lie behind the last stable offset for a moment: look again until it is there."""
    until = time.monotonic() + RUN
    while True:
        ended = await example.follow(bootstrap, topic)
        assert (ended.returncode, ended.stderr) == (0, "")
        found = rows(json.loads(ended.stdout.splitlines()[-1]))
        if found == wanted or time.monotonic() > until:
            return found


def rows(state: dict[str, Any]) -> dict[tuple[int, str], tuple[str, str]]:
    return {
        (int(partition), key): (thing["metadata"]["uid"], thing["metadata"]["resourceVersion"])
        for partition, streams in state.items()
        for objects in streams.values()
        for key, thing in objects.items()
    }


async def test_a_topic_that_does_not_exist_is_an_error(example: Example, broker: Broker) -> None:
    """Not an empty cluster."""
    topic = fresh("nowhere")

    ended = await example.follow(broker.bootstrap, topic)

    assert ended.returncode == 1
    assert topic in ended.stderr.splitlines()[-1]
    assert (len(ended.stderr.splitlines()), ended.stdout) == (1, "")


async def test_a_broker_that_is_not_there_is_told_in_a_line(example: Example) -> None:
    """Nobody looks for the reason in a traceback, or among the client's own messages."""
    ended = await example.follow("127.0.0.1:1", "pods")

    last = ended.stderr.splitlines()[-1]
    assert ended.returncode == 1
    assert last.startswith("Kafka")
    assert "127.0.0.1:1" in last
    assert (len(ended.stderr.splitlines()) <= FEW, ended.stdout) == (True, "")
