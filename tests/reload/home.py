"""A whole bridge on the sandbox, in one loop whose clock jumps, with a config file that is changed under it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from bridge.app import serve
from bridge.config.load import load_file
from bridge.reload.file import POLL, SETTLE
from bridge.sandbox import ApiServer, Broker
from bridge.sandbox.apiserver.store import Change
from tests.audit.judge import judge
from tests.audit.ledger import Act, Ledger, Live, Scope, Write
from tests.audit.records import Record, parse
from tests.audit.report import Report
from tests.audit.topics import read_topic

SOON = POLL + 2 * SETTLE
"""Seconds within which a changed file is judged."""
BEAT = 0.5
"""Seconds between two changes in the cluster."""
PATIENCE = 60.0

Line = Mapping[str, Any]


class Home:
    """Owns the file, what was logged since the beginning, and what was written to the cluster."""

    def __init__(self, api: ApiServer, broker: Broker, folder: Path, said: list[Any]) -> None:
        self.api = api
        self.broker = broker
        self.path = folder / "bridge.yaml"
        self.said = said
        self._writes: list[Write] = []
        self._tasks: list[asyncio.Task[Any]] = []
        (folder / "kubeconfig").write_text(api.kubeconfig_text())
        api.follow(self._note)

    def text(self, watches: str, more: str = "standalone: true") -> str:
        """A file that can be used."""
        return (
            f"{more}\n"
            f"kafka: {{bootstrapServers: '{self.broker.bootstrap}'}}\n"
            "kubernetes: {kubeconfig: kubeconfig}\n"
            "topics: {partitions: 3}\n"
            "checkpoints: {partitions: 4}\n"
            f"watches:\n{watches}"
        )

    def write(self, watches: str, more: str = "standalone: true") -> None:
        self.path.write_text(self.text(watches, more))

    async def judged(self) -> list[Line]:
        """What is said of the file that was written last, as soon as it is followed."""
        before = len(self.said)
        await asyncio.sleep(SOON)
        return [line for line in self.said[before:] if line["event"].startswith("config")]

    def events(self, name: str, **fields: object) -> list[Line]:
        """The lines that say so."""
        return [line for line in self.said if line["event"] == name and fields.items() <= line.items()]

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110 - what happens elsewhere rings no bell
                await asyncio.sleep(BEAT)

    def make(self, resource: str, name: str, **labels: str) -> None:
        metadata = {"name": name, "labels": labels}
        if self.api.get(resource, "default", name) is None:
            self.api.create(resource, {"metadata": metadata})
        else:
            self.api.update(resource, {"metadata": metadata})

    def begin(self) -> None:
        running = serve(load_file(self.path, os.environ), str(self.path))
        self._tasks = [asyncio.create_task(running), asyncio.create_task(self._live())]

    async def end(self) -> None:
        """Nothing happens any more; then the bridge is told to stop, and must end well. Twice does no harm."""
        if not self._tasks:
            return
        running, living = self._tasks
        self._tasks = []
        living.cancel()
        await asyncio.sleep(4 * BEAT)
        assert not running.done(), "it has ended by itself"
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            assert await running == 0

    async def _live(self) -> None:
        """Something happens to configmaps and pods all the time, until cancelled."""
        number = 0
        while True:
            number += 1
            for resource in ("configmaps", "pods"):
                self.make(resource, f"n{number % 7}", app="ab"[number % 2], number=str(number))
                if number % 5 == 0:
                    self.api.delete(resource, "default", f"n{number % 7}")
            await asyncio.sleep(BEAT)

    async def records(self, topic: str) -> list[Record]:
        log = await read_topic(self.broker.bootstrap, topic)
        return [record for record in map(parse, log.entries) if isinstance(record, Record)]

    async def reasons(self, topic: str) -> list[tuple[str, str | None]]:
        """Stream and reason of each epoch, as one partition tells them."""
        records = [record for record in await self.records(topic) if record.partition == 0]
        return [(r.value.stream, r.value.reason) for r in records if r.value.type == "RESTARTED"]

    async def verdict(self, *scopes: Scope) -> Report:
        """All that happened to these, by the protocol: nothing lost, nothing doubled."""
        logs = [await read_topic(self.broker.bootstrap, topic) for topic in sorted({scope.topic for scope in scopes})]
        resources = sorted({scope.resource for scope in scopes})
        final = [_live(resource, each) for resource in resources for each in self.api.list(resource)]
        return judge(logs, list(scopes), Ledger(self._writes, set(), final))

    def _note(self, change: Change) -> None:
        body = change.after or change.before
        assert body is not None
        before, after = change.before, change.after
        act: Act = "DELETED" if after is None else "MODIFIED" if before else "ADDED"
        live = _live(change.storage.plural, body)
        last = before["metadata"]["resourceVersion"] if before else ""
        version = str(change.version) if after else ""
        self._writes.append(
            Write(live.resource, live.namespace, live.name, live.uid, act, version, last, live.labels, 0.0)
        )


def _live(resource: str, body: Mapping[str, Any]) -> Live:
    meta = body["metadata"]
    place = meta.get("namespace", "")
    return Live(resource, place, meta["name"], meta["uid"], meta["resourceVersion"], meta.get("labels", {}))


@asynccontextmanager
async def home(folder: Path, watches: str, more: str = "standalone: true") -> AsyncIterator[Home]:
    """The bridge runs and has told its first snapshot, and something happens in the cluster all the time."""
    with capture_logs() as said:
        async with ApiServer() as api, Broker() as broker:
            at = Home(api, broker, folder, said)
            at.write(watches, more)
            at.begin()
            await at.until(lambda: at.events("relist completed"))
            try:
                yield at
            finally:
                await at.end()
