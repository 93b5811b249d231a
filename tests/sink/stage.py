"""What tests of the sink on a real broker share: a config of their own, events to write, and topics read back."""

import asyncio
import itertools
import json
import os
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from msgspec import Struct

from bridge.config.kafka import Checkpoints, Kafka, Topics
from bridge.config.streams import StreamSpec, streams
from bridge.config.tree import Config
from bridge.config.units import Duration
from bridge.config.watch import Watch
from bridge.model.checkpoint import Identity
from bridge.model.event import Change, ChangeType, Restarted, RestartReason, Synced
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.model.resource import Resource, Selection, object_key
from bridge.sink.writer import Opened, Writer
from tests.audit.topics import read_topic

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
SERVICES = Resource("", "v1", "services", "Service", namespaced=True)
_number = itertools.count(1)


def fresh(word: str) -> str:
    """A name that no other test has."""
    return f"{word}-{os.getpid()}-{next(_number)}"


class Stage(Struct, frozen=True):
    """One stream's config on a broker, with topics of its own."""

    config: Config
    bootstrap: str

    @property
    def spec(self) -> StreamSpec:
        return streams(self.config)[0]

    @property
    def topic(self) -> str:
        """Of templates without a namespace."""
        return self.spec.watch.topic

    def identity(self, resource: Resource = PODS, uid: str = "cluster-1") -> Identity:
        return Identity(uid, "prod", Selection(resource), self.spec.watch.topic)

    async def open(self, resource: Resource = PODS) -> Opened:
        return await Writer.open(self.config, self.spec, self.identity(resource))

    async def values(self, topic: str = "") -> dict[int, list[dict[str, Any]]]:
        """Partition -> the envelopes in it, in order."""
        found: dict[int, list[dict[str, Any]]] = {}
        log = await read_topic(self.bootstrap, topic or self.topic)
        for entry in log.entries:
            found.setdefault(entry.partition, []).append({"key": entry.key.decode(), **json.loads(entry.value)})
        return found


def stage(bootstrap: str, topic: str = "", **options: Any) -> Stage:  # noqa: ANN401 - of Kafka, Watch and others
    """Options go to `Kafka` and `Watch`, by the names of their fields; `partitions` and `create` to `Topics`."""
    made = {name: options.pop(name) for name in ("partitions", "create", "replication_factor") if name in options}
    watch = {name: options.pop(name) for name in ("types", "drop", "resource") if name in options}
    count = options.pop("checkpoint_partitions", 2)
    config = Config(
        name=options.pop("name", fresh("bridge")),
        kafka=Kafka(bootstrap_servers=(bootstrap,), **{"transaction_timeout": Duration(10.0), **options}),
        topics=Topics(**{"partitions": 3, **made}),
        checkpoints=Checkpoints(partitions=count),
        watches=(Watch(topic=topic or fresh("topic"), name="pods", **{"resource": "pods", **watch}),),
        progress_interval=Duration(60.0),
    )
    return Stage(config, bootstrap)


def change(
    name: str,
    version: int,
    kind: ChangeType = ChangeType.MODIFIED,
    *,
    namespace: str = "a",
    **more: Any,  # noqa: ANN401 - of Change
) -> Change:
    """Of a pod. `size` adds that many bytes; what else there is goes to `Change`."""
    size = more.pop("size", 0)
    resource = more.pop("resource", PODS)
    metadata = {"namespace": namespace, "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
    if size:
        body["data"] = os.urandom(size // 2).hex()
    key = object_key(resource.name, namespace, name)
    return Change(kind, key, f"uid-{name}", ResourceVersion(str(version)), json.dumps(body).encode(), **more)


def listed(name: str, version: int, **more: Any) -> Change:  # noqa: ANN401 - as `change`
    return change(name, version, ChangeType.LISTED, **{"fresh": True, **more})


def restarted(epoch: int, reason: RestartReason = RestartReason.INITIAL, previous: Position | None = None) -> Restarted:
    return Restarted(Epoch(epoch), reason, "because", previous)


def synced(epoch: int, version: int) -> Synced:
    return Synced(Position(Epoch(epoch), ResourceVersion(str(version)), 1))


def swept(partition: list[dict[str, Any]]) -> dict[str, str]:
    """What a consumer of one partition ends with that follows the markers: mark and sweep. Key -> version."""
    state: dict[str, tuple[str, int]] = {}
    for value in partition:
        key, epoch = value["key"], value["epoch"]
        if value["type"] == "SYNCED":
            state = {kept: place for kept, place in state.items() if place[1] == epoch}
        elif value["type"] == "DELETED":
            if not value.get("inferred"):  # a sweeping consumer needs none of those
                state.pop(key, None)
        elif "object" in value:
            state[key] = (value["resourceVersion"], epoch)
    return {key: version for key, (version, _) in state.items()}


def upserted(partition: list[dict[str, Any]]) -> dict[str, str]:
    """What a consumer ends with that knows no markers: upserts and deletes. Key -> version."""
    state: dict[str, str] = {}
    for value in partition:
        if value["type"] == "DELETED":
            state.pop(value["key"], None)
        elif "object" in value:
            state[value["key"]] = value["resourceVersion"]
    return state


async def grow(bootstrap: str, topic: str, partitions: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_partitions({topic: NewPartitions(partitions)})
    finally:
        await admin.close()


async def make(bootstrap: str, topic: str, partitions: int, config: dict[str, str] | None = None) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=config)])
    finally:
        await admin.close()
    await settled()


async def delete(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    await settled()


async def settled() -> None:
    """Brokers learn of topics within milliseconds of the controller's answer."""
    await asyncio.sleep(0.3)


def sockets() -> int:
    """Open sockets of this process."""
    return sum(1 for link in Path("/proc/self/fd").iterdir() if _target(link).startswith("socket:"))


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # the descriptor that this very listing used
        return ""
