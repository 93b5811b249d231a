"""`python -m tests.away --seconds 600` takes Kafka away under load, gives it back, and measures. By hand: minutes.

On the sandbox, in this process, or with `--real` on the real servers, which take fewer changes per second; the bridge
is a process of its own, and its memory is what counts. Exit code 1 if it held more than 300 MiB, or if in the end the
topic does not say what the cluster holds. `--how frozen`: connections stay, and no answer comes.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from bridge.sandbox import ApiServer, Broker
from tests.bridge_process import BridgeProcess
from tests.servers import apiserver, kafka
from tests.servers.kube import Kube

RSS = 300 << 20
OBJECTS = 2000
TEXT = "0123456789abcde\n" * 50
"""800 bytes, about what a pod's status or an event has."""
BEFORE, AFTER = 15.0, 30.0
"""Seconds of load while all is well."""
CATCH_UP = 300.0
FROZEN = 3600.0
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


class Trial(Struct, frozen=True):
    """What was wished for. *rate*: changes per second."""

    seconds: float
    rate: int
    how: str
    real: bool


class Sandbox:
    """Both servers in this process."""

    hands = 1

    def __init__(self, api: ApiServer, broker: Broker) -> None:
        self._api = api
        self._broker = broker
        self.kubeconfig = api.kubeconfig_text()
        self.bootstrap = broker.bootstrap

    async def create(self, body: dict[str, Any]) -> None:
        self._api.create("configmaps", body)

    async def update(self, body: dict[str, Any]) -> None:
        self._api.update("configmaps", body)

    async def leave(self, how: str) -> None:
        if how == "frozen":
            self._broker.delay(FROZEN)
        else:
            await self._broker.stop()

    async def come_back(self, how: str) -> None:
        if how == "frozen":
            self._broker.delay(0)
            await self._broker.stop()  # what hangs would hang for an hour
        await self._broker.start()


class Real:
    """kube-apiserver with etcd, and Kafka."""

    hands = 8
    """As many changes are under way at once: each takes some milliseconds."""

    def __init__(self, kube: Kube, cluster: apiserver.Cluster, broker: kafka.Broker) -> None:
        self._kube = kube
        self._broker = broker
        self.kubeconfig = cluster.kubeconfig.read_text()
        self.bootstrap = broker.bootstrap

    async def create(self, body: dict[str, Any]) -> None:
        await self._kube.create(CONFIGMAPS, body)

    async def update(self, body: dict[str, Any]) -> None:
        await self._kube.update(f"{CONFIGMAPS}/{body['metadata']['name']}", body)

    async def leave(self, how: str) -> None:
        await asyncio.to_thread(self._broker.pause if how == "frozen" else self._broker.kill)

    async def come_back(self, how: str) -> None:
        await asyncio.to_thread(self._broker.resume if how == "frozen" else self._broker.start)


@contextlib.asynccontextmanager
async def servers(real: bool) -> AsyncIterator[Sandbox | Real]:
    if not real:
        async with ApiServer() as api, Broker() as broker:
            yield Sandbox(api, broker)
        return
    with contextlib.ExitStack() as stack:
        cluster = await asyncio.to_thread(stack.enter_context, apiserver.Cluster())
        node = await asyncio.to_thread(stack.enter_context, kafka.Broker())
        async with cluster.kube() as kube:
            yield Real(kube, cluster, node)


class Load:
    """Changes ConfigMaps, one after the other, as long as it runs. Owns how many changes there were."""

    def __init__(self, world: Sandbox | Real, rate: int) -> None:
        self.changes = 0
        self._world = world
        self._rate = rate

    async def prepare(self) -> None:
        for number in range(OBJECTS):
            await self._world.create(self._body(number))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._world.hands):
                group.create_task(self._work())

    async def _work(self) -> None:
        began, done = time.monotonic(), 0
        while True:
            while done < (time.monotonic() - began) * self._rate / self._world.hands:
                number, done, self.changes = self.changes % OBJECTS, done + 1, self.changes + 1
                await self._world.update(self._body(number))
            await asyncio.sleep(0.01)

    def _body(self, number: int) -> dict[str, Any]:
        return {"metadata": {"name": f"c-{number:05}"}, "data": {"text": TEXT, "change": str(self.changes)}}


