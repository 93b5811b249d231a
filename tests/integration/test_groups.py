"""Replicas that share the streams, on the real servers: spread, handed over, taken over, and never two at once."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.audit.report import Report
from tests.load import Writer
from tests.replicas import SESSION, Replicas, log_of, replicas
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

RATE = 40.0
SOON = 2.0
"""Seconds: what a hand-over may take, and a take-over beyond the session of who has died."""


async def test_streams_move_when_replicas_go_and_come(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Deployments are scaled, rolled and killed; of all that, consumers must notice nothing."""
    async with replicas(cluster, broker, tmp_path, "abc") as group:
        writer = await group.writer()
        for process in group.processes.values():
            process.start()
        await group.settled("abc")
        await group.run.synced()
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(writer.work(600, RATE))
            handed = await _hand_over(group)
            came = await _come_back(group)
            taken = await _take_over(group)
            work.cancel()
        report = await _judged(group, writer)

    print(f"handed over in {handed:.2f} s, taken over in {taken:.2f} s")
    assert came == 2, "the newcomer takes its share, and nothing else moves"
    assert handed < SOON
    assert taken < SESSION + SOON
    assert report.ok


async def _hand_over(group: Replicas) -> float:
    """SIGTERM. Seconds until the last of its streams runs elsewhere."""
    before = await group.owners()
    began = time.time()
    assert await asyncio.to_thread(group.processes["b"].terminate) == 0
    after = await group.settled("ac")
    assert all(after[stream] == owner for stream, owner in before.items() if owner != "b"), "only the orphans move"
    return _slowest(group, before, "b", began)


async def _come_back(group: Replicas) -> int:
    """How many streams move when a replica comes."""
    before = await group.owners()
    group.processes["b"].start()
    after = await group.settled("abc")
    moved = {stream for stream, owner in after.items() if before[stream] != owner}
    assert {after[stream] for stream in moved} == {"b"}
    return len(moved)


async def _take_over(group: Replicas) -> float:
    """SIGKILL."""
    before = await group.owners()
    began = time.time()
    group.processes["c"].kill()
    await group.settled("ab")
    return _slowest(group, before, "c", began)


def _slowest(group: Replicas, before: dict[str, str], gone: str, began: float) -> float:
    times = [group.started(stream, began) for stream, owner in before.items() if owner == gone]
    assert None not in times
    return max(when for when in times if when is not None)


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_a_frozen_replica_that_wakes_writes_nothing(
    cluster: Cluster, broker: Broker, tmp_path: Path, delivery: str
) -> None:
    """A node that hangs, a paused virtual machine: what wakes believes that all is as it was."""
    kafka = {"bootstrapServers": broker.bootstrap, "delivery": delivery}
    async with replicas(cluster, broker, tmp_path, "ab", kafka=kafka) as group:
        writer = await group.writer()
        for process in group.processes.values():
            process.start()
        await group.settled("ab")
        await group.run.synced()
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(writer.work(600, RATE))
            await asyncio.sleep(2)
            frozen = group.processes["b"]
            frozen.send(signal.SIGSTOP)
            await group.settled("a")
            await asyncio.sleep(1)
            woken = time.time()
            frozen.send(signal.SIGCONT)
            await asyncio.to_thread(frozen.says, "group lost", 20)
            await group.settled("ab")
            work.cancel()
        report = await _judged(group, writer)

    words = Counter(line["event"] for line in log_of(frozen) if line["at"] >= woken)
    assert words["group lost"] == 1
    repeats = ["doubled"] if delivery == "at-least-once" else []
    assert {violation.kind for violation in report.violations} <= {*repeats}


async def _judged(group: Replicas, writer: Writer) -> Report:
    """Everything that was written, against everything that was told."""
    await group.run.caught_up(writer)
    ledger = await writer.ledger()
    for name, process in group.processes.items():
        if process.is_running and name != "a":
            assert await asyncio.to_thread(process.terminate) == 0
    return await group.run.verdict(ledger)
