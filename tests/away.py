"""`python -m tests.away --seconds 600` takes Kafka away under load, gives it back, and measures. By hand: minutes.

On the sandbox, in this process; the bridge is a process of its own, and its memory is what counts. Exit code 1 if it
held more than 300 MiB, or if in the end the topic does not say what the cluster holds. `--how frozen`: connections
stay, and no answer comes.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from msgspec import Struct

from bridge.sandbox import ApiServer, Broker
from tests.bridge_process import BridgeProcess

RSS = 300 << 20
OBJECTS = 2000
TEXT = "0123456789abcde\n" * 50
"""800 bytes, about what a pod's status or an event has."""
BEFORE, AFTER = 15.0, 30.0
"""Seconds of load while all is well."""
CATCH_UP = 300.0
FROZEN = 3600.0


class Trial(Struct, frozen=True):
    """What was wished for. *rate*: changes per second."""

    seconds: float
    rate: int
    how: str


class Load:
    """Changes ConfigMaps, one after the other, as long as it runs. Owns how many changes there were."""

    def __init__(self, api: ApiServer, rate: int) -> None:
        self.changes = 0
        self._api = api
        self._rate = rate
        for number in range(OBJECTS):
            self._api.create("configmaps", self._body(number))

    async def run(self) -> None:
        began, first = time.monotonic(), self.changes
        while True:
            due = int((time.monotonic() - began) * self._rate) - (self.changes - first)
            for _ in range(due):
                self._api.update("configmaps", self._body(self.changes % OBJECTS))
                self.changes += 1
            await asyncio.sleep(0.01)

    def _body(self, number: int) -> dict[str, Any]:
        return {"metadata": {"name": f"c-{number:05}"}, "data": {"text": TEXT, "change": str(self.changes)}}


async def run(trial: Trial, directory: Path) -> bool:
    async with ApiServer() as api, Broker() as broker:
        (directory / "kubeconfig").write_text(api.kubeconfig_text())
        with BridgeProcess(_config(broker, directory), directory) as bridge:
            load = Load(api, trial.rate)
            await asyncio.to_thread(_start, bridge)
            working = asyncio.create_task(load.run())
            await _pass(BEFORE, bridge, load, "Kafka is there")
            await _leave(broker, trial.how)
            await _pass(trial.seconds, bridge, load, f"Kafka is {trial.how}")
            await _return(broker, trial.how)
            back = time.monotonic()
            await _pass(AFTER, bridge, load, "Kafka is back")
            working.cancel()
            await asyncio.wait({working})
            report = await _verified(directory, back)
            bridge.measure()
            print(f"{bridge.peak_rss >> 20} MiB at most, {load.changes} changes; then the topic is {report}")
            print(*_gaps(bridge), sep="\n")
            return bridge.peak_rss <= RSS and report.startswith("equal") and bridge.lives == 1


def _config(broker: Broker, directory: Path) -> dict[str, Any]:
    return {
        "name": "away",
        "standalone": True,
        "kubernetes": {"kubeconfig": str(directory / "kubeconfig")},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "watches": [{"resource": "configmaps", "topic": "away"}],
    }


def _start(bridge: BridgeProcess) -> None:
    bridge.start()
    bridge.says("relist completed", 60)


async def _leave(broker: Broker, how: str) -> None:
    if how == "frozen":
        broker.delay(FROZEN)
    else:
        await broker.stop()


async def _return(broker: Broker, how: str) -> None:
    if how == "frozen":
        broker.delay(0)
        await broker.stop()  # what hangs would hang for an hour
    await broker.start()


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
    parser.add_argument("--how", choices=("down", "frozen"), default="down")
    asked = parser.parse_args()
    with TemporaryDirectory() as directory:
        return 0 if asyncio.run(run(Trial(asked.seconds, asked.rate, asked.how), Path(directory))) else 1


if __name__ == "__main__":
    sys.exit(main())
