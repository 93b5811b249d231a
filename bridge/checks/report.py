"""The words of a check: what `event-bridge check --output json` prints, field by field. Scripts read it: names stay.

A problem is a text that ends with its mend. Empty: there is none.
"""

from typing import Literal

from msgspec import Struct


class KubernetesEnd(Struct, frozen=True, rename="camel"):
    """*account*: who the API server takes us for. *cluster_uid* is empty where it may not be read.

    A *note* keeps nothing from running.
    """

    server: str = ""
    account: str = ""
    cluster_uid: str = ""
    problem: str = ""
    note: str = ""


class KafkaEnd(Struct, frozen=True, rename="camel"):
    servers: tuple[str, ...]
    problem: str = ""


class TopicState(Struct, frozen=True, rename="camel"):
    """*partitions* it has, or will be made with; 0 if nobody knows. A *note* keeps nothing from running."""

    name: str
    exists: bool
    partitions: int
    problem: str = ""
    note: str = ""


class GroupState(Struct, frozen=True, rename="camel"):
    """*members*: how many replicas are in it now. A *note* keeps nothing from running."""

    name: str
    members: int = 0
    problem: str = ""
    note: str = ""


class WatchedResource(Struct, frozen=True, rename="camel"):
    name: str
    api_version: str
    kind: str
    namespace: str | None


class AllowedVerbs(Struct, frozen=True, rename="camel"):
    """None: it could not be told."""

    list: bool | None = None
    watch: bool | None = None


class CheckpointState(Struct, frozen=True, rename="camel"):
    """*age*: seconds since it was committed. *objects*: how many consumers believe in."""

    epoch: int
    phase: str
    resource_version: str | None
    age: float
    objects: int


class Beginning(Struct, frozen=True, rename="camel"):
    """How the stream would start now. *reason* is that of `RESTARTED`, empty for a resume; *message* is for people."""

    how: Literal["resume", "restart"]
    reason: str = ""
    message: str = ""


class StreamState(Struct, frozen=True, rename="camel"):
    """One stream. None stands for what could not be found out; *problems* say why, or what keeps it from running."""

    name: str
    ok: bool
    resource: WatchedResource | None
    access: AllowedVerbs
    topics: tuple[TopicState, ...]
    checkpoint: CheckpointState | None
    start: Beginning | None
    problems: tuple[str, ...]


class Report(Struct, frozen=True, rename="camel"):
    """*ok*: nothing keeps any stream from running. *cluster*: its name in the records; None if nobody knows now.

    *group* is None where Kafka was not reached, and for a standalone bridge that may see that no replica of its name
    runs.
    """

    ok: bool
    version: str
    config: str
    cluster: str | None
    kubernetes: KubernetesEnd
    kafka: KafkaEnd
    checkpoints: TopicState | None
    group: GroupState | None
    streams: tuple[StreamState, ...]
