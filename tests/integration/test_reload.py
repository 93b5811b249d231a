"""The config changes under load, on the real servers: two replicas get it at different moments, and broken at times."""

import asyncio
import copy
import random
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.audit.judge import judge
from tests.audit.ledger import Scope
from tests.audit.records import Record, parse
from tests.audit.topics import read_topic
from tests.bridge_process import BridgeProcess
from tests.load import CONFIGMAPS, PODS, Writer
from tests.replicas import Replicas, log_of, replicas, until
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

RATE = 40.0
LAG = 8.0
"""Seconds between the two replicas' files, at the most: more than what a look at the file takes."""
PATIENCE = 60.0
Config = dict[str, Any]


def pods(config: Config, **fields: object) -> None:
    """A stream of pods, instead of the one that is there."""
    topic = config["watches"][0]["topic"].replace("things", "pods")
    config["watches"] = [*config["watches"][:1], {"resource": "pods", "topic": topic, **fields}]


CHANGES: list[Callable[[Config], object]] = [
    pods,
    lambda config: pods(config, labelSelector="app=web"),
    pods,
    lambda config: config.update(progressInterval="2s", buffer="32MiB", log={"format": "json", "level": "debug"}),
    lambda config: config["watches"].pop(),
    lambda config: config["watches"][0]["namespaces"].append("elsewhere"),
    lambda config: config["watches"][0]["namespaces"].remove("elsewhere"),
    pods,
    lambda config: pods(config, name="renamed"),
    lambda config: pods(config, name="renamed", drop=["metadata.managedFields"]),
]
"""Each on the one before. Streams are as many on both replicas, give or take one: so none has to move."""
ALONE = 4
"""What touches no stream waits for nobody."""


@pytest.mark.integration(timeout=600.0)
async def test_ten_changes_under_load(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """What is not changed notices nothing; what is changed is told by the protocol; nothing is lost or doubled."""
    chance = random.Random(7)
    async with replicas(cluster, broker, tmp_path, "ab") as group:
        writer = await group.run.writer(CONFIGMAPS, PODS, namespaces=group.namespaces)
        await group.begin()
        starts = started(group)
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_work(writer, over))
            config = yaml.safe_load(group.processes["a"].config.read_text())
            for number, change in enumerate(CHANGES, 1):
                config = copy.deepcopy(config)
                change(config)
                await _roll_out(group, yaml.safe_dump(config), number, chance)
            over.set()
        await group.run.caught_up(writer)
        ledger = await writer.ledger()
        ended = started(group)
        assert await asyncio.to_thread(group.processes["b"].terminate) == 0
        group.run.scopes.append(Scope("configmaps.elsewhere", f"{group.config.name}.things", "configmaps", "elsewhere"))
        report = await group.run.verdict(ledger)
        log = await read_topic(broker.bootstrap, f"{group.config.name}.pods")

    assert report.ok
    assert set(report.restarts.values()) == {1}
    assert {name.partition(" ")[2] for name in report.restarts} == {"initial"}
    assert ended == starts, "streams that were not changed have not been begun anew"
    records = [record for record in map(parse, log.entries) if isinstance(record, Record) and record.partition == 0]
    assert [(r.value.stream, r.value.reason) for r in records if r.value.type == "RESTARTED"] == [
        ("pods", "initial"),
        ("pods", "identity_changed"),
        ("pods", "identity_changed"),
        ("renamed", "initial"),
    ]
    verdict = judge([log])
    assert verdict.ok, str(verdict)


def started(group: Replicas) -> dict[str, int]:
    """How often each of the streams was begun that are not changed."""
    ours = {f"configmaps.{namespace}" for namespace in group.namespaces}
    lines = [line for process in group.processes.values() for line in log_of(process)]
    return Counter(line["stream"] for line in lines if line["event"] == "stream started" and line["stream"] in ours)


async def _work(writer: Writer, over: asyncio.Event) -> None:
    while not over.is_set():
        await writer.work(1, RATE)


async def _roll_out(group: Replicas, text: str, number: int, chance: random.Random) -> None:
    """To one replica, then to the other; to one of them first in a form that nobody can read."""
    first, second = chance.sample(list(group.processes.values()), 2)
    if number % 3 == 0:
        rejected = said(first, "config rejected")
        first.config.write_text(text.replace("watches:", "watch:"))
        await _until(group, lambda: said(first, "config rejected") == rejected + 1)
    before = [said(process, "config applied") for process in (first, second)]
    _swap(first, text)
    await asyncio.sleep(chance.uniform(0, LAG))
    if number != ALONE:
        assert [said(process, "config applied") for process in (first, second)] == before
    second.config.write_text(text)
    if number % 2:
        second.send(signal.SIGHUP)
    await _until(group, lambda: all(said(each, "config applied") == number for each in (first, second)))


def said(process: BridgeProcess, event: str) -> int:
    return process.log.read_text().count(f'"event": "{event}"')


async def _until(group: Replicas, condition: Callable[[], bool]) -> None:
    async def look() -> bool | None:
        return condition() or None

    await until(look, PATIENCE, lambda: "\n".join(process.tail(15) for process in group.processes.values()))


def _swap(process: BridgeProcess, text: str) -> None:
    """As a kubelet does it: by a link of a link. The first time the file becomes one."""
    folder = process.config.parent
    number = len(list(folder.glob("..v*")))
    place = folder / f"..v{number}"
    place.mkdir()
    (place / "bridge.yaml").write_text(text)
    (folder / "..next").symlink_to(place.name)
    (folder / "..next").rename(folder / "..data")
    if not process.config.is_symlink():
        (folder / "link").symlink_to("..data/bridge.yaml")
        (folder / "link").rename(process.config)
