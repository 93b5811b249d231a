"""Replicas that share the streams, on the real servers: spread, handed over, taken over, and never two at once."""

import asyncio
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.report import Report
from tests.blackhole import blackhole
from tests.bridge_process import ROOT
from tests.load import Writer
from tests.replicas import SESSION, Replicas, log_of, replicas
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker

RATE = 40.0
SOON = 2.0
"""Seconds: what a hand-over may take, and a take-over beyond the session of who has died."""
BUSY = 3.0
"""More of them, for a machine with much else to do: an idle one hands over in 0.5 to 1.1 s."""


async def test_streams_move_when_replicas_go_and_come(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Deployments are scaled, rolled and killed; of all that, consumers must notice nothing."""
    async with replicas(cluster, broker, tmp_path, "abc") as group:
        writer = await group.writer()
        await group.begin()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_work(writer, over))
            handed = await _hand_over(group)
            came = await _come_back(group)
            taken = await _take_over(group)
            over.set()
        report = await _judged(group, writer)

    print(f"handed over in {handed:.2f} s, taken over in {taken:.2f} s")
    assert came == 2, "the newcomer takes its share, and nothing else moves"
    assert handed < SOON + BUSY
    assert taken < SESSION + SOON + BUSY
    assert report.ok


async def _work(writer: Writer, over: asyncio.Event) -> None:
    """Write until *over*: to the end of the last write, or the ledger would not have it."""
    while not over.is_set():
        await writer.work(1, RATE)


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


async def test_a_dead_address_is_no_hindrance(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Of three brokers two are switched off, and packets to them vanish: who stops is still replaced at once."""
    with blackhole(2) as dead:
        kafka = {"bootstrapServers": [*dead, broker.bootstrap]}
        async with replicas(cluster, broker, tmp_path, "ab", kafka=kafka) as group:
            writer = await group.writer()
            await group.begin()
            before = await group.owners()
            began = time.time()
            assert await asyncio.to_thread(group.processes["b"].terminate) == 0
            await group.settled("a")
            handed = _slowest(group, before, "b", began)
            report = await _judged(group, writer)

    print(f"handed over in {handed:.2f} s")
    assert handed < SESSION + SOON, "the good-bye has got through, or its session would have to pass first"
    assert report.ok


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_a_frozen_replica_that_wakes_writes_nothing(
    cluster: Cluster, broker: Broker, tmp_path: Path, delivery: str
) -> None:
    """A node that hangs, a paused virtual machine: what wakes believes that all is as it was."""
    kafka = {"bootstrapServers": broker.bootstrap, "delivery": delivery}
    async with replicas(cluster, broker, tmp_path, "ab", kafka=kafka) as group:
        writer = await group.writer()
        await group.begin()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_work(writer, over))
            await asyncio.sleep(2)
            frozen = group.processes["b"]
            frozen.send(signal.SIGSTOP)
            await group.settled("a")
            await asyncio.sleep(1)
            woken = time.time()
            frozen.send(signal.SIGCONT)
            await asyncio.to_thread(frozen.says, "group lost", 20)
            await group.settled("ab")
            over.set()
        report = await _judged(group, writer)

    words = Counter(line["event"] for line in log_of(frozen) if line["at"] >= woken)
    assert words["group lost"] == 1
    assert report.ok


async def test_a_broker_that_dies_takes_no_replica_with_it(
    cluster: Cluster, new_broker: Callable[[], Broker], tmp_path: Path
) -> None:
    """For longer than a session: nobody can say that he lives, and nobody is there who would throw him out."""
    async with replicas(cluster, await asyncio.to_thread(new_broker), tmp_path, "ab") as group:
        writer = await group.writer()
        await group.begin()
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_work(writer, over))
            await asyncio.sleep(1)
            await asyncio.to_thread(group.run.broker.kill)
            await asyncio.sleep(SESSION + 2)
            await asyncio.to_thread(group.run.broker.start)
            await group.settled("ab", 90)
            over.set()
        report = await _judged(group, writer)

    assert report.ok
    assert all(process.lives == 1 for process in group.processes.values())


