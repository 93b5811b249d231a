"""Several bridges with one config, as the replicas of a Deployment; who owns what, as Kafka tells it; and the judge."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bridge.config.load import load_file
from bridge.config.tree import Config
from bridge.ownership.group import Group
from bridge.sink.connection import KafkaFault
from bridge.sink.covers import target_of
from tests.bridge_process import BridgeProcess
from tests.load import CONFIGMAPS, Writer
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

STREAMS = 6
SESSION = 6.0
"""Seconds: the least that Kafka takes."""
PARTITIONS = 32


@dataclass
class Replicas:
    """*run* has the streams and the topics; its bridge is the first of *processes*."""

    run: Trial
    processes: dict[str, BridgeProcess]
    namespaces: list[str]
    config: Config

    async def owners(self) -> dict[str, str]:
        """Stream -> the replica that has it; streams without one are left out."""
        async with Group.reached(self.config) as group:
            members = await group.members()
        found = {number: member.said.host for member in members for number in member.told.partitions}
        streams = {f"configmaps.{namespace}" for namespace in self.namespaces}
        places = {stream: target_of("", PARTITIONS, stream).partition for stream in streams}
        return {stream: found[number] for stream, number in places.items() if number in found}

    async def begin(self) -> dict[str, str]:
        """All of them, until every stream runs and has told its snapshot: who has which."""
        for process in self.processes.values():
            process.start()
        owners = await self.settled("".join(self.processes))
        await self.run.synced()
        return owners

    async def settled(self, names: str, seconds: float = 60) -> dict[str, str]:
        """Every stream runs, spread evenly over the replicas called by the letters of *names*."""

        async def even() -> dict[str, str] | None:
            owners = await self.owners()
            counts = [list(owners.values()).count(name) for name in names]
            even = len(owners) == STREAMS == sum(counts) and max(counts) - min(counts) <= 1
            return owners if even and self.running(owners) else None

        return await until(even, seconds, lambda: "\n".join(each.tail(15) for each in self.processes.values()))

    def running(self, owners: dict[str, str]) -> bool:
        """Who is said to own a stream has started it, and not ended it since."""
        return all(_last_word(self.processes[name], stream) == "stream started" for stream, name in owners.items())

    async def writer(self) -> Writer:
        return await self.run.writer(CONFIGMAPS, namespaces=self.namespaces)

    def started(self, stream: str, since: float) -> float | None:
        """Seconds after *since* at which some replica has started *stream* anew."""
        times = [
            line["at"] - since
            for process in self.processes.values()
            for line in log_of(process)
            if line["event"] == "stream started" and line["stream"] == stream and line["at"] > since
        ]
        return min(times, default=None)


@asynccontextmanager
async def replicas(
    cluster: Cluster, broker: Broker, directory: Path, names: str, **fields: object
) -> AsyncIterator[Replicas]:
    """None is started yet. *fields* go over the config; streams hash to partitions of their own."""
    word = directory.name.replace("_", "-")[-30:].strip("-")
    namespaces = _apart(word)
    watches: list[dict[str, Any]] = [{"resource": "configmaps", "namespaces": namespaces, "topic": f"{word}.things"}]
    wanted: dict[str, object] = {
        "name": word,
        "standalone": False,
        "checkpoints": {"partitions": PARTITIONS},
        "group": {"sessionTimeout": f"{SESSION}s"},
        **fields,
    }
    async with trial(cluster, broker, directory, watches, **wanted) as run, AsyncExitStack() as stack:
        text = run.bridge.config.read_text()
        processes = {}
        for name in names:
            place = directory / name
            place.mkdir()
            processes[name] = stack.enter_context(BridgeProcess(text, place, {"HOSTNAME": name}))
        run.bridge = processes[names[0]]
        yield Replicas(run, processes, namespaces, load_file(run.bridge.config, {}))


def _apart(word: str) -> list[str]:
    """Namespaces whose streams share no partition: an even spread is then an even number."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < STREAMS:
        namespace = f"{word}-{number}"
        found.setdefault(target_of("", PARTITIONS, f"configmaps.{namespace}").partition, namespace)
        number += 1
    return sorted(found.values())


def log_of(process: BridgeProcess) -> list[dict[str, Any]]:
    """Its JSON lines, each with *at*, in seconds since 1970."""
    lines = []
    for text in process.log.read_text(errors="replace").splitlines():
        if text.startswith("{") and text.endswith("}"):
            line = msgspec.json.decode(text)
            line["at"] = datetime.fromisoformat(line["timestamp"]).timestamp()
            lines.append(line)
    return lines


def _last_word(process: BridgeProcess, stream: str) -> str:
    words = [line["event"] for line in log_of(process) if line.get("stream") == stream]
    said = [word for word in words if word in ("stream started", "stream stopped", "stream recovers")]
    return said[-1] if said else ""


T = TypeVar("T")


async def until(look: Callable[[], Awaitable[T | None]], seconds: float, told: Callable[[], str]) -> T:
    """What *look* finds, as soon as it is something."""
    ends = time.monotonic() + seconds
    while True:
        with contextlib.suppress(KafkaFault):
            if found := await look():
                return found
        assert time.monotonic() < ends, f"not within {seconds:g} s\n{told()}"
        await asyncio.sleep(0.2)
