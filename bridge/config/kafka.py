"""The Kafka half of the config file: where the brokers are, how records are committed, which topics are made."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from bridge.config.secret import Secret
from bridge.config.units import Duration, Size

KiB = 1024
MiB = 1024 * KiB

SERVER = r"^(\[[0-9a-fA-F:]+\]|[^\s:,/\[\]]+):[0-9]{1,5}$"
TOPIC = r"^[a-zA-Z0-9._-]+$"
LONGEST_TOPIC = 249
"""Kafka's own limit (`Topic.MAX_NAME_LENGTH`)."""

Text = Annotated[str, Meta(min_length=1)]
FilePath = Annotated[str, Meta(min_length=1, extra={"unit": "path"})]
Partitions = Annotated[int, Meta(ge=1, le=10_000)]
Replicas = Annotated[int, Meta(ge=1, le=32_767)]
Server = Annotated[
    str,
    Meta(pattern=SERVER, extra={"shape": "a broker's address. Write host:port, for example kafka:9092"}),
]
TopicName = Annotated[
    str,
    Meta(
        pattern=TOPIC,
        max_length=LONGEST_TOPIC,
        extra={"shape": "a topic's name. Use letters, digits, '.', '_' and '-', at most 249 of them"},
    ),
]


class Tls(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """TLS to the brokers. `tls: {}` trusts the system's authorities. Files may be renewed at any time."""

    ca: Annotated[
        FilePath | None,
        Meta(
            description="File with the authorities to trust, PEM. Relative to the config file.",
            examples=["/etc/kafka/ca.crt"],
            extra={"default": "the system's authorities"},
        ),
    ] = None
    cert: Annotated[
        FilePath | None,
        Meta(
            description="File with the client certificate, PEM, for mutual TLS. Goes together with `key`.",
            examples=["/etc/kafka/tls.crt"],
            extra={"default": "no client certificate"},
        ),
    ] = None
    key: Annotated[
        FilePath | None,
        Meta(
            description="File with the client certificate's private key, PEM. Goes together with `cert`.",
            examples=["/etc/kafka/tls.key"],
            extra={"default": "no client certificate"},
        ),
    ] = None


class Token(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Where the token for OAUTHBEARER comes from: a file that somebody else renews, or a command."""

    file: Annotated[
        FilePath | None,
        Meta(
            description="File that holds the token and nothing else. Read anew for every connection.",
            examples=["/var/run/secrets/kafka/token"],
            extra={"default": "no file"},
        ),
    ] = None
    command: Annotated[
        tuple[Secret, ...],
        Meta(
            description="Program and arguments, without a shell. It prints the token, or a token endpoint's JSON"
            " (`access_token`, `expires_in`), within 15s. Run anew when 80 % of the token's life are over, or it is"
            " refused. What else it prints is never shown.",
            examples=[["gcloud", "auth", "print-access-token"]],
            extra={"default": "no command"},
        ),
    ] = ()


class Sasl(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Authentication to the brokers, by user name and password or by a token, with or without TLS."""

    mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"],
        Meta(description="What the brokers ask for.", examples=["SCRAM-SHA-512", "OAUTHBEARER"]),
    ]
    username: Annotated[
        Text | None,
        Meta(
            description="The user's name, for PLAIN and SCRAM.",
            examples=["event-bridge"],
            extra={"default": "none: a token names its user"},
        ),
    ] = None
    password: Annotated[
        Secret | None,
        Meta(
            description="The password, for PLAIN and SCRAM. Best taken from a file, which is read anew for every"
            " connection, or from the environment; never shown anywhere.",
            examples=[{"file": "/etc/kafka/password"}, "${KAFKA_PASSWORD}"],
            extra={"default": "none"},
        ),
    ] = None
    token: Annotated[
        Token | None,
        Meta(description="Where the token for OAUTHBEARER comes from.", extra={"default": "none"}),
    ] = None
    extensions: Annotated[
        dict[str, str],
        Meta(
            description="What the brokers want to know beside the token, for OAUTHBEARER (KIP-342).",
            examples=[{"logicalCluster": "lkc-1"}],
            extra={"unit": "settings", "default": "none"},
        ),
    ] = {}


class Kafka(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Where the brokers are and how records reach them."""

    bootstrap_servers: Annotated[
        tuple[Server, ...],
        Meta(
            description="Brokers to start from, host:port: a list, or one text separated by commas.",
            examples=["kafka:9092", ["kafka-0:9092", "kafka-1:9092"]],
            min_length=1,
            extra={"unit": "commas"},
        ),
    ]
    delivery: Annotated[
        Literal["exactly-once", "at-least-once"],
        Meta(
            description="exactly-once: records and their checkpoint in one transaction. at-least-once: for brokers or"
            " access rules without transactions; records may then repeat after a failure.",
        ),
    ] = "exactly-once"
    compression: Annotated[
        Literal["none", "gzip", "snappy", "lz4", "zstd"],
        Meta(description="How batches are compressed. zstd is both smallest and fast on Kubernetes objects."),
    ] = "zstd"
    commit_interval: Annotated[
        Duration,
        Meta(
            description="The longest that a record waits for its commit. Longer: fewer transactions, more latency.",
            examples=["50ms", "1s"],
            ge=0.001,
            le=10.0,
            extra={"unit": "duration"},
        ),
    ] = Duration(0.05)
    transaction_timeout: Annotated[
        Duration,
        Meta(
            description="After this the broker aborts a transaction that nobody finishes: how long a crash can hold"
            " back consumers. At most the broker's transaction.max.timeout.ms, 15m unless changed.",
            examples=["15s"],
            ge=1.0,
            le=900.0,
            extra={"unit": "duration"},
        ),
    ] = Duration(15.0)
    max_message_bytes: Annotated[
        Size,
        Meta(
            description="The largest record, uncompressed. Larger objects go out as metadata only, marked oversize."
            " Must not exceed what the topic takes (max.message.bytes).",
            examples=["1MiB", "8MiB"],
            ge=16 * KiB,
            le=100 * MiB,
            extra={"unit": "size"},
        ),
    ] = Size(MiB)
    tls: Annotated[
        Tls | None,
        Meta(description="TLS to the brokers. `{}` trusts the system's authorities.", extra={"default": "no TLS"}),
    ] = None
    sasl: Annotated[
        Sasl | None,
        Meta(description="Login to the brokers.", extra={"default": "no authentication"}),
    ] = None


class Topics(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The topics that changes go to."""

    create: Annotated[
        bool,
        Meta(
            description="Make missing topics. false: they and the checkpoint topic must exist, and `event-bridge check`"
            " says which do not.",
        ),
    ] = True
    partitions: Annotated[Partitions, Meta(description="Partitions of a topic that is made.", examples=[12])] = 12
    replication_factor: Annotated[
        Replicas | None,
        Meta(
            description="Replicas of a topic that is made, also of the checkpoint topic.",
            examples=[3],
            extra={"default": "the broker's own"},
        ),
    ] = None
    config: Annotated[
        dict[str, str],
        Meta(
            description="Settings of a topic that is made, by Kafka's names. Not of the checkpoint topic.",
            examples=[{"retention.ms": 604800000}],
            extra={"unit": "settings"},
        ),
    ] = {}


class Group(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The consumer group that replicas form to share the streams."""

    session_timeout: Annotated[
        Duration,
        Meta(
            description="After this long without a sign of life a replica is taken for dead, and its streams move. The"
            " broker bounds it (group.min.session.timeout.ms, 6s unless changed, and group.max.session.timeout.ms).",
            examples=["10s"],
            ge=1.0,
            le=1800.0,
            extra={"unit": "duration"},
        ),
    ] = Duration(10.0)


class Checkpoints(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """The compacted topic that holds every stream's position and index."""

    topic: Annotated[
        TopicName | None,
        Meta(
            description="The checkpoint topic's name. No watch may write to it.",
            examples=["kube-event-bridge.checkpoints"],
            extra={"default": "{name}.checkpoints"},
        ),
    ] = None
    partitions: Annotated[
        Partitions,
        Meta(
            description="Its partitions when it is made: the most replicas that can share the streams.", examples=[32]
        ),
    ] = 32