async def test_a_second_deployment_of_the_name_waits_and_says_why(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """The default name twice, in two teams: neither may stop the other's streams, and both must find out."""
    async with replicas(cluster, broker, tmp_path, "ab") as group:
        first, second = group.processes.values()
        text = second.config.read_text()
        second.config.write_text(text.replace(group.namespaces[0], "team-z"))
        first.start()
        await group.settled("a")
        second.start()
        await asyncio.to_thread(second.says, "group runs another configuration", 30)
        _, told, _ = await command(group, "status", "--output", "json")
        before = await group.owners()
        assert await asyncio.to_thread(first.terminate) == 0
        await asyncio.to_thread(second.says, "relist completed", 30)

    (word,) = [line["what"] for line in log_of(second) if line["event"] == "group runs another configuration"]
    assert word == (
        f"it runs on a; streams only there: configmaps.{group.namespaces[0]}; streams only here: configmaps.team-z"
    )
    assert set(before.values()) == {"a"}
    waits = {each["host"]: each["waits"] for each in json.loads(told)["replicas"]}
    assert waits == {"a": "", "b": word}


async def test_a_resync_reaches_whoever_owns_the_stream(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """An operator knows the stream's name, and not which pod has it. Once is once, whoever restarts when."""
    async with replicas(cluster, broker, tmp_path, "ab") as group:
        writer = await group.writer()
        owners = await group.begin()
        await writer.work(2, RATE)
        first, second = (next(stream for stream, owner in owners.items() if owner == name) for name in "ab")

        asked = [await command(group, "resync", stream) for stream in (first, second)]
        assert [code for code, _, _ in asked] == [0, 0]
        assert all("has begun" in output for _, output, _ in asked)
        for process in group.processes.values():
            process.kill()
        assert (await command(group, "resync", first, "--wait", "0"))[0] == 0
        for _ in range(2):  # the second start finds a request that has been followed
            group.processes["a"].start()
            await group.settled("a")
            await group.run.synced()
            assert await asyncio.to_thread(group.processes["a"].terminate) == 0
        group.processes["a"].start()
        report = await _judged(group, writer)

    restarts = {name: count for name, count in report.restarts.items() if name.endswith("requested")}
    assert restarts == {f"{first} requested": 2, f"{second} requested": 1}
    assert report.ok


async def test_a_stream_that_nobody_knows_is_refused(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """A typo must not wait for ever in Kafka."""
    async with replicas(cluster, broker, tmp_path, "a") as group:
        code, output, error = await command(group, "resync", "configmaps.typo")

    assert (code, output) == (2, "")
    assert all(f"configmaps.{namespace}" in " ".join(error.split()) for namespace in group.namespaces[:1])


async def test_status_tells_everything_from_kafka(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Who is on call has no access to the pods, and asks: who runs what, how far is it, why did it restart?"""
    async with replicas(cluster, broker, tmp_path, "ab") as group:
        code, before, _ = await command(group, "status", "--output", "json")
        for process in group.processes.values():
            process.start()
        owners = await group.settled("ab")
        writer = await group.writer()
        await writer.work(2, RATE)
        await group.run.caught_up(writer)
        ok, during, _ = await command(group, "status", "--output", "json")
        _, table, _ = await command(group, "status")
        ledger = await writer.ledger()

    nothing, report = json.loads(before), json.loads(during)
    assert (code, nothing["ok"], nothing["replicas"]) == (1, False, [])
    assert (ok, report["ok"], report["problem"]) == (0, True, "")
    assert {state["name"]: state["owner"] for state in report["streams"]} == owners
    assert [(each["host"], each["streams"]) for each in report["replicas"]] == [("a", 3), ("b", 3)]
    for state in report["streams"]:
        namespace = state["name"].partition(".")[2]
        assert state["phase"] == "live"
        assert state["restart"]["reason"] == "initial"
        assert 0 <= state["age"] < 60
        assert state["objects"] == len([live for live in ledger.final if live.namespace == namespace])
        assert state["name"] in table.replace("\n", "") or state["name"][:12] in table


async def command(group: Replicas, *arguments: str) -> tuple[int, str, str]:
    """`event-bridge` on the replicas' config, on a machine that is none of theirs."""
    file = str(group.run.bridge.config)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", *arguments, "-c", file), stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    output, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), error.decode()


async def _judged(group: Replicas, writer: Writer) -> Report:
    """Everything that was written, against everything that was told."""
    await group.run.caught_up(writer)
    ledger = await writer.ledger()
    for name, process in group.processes.items():
        if process.is_running and name != "a":
            assert await asyncio.to_thread(process.terminate) == 0
    return await group.run.verdict(ledger)
