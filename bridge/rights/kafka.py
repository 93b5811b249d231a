"""The table of the rights in Kafka. There is no other list of what the bridge asks of brokers.

Describe is not in it: it comes with Read and with Write (org.apache.kafka.server.authorizer, AclAuthorizer's rules).
"""

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

from msgspec import Struct

from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.rights.meaning import Pattern

Kind = Literal["transactional-id", "topic", "group"]
Subject = Literal["transactions", "topics", "checkpoints", "group"]


class _Row(NamedTuple):
    """*needed*: without it nothing runs; otherwise less is known."""

    subject: Subject
    operation: str
    when: Callable[[Config], bool]
    why: str
    needed: bool = True


def _always(_: Config) -> bool:
    return True


def _transacts(config: Config) -> bool:
    return config.kafka.delivery == "exactly-once"


def _makes(config: Config) -> bool:
    return config.topics.create


def _shares(config: Config) -> bool:
    return not config.standalone


def _is_alone(config: Config) -> bool:
    return config.standalone


_TABLE = (
    _Row("transactions", "Write", _transacts, "each stream has a transactional producer, {name}.STREAM"),
    _Row("topics", "Write", _always, "changes and markers"),
    _Row("topics", "Create", _makes, "the bridge makes it (topics.create)"),
    _Row("topics", "DescribeConfigs", _always, "to know its largest record and whether it is compacted", needed=False),
    _Row("checkpoints", "Read", _always, "position and index, and requests for a new epoch"),
    _Row("checkpoints", "Write", _always, "committed with the records"),
    _Row("checkpoints", "Create", _makes, "the bridge makes it (topics.create)"),
    _Row("checkpoints", "DescribeConfigs", _always, "to see that it is compacted", needed=False),
    _Row("group", "Read", _shares, "replicas share the streams"),
    _Row("group", "Describe", _is_alone, "to see whether replicas of this name run", needed=False),
)

READING = _Row("topics", "Read", _always, "for `verify` and `tail`")
"""Not for the bridge: for who looks at what it wrote."""


class Thing(Struct, frozen=True):
    """What is allowed something: a topic, a group, a transactional id, or all whose names begin so."""

    kind: Kind
    pattern: Pattern

    @property
    def words(self) -> str:
        match self.kind:
            case "topic":
                return self.pattern.words
            case "group":
                return f"group {self.pattern.name}"
            case "transactional-id":
                return f"transactional ids that begin with {self.pattern.name}"


class Right(Struct, frozen=True):
    """One operation on one thing, and why."""

    thing: Thing
    operation: str
    why: str
    needed: bool


def rights(config: Config, topics: Iterable[Pattern], *, reading: bool = False) -> list[Right]:
    """Everything that *config* needs and no more. *reading*: also what `verify` and `tail` need."""
    patterns = list(dict.fromkeys(topics))
    widest = [each for each in patterns if not any(other.covers(each) for other in patterns if other != each)]
    rows = (*_TABLE, READING) if reading else _TABLE
    return [right for subject in _ORDER for right in _of(config, subject, widest, rows)]


def on_topic(config: Config, topic: str) -> list[Right]:
    """What is needed on one topic, which may be the checkpoints'."""
    subject: Subject = "checkpoints" if topic == config.checkpoint_topic else "topics"
    return _of(config, subject, [Pattern(topic)], _TABLE)


def on_topics(config: Config, pattern: Pattern) -> list[Right]:
    """What is needed on topics of watches."""
    return _of(config, "topics", [pattern], _TABLE)


def on_group(config: Config) -> list[Right]:
    return _of(config, "group", [], _TABLE)


def on_transactions(config: Config) -> list[Right]:
    return _of(config, "transactions", [], _TABLE)


def _of(config: Config, subject: Subject, topics: list[Pattern], rows: Iterable[_Row]) -> list[Right]:
    wanted = [row for row in rows if row.subject == subject and row.when(config)]
    return [
        Right(thing, row.operation, row.why.format(name=config.name), row.needed)
        for thing in _things(config, subject, topics)
        for row in wanted
    ]


_ORDER: tuple[Subject, ...] = ("transactions", "topics", "checkpoints", "group")


def _things(config: Config, subject: Subject, topics: list[Pattern]) -> list[Thing]:
    match subject:
        case "transactions":
            return [Thing("transactional-id", Pattern(f"{config.name}.", prefixed=True))]
        case "topics":
            return [Thing("topic", pattern) for pattern in topics]
        case "checkpoints":
            return [Thing("topic", Pattern(config.checkpoint_topic))]
        case "group":
            return [Thing("group", Pattern(config.name))]


def principal(config: Config) -> str | None:
    """As whom brokers know the bridge by default. None: they make a name of its certificate or its token."""
    kafka = config.kafka
    if kafka.sasl is not None:
        return f"User:{kafka.sasl.username}" if kafka.sasl.username is not None else None
    return None if kafka.tls is not None and kafka.tls.cert is not None else "User:ANONYMOUS"


def asks(config: Config) -> bool:
    """Whether the topics' names depend on what an API server says."""
    return any("{" in stream.watch.topic for stream in streams(config))
