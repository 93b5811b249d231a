"""A trial of the bridge: real servers, the bridge as a process, the writer, and the judge in the end.

`async with trial(...) as run`, `run.bridge.start()`, write, `await run.caught_up(writer)`, `await run.verdict(ledger)`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.audit.judge import judge
from tests.audit.ledger import Ledger, Live, Scope
from tests.audit.records import Log, Record, parse
from tests.audit.report import Report
from tests.audit.topics import read_topics
from tests.bridge_process import BridgeProcess
from tests.load import KINDS, Kind, Writer
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube

CATCH_UP = 120.0
"""A broker that was killed is back after 5 to 10 s, transactions time out after 15 s, retries wait 30 s at most."""

SOMEWHERE = "team-a"
"""Where last words are written for streams that follow all namespaces."""


@dataclass
class Trial:
    """One config, one bridge, and what its streams are to follow."""

    cluster: Cluster
    kube: Kube
    broker: Broker
    bridge: BridgeProcess
    scopes: list[Scope]
    repeats: bool = False
    """Without transactions."""

    async def writer(self, *kinds: Kind, namespaces: Sequence[str] = (SOMEWHERE,), seed: int = 1) -> Writer:
        """Ready to write, its namespaces made."""
        writer = Writer(self.kube, seed, list(namespaces), kinds)
        await writer.prepare()
        return writer

    async def logs(self) -> list[Log]:
        return await read_topics(self.broker.bootstrap, sorted({scope.topic for scope in self.scopes}))

    async def synced(self, seconds: float = CATCH_UP) -> None:
        """Every stream has told a whole snapshot, and is in no relist."""
        await self._until(dict.fromkeys(self.scopes), seconds)

    async def caught_up(self, writer: Writer, seconds: float = CATCH_UP) -> float:
        """Every stream has told of an object that is written only now. Returns the seconds that it took."""
        started, words = time.monotonic(), {}
        for scope in self.scopes:
            words[scope] = await _last_word(writer, scope)
        await self._until(words, seconds)
        return time.monotonic() - started

    async def verdict(self, ledger: Ledger) -> Report:
        """Ends the bridge in order, and judges everything by the documented protocol. Prints the report."""
        code = self.bridge.terminate()
        logs = await self.logs()
        report = judge(logs, self.scopes, ledger, repeats=self.repeats)
        print(f"\n{report}")
        if not report.ok:
            self._keep(ledger, logs)
        assert code == 0, f"the bridge ended with {code}:\n{self.bridge.tail()}"
        return report

    def _keep(self, ledger: Ledger, logs: list[Log]) -> None:
        """The evidence, beside the bridge's log: the servers go with the test."""
        directory = self.bridge.log.parent
        ledger.save(directory / "ledger.json")
        (directory / "topics.json").write_bytes(msgspec.json.encode(logs))
        (directory / "scopes.json").write_bytes(msgspec.json.encode(self.scopes))
        print(f"the evidence is in {directory}")

    async def _until(self, words: Mapping[Scope, Live | None], seconds: float) -> None:
        until = time.monotonic() + seconds
        while waiting := await self._silent(words):
            assert self.bridge.is_running, f"the bridge ended by itself:\n{self.bridge.tail()}"
            assert time.monotonic() < until, f"not there after {seconds} s: {waiting}\n{self.bridge.tail()}"
            await asyncio.sleep(0.5)

    async def _silent(self, words: Mapping[Scope, Live | None]) -> list[str]:
        """The streams that have not said their word yet."""
        try:
            logs = {log.topic: log for log in await self.logs()}
        except LookupError as missing:  # the bridge makes its topics when it needs them
            return [str(missing)]
        return [scope.stream for scope, word in words.items() if not _has_said(logs[scope.topic], scope.stream, word)]


@asynccontextmanager
async def trial(
    cluster: Cluster, broker: Broker, directory: Path, watches: list[dict[str, Any]], **fields: object
) -> AsyncIterator[Trial]:
    """With the scopes that *watches* mean; *fields* go over the rest of the config. Topics must be plain names."""
    config: dict[str, Any] = {
        "name": "trial",
        "cluster": "test",
        "standalone": True,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig)},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "topics": {"partitions": 5},
        "checkpoints": {"partitions": 4},
        "progressInterval": "5s",
        "log": {"format": "json"},
        **fields,
        "watches": watches,
    }
    scopes = [scope for watch in watches for scope in _scopes(watch)]
    async with cluster.kube() as kube:
        with BridgeProcess(config, directory) as bridge:
            repeats = config["kafka"].get("delivery") == "at-least-once"
            yield Trial(cluster, kube, broker, bridge, scopes, repeats)


def _scopes(watch: dict[str, Any]) -> list[Scope]:
    resource = watch["resource"]
    name, topic, selector = watch.get("name", resource), watch["topic"], watch.get("labelSelector")
    namespaces = watch.get("namespaces", [])
    if not namespaces:
        return [Scope(name, topic, resource, None, selector)]
    return [Scope(f"{name}.{namespace}", topic, resource, namespace, selector) for namespace in namespaces]


async def create_topics(bootstrap: str, partitions: dict[str, int]) -> None:
    """Topics with partition counts of their own, before the bridge makes them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer: Any = await admin.create_topics([NewTopic(topic, count, 1) for topic, count in partitions.items()])
    finally:
        await admin.close()
    assert all(error[1] == 0 for error in answer.topic_errors), answer.topic_errors


async def _last_word(writer: Writer, scope: Scope) -> Live:
    """One more object that this scope selects."""
    (kind,) = [kind for kind in KINDS if kind.resource == scope.resource]
    label, _, value = (scope.selector or "app=none").partition("=")
    name = f"last-word-{scope.stream}-{len(writer.writes)}".replace(".", "-")
    write = await writer.create(kind, scope.namespace or SOMEWHERE, name, labels={label: value})
    return Live(write.resource, write.namespace, write.name, write.uid, write.version, write.labels)


def _has_said(log: Log, stream: str, word: Live | None) -> bool:
    """The word, live or in a snapshot, and in every partition the SYNCED of its last epoch."""
    records = [record for record in map(parse, log.entries) if isinstance(record, Record)]
    mine = [record for record in records if record.value.stream == stream]
    said = word is None or any((record.key, record.version) == (word.key, word.version) for record in mine)
    opened = {record.partition: record.value.epoch for record in mine if record.value.type == "RESTARTED"}
    synced = {record.partition: record.value.epoch for record in mine if record.value.type == "SYNCED"}
    return said and len(opened) == log.partitions and opened == synced
