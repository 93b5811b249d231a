"""The whole config file as one frozen tree: every field with its default, its bounds and what it is for.

From these types come the reader (`shape`), the JSON Schema (`schema`), the manual (`manual`) and the bridge's own idea
of its settings: there is no second list of fields.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bridge.config.kafka import LONGEST_TOPIC, TOPIC, Checkpoints, FilePath, Group, Kafka, MiB, Text, Topics
from bridge.config.units import Duration, Size
from bridge.config.watch import Watch

STALE, VERIFICATIONS = 300.0, 2.5
"""Seconds, and times the verifyInterval: what a silent stream's position comes to in health is 1.75 times it."""
LISTEN = r"^(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):[0-9]{1,5}$"
Listen = Annotated[
    str,
    Meta(
        pattern=LISTEN,
        extra={"shape": "an address to listen on. Write address:port, for example 0.0.0.0:8080"},
    ),
]


class Kubernetes(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Which cluster to watch, and as whom."""

    kubeconfig: Annotated[
        FilePath | None,
        Meta(
            description="A kubeconfig file. Relative to the config file.",
            examples=["/etc/bridge/kubeconfig"],
            extra={"default": "in-cluster, else $KUBECONFIG or ~/.kube/config"},
        ),
    ] = None
    context: Annotated[
        Text | None,
        Meta(
            description="The kubeconfig's context to use.",
            examples=["prod-eu"],
            extra={"default": "the kubeconfig's current context"},
        ),
    ] = None


class Http(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The HTTP side: /livez, /readyz, /metrics and the status page."""

    listen: Annotated[
        Listen | None,
        Meta(
            description="Address and port of /livez, /readyz, /metrics, /status and the status page, without a login:"
            " whoever reaches it may read names and states of streams. Port 0: a free one, which the log names, and"
            " `event-bridge live` cannot know. null: nothing is served.",
            examples=["0.0.0.0:8080", "127.0.0.1:9000", "[::]:8080"],
        ),
    ] = "0.0.0.0:8080"


class Log(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """What is logged, and how. Logs go to stderr."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="The least important messages to show."),
    ] = "info"
    format: Annotated[
        Literal["json", "console"] | None,
        Meta(
            description="json for machines, console for people.",
            extra={"default": "console when stderr is a terminal, else json"},
        ),
    ] = None


class Config(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The config file of kube-event-bridge."""

    name: Annotated[
        str,
        Meta(
            description="Prefix of transactional ids, consumer group and checkpoint topic: one per deployment."
            " Of two deployments with one name, the second waits; standalone ones throw each other out.",
            examples=["kube-event-bridge"],
            pattern=TOPIC,
            max_length=LONGEST_TOPIC - len(".checkpoints"),
            extra={"shape": "a name for Kafka. Use letters, digits, '.', '_' and '-' only"},
        ),
    ] = "kube-event-bridge"
    cluster: Annotated[
        Text | None,
        Meta(
            description="The cluster's name. Goes into every record.",
            examples=["prod-eu"],
            extra={"default": "the uid of namespace kube-system"},
        ),
    ] = None
    kubernetes: Annotated[Kubernetes, Meta(description="Which cluster to watch, and as whom.")] = Kubernetes()
    kafka: Annotated[Kafka, Meta(description="Where the brokers are and how records reach them.")]
    topics: Annotated[Topics, Meta(description="How the topics of the watches are made.")] = Topics()
    checkpoints: Annotated[
        Checkpoints,
        Meta(description="The compacted topic that holds every stream's position and index."),
    ] = Checkpoints()
    standalone: Annotated[
        bool,
        Meta(
            description="true: this one process owns all streams, with no consumer group. Run one replica only.",
        ),
    ] = False
    group: Annotated[
        Group,
        Meta(description="The consumer group that replicas form to share the streams. Not for standalone."),
    ] = Group()
    buffer: Annotated[
        Size,
        Meta(
            description="Changes that may wait for Kafka in memory, all streams together. When it is full, watches are"
            " closed at a known position and resumed later.",
            examples=["64MiB"],
            ge=MiB,
            le=64 * 1024 * MiB,
            extra={"unit": "size"},
        ),
    ] = Size(64 * MiB)
    progress_interval: Annotated[
        Duration,
        Meta(
            description="At most one PROGRESS marker per stream in this time.",
            examples=["60s", "5m"],
            ge=1.0,
            le=86_400.0,
            extra={"unit": "duration"},
        ),
    ] = Duration(60.0)
    verify_interval: Annotated[
        Duration,
        Meta(
            description="A stream whose position has not moved for about this long, because the API server is silent"
            " and sends no bookmarks (as for core events), compares itself with a LIST of metadata. Write less than"
            " half of the time after which etcd forgets its history, 5 minutes by default: an idle stream begins anew"
            " otherwise.",
            examples=["2m", "1h"],
            ge=3.0,  # a verification takes three requests, and no stream asks more than once a second
            le=86_400.0,
            extra={"unit": "duration"},
        ),
    ] = Duration(120.0)
    watches: Annotated[
        tuple[Watch, ...],
        Meta(description="What to watch, and which topic it goes to.", min_length=1),
    ]
    http: Annotated[Http, Meta(description="/livez, /readyz, /metrics and the status page.")] = Http()
    log: Annotated[Log, Meta(description="What is logged, and how. Logs go to stderr.")] = Log()

    @property
    def checkpoint_topic(self) -> str:
        return self.checkpoints.topic or f"{self.name}.checkpoints"

    def stale_after(self, watch: Watch) -> float:
        """How old the positions of a watch may become, in seconds."""
        return watch.stale_after or max(STALE, VERIFICATIONS * self.verify_interval)