async def run(trial: Trial, directory: Path) -> bool:
    async with servers(trial.real) as world:
        (directory / "kubeconfig").touch(0o600)
        (directory / "kubeconfig").write_text(world.kubeconfig)
        with BridgeProcess(_config(world.bootstrap, directory), directory) as bridge:
            load = Load(world, trial.rate)
            await load.prepare()
            bridge.start()
            await asyncio.to_thread(bridge.says, "relist completed", 60)
            working = asyncio.create_task(load.run())
            await _pass(BEFORE, bridge, load, "Kafka is there")
            await world.leave(trial.how)
            await _pass(trial.seconds, bridge, load, f"Kafka is {trial.how}")
            await world.come_back(trial.how)
            back = time.monotonic()
            await _pass(AFTER, bridge, load, "Kafka is back")
            working.cancel()
            await asyncio.wait({working})
            report = await _verified(directory, back)
            bridge.measure()
            print(f"{bridge.peak_rss >> 20} MiB at most, {load.changes} changes; then the topic is {report}")
            print(*_gaps(bridge), sep="\n")
            return bridge.peak_rss <= RSS and report.startswith("equal") and bridge.lives == 1


def _config(bootstrap: str, directory: Path) -> dict[str, Any]:
    return {
        "name": "away",
        "standalone": True,
        "kubernetes": {"kubeconfig": str(directory / "kubeconfig")},
        "kafka": {"bootstrapServers": bootstrap},
        "watches": [{"resource": "configmaps", "topic": "away"}],
    }


async def _pass(seconds: float, bridge: BridgeProcess, load: Load, what: str) -> None:
    began, first, cpu = time.monotonic(), load.changes, bridge.cpu()
    most = 0
    while (passed := time.monotonic() - began) < seconds:
        most = max(most, bridge.rss())
        await asyncio.sleep(min(1.0, seconds - passed))
    rate, used = (load.changes - first) / passed, (bridge.cpu() - cpu) / passed
    print(f"{what}: {passed:.0f} s, {rate:.0f} changes/s, {most >> 20} MiB, {used:.0%} of a CPU", flush=True)


async def _verified(directory: Path, back: float) -> str:
    """What `event-bridge verify` says, as soon as it says `equal`, and how long after Kafka was back that was."""
    command = [sys.executable, "-m", "bridge", "verify", "-c", str(directory / "bridge.yaml"), "-o", "json"]
    verdict = ""
    while time.monotonic() - back < CATCH_UP and verdict != "equal":
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
        verdict = json.loads(output)["streams"][0]["verdict"] if output else "unknown"
    return f"{verdict}, {time.monotonic() - back:.0f} s after"


def _gaps(bridge: BridgeProcess) -> list[str]:
    """The gaps that were announced, as the log has them."""
    told = []
    for line in bridge.log.read_text().splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            entry = json.loads(line)
            if entry["event"] in ("stream restarted", "relist completed", "buffer filled, watch closed"):
                told.append(f"{entry.pop('timestamp')[:19]} {entry.pop('event')}: {entry}")
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--rate", type=int, default=2000)
    parser.add_argument("--real", action="store_true", help="the real servers, not the sandbox")
    parser.add_argument("--how", choices=("down", "frozen"), default="down")
    asked = parser.parse_args()
    with TemporaryDirectory() as directory:
        return 0 if asyncio.run(run(Trial(asked.seconds, asked.rate, asked.how, asked.real), Path(directory))) else 1


if __name__ == "__main__":
    sys.exit(main())
