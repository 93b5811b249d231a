"""`event-bridge materialize` as a process, topics for it to read, and what its file must hold."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aiokafka import AIOKafkaProducer

from bridge.consumer.state import Standing
from bridge.consumer.stores.sqlite import SqliteStore
from bridge.model.event import ChangeType, RestartReason
from bridge.sink.writer import Writer
from tests.audit.followers import follow
from tests.audit.records import Record, parse
from tests.audit.report import Report
from tests.audit.topics import read_topic
from tests.bridge_process import ROOT
from tests.servers.process import TETHER
from tests.sink.stage import change, listed, restarted, synced

Rows = dict[tuple[int, str], tuple[str, str]]
"""Partition and key -> uid and version."""


class Materialize:
    """The command as users run it. Its output goes to one file, over all its lives."""

    def __init__(self, bootstrap: str, topics: list[str], directory: Path, *more: str) -> None:
        self.database = directory / "state.db"
        self.log = directory / "materialize.log"
        named = [word for topic in topics for word in ("--topic", topic)]
        self.arguments = ["--db", str(self.database), "--bootstrap-servers", bootstrap, *named, *more]
        self._running: list[subprocess.Popen[bytes]] = []

    def close(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "bridge", "materialize", *self.arguments]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self._running.append(process)
        return process

    async def once(self) -> tuple[int, str]:
        """Exit code and what it said, of a life that reads what there is."""
        command = [sys.executable, "-m", "bridge", "materialize", *self.arguments, "--once"]
        ended = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
        )
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended.returncode, ended.stdout + ended.stderr

    def offsets(self) -> int:
        """How many records it has behind it, as another program reads the file."""
        if not self.database.exists():
            return 0
        store = SqliteStore(self.database)
        try:
            return sum(store.offset(log) or 0 for log in store.logs())
        finally:
            store.close()

    def rows(self) -> Rows:
        store = SqliteStore(self.database)
        try:
            assert {chapter.standing for chapter in store.chapters().values()} <= {Standing.WHOLE}
            return {
                (scope.partition, key): (json.loads(held.body)["metadata"]["uid"], held.version)
                for scope, key, held in store.objects()
            }
        finally:
            store.close()


async def audited(bootstrap: str, topic: str) -> Rows:
    """What the audit's followers compute; both must agree."""
    log = await read_topic(bootstrap, topic)
    rows: Rows = {}
    for partition in range(log.partitions):
        parsed = [parse(entry) for entry in log.entries if entry.partition == partition]
        records = [record for record in parsed if isinstance(record, Record)]
        report = Report()
        marking, plain = follow(records, report)
        assert report.ok
        assert marking == plain
        rows |= {(partition, key): state for key, state in marking.items()}
    return rows


async def snapshot(writer: Writer, epoch: int, versions: dict[str, int], at: int, *gone: str) -> None:
    """A whole epoch's beginning, in several transactions as a relist has them."""
    inferred = [change(name, 0, ChangeType.DELETED, inferred=True) for name in gone]
    await writer.write([restarted(epoch, RestartReason.EXPIRED), *inferred])
    for some in [list(versions.items())[n : n + 50] for n in range(0, len(versions), 50)]:
        await writer.write([listed(name, version) for name, version in some])
    await writer.write([synced(epoch, at)])


async def until(condition: Callable[[], bool], run: Materialize, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, run.log.read_text()
        await asyncio.sleep(0.1)


def found(run: Materialize) -> Rows:
    try:
        return run.rows()
    except AssertionError:  # in the middle of a snapshot
        return {}


async def pour(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, key=b"k", partition=0)
    finally:
        await producer.stop()
