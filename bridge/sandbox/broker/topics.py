"""The topics: their partitions and settings, and what Kafka says to who wants to make, grow or delete one."""

import re
import uuid
from collections.abc import Iterator, Mapping

from msgspec import Struct

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.log import Log
from bridge.sandbox.broker.settings import SETTINGS, problem

NODE = 1
"""The id of the only broker."""
LONGEST_NAME = 249
LEGAL = re.compile(r"[A-Za-z0-9._-]+")

NOTHING: Mapping[str, str | None] = {}

Place = tuple[str, int]
"""A topic's name and the number of one of its partitions."""


class Refused(Struct, frozen=True):
    """*message* in Kafka's words; None where it has none."""

    code: Code
    message: str | None = None


class Topic:
    """Owns its logs."""

    def __init__(self, name: str, settings: dict[str, str]) -> None:
        self.name = name
        self.id = uuid.uuid4().bytes
        self.settings = settings
        self.logs: list[Log] = []
        self.leaderless: set[int] = set()

    def setting(self, name: str) -> str:
        return self.settings.get(name, SETTINGS[name].default)

    @property
    def compacted(self) -> bool:
        return "compact" in self.setting("cleanup.policy")


class Topics:
    """Owns all topics. *retention*: bytes that each partition keeps. *default_partitions*: num.partitions."""

    def __init__(self, default_partitions: int, retention: int | None) -> None:
        self._topics: dict[str, Topic] = {}
        self._default = default_partitions
        self._retention = retention

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def get(self, name: str) -> Topic | None:
        return self._topics.get(name)

    def log(self, place: Place) -> Log | Code:
        """Of a partition, if it can be read and written just now."""
        name, number = place
        topic = self._topics.get(name)
        if topic is None or not 0 <= number < len(topic.logs):
            return Code.UNKNOWN_TOPIC_OR_PARTITION
        return Code.NOT_LEADER_OR_FOLLOWER if number in topic.leaderless else topic.logs[number]

    def create(
        self, name: str, partitions: int = -1, wanted: Mapping[str, str | None] = NOTHING, *, only_try: bool = False
    ) -> Refused | None:
        """-1 partitions: as many as the broker's default."""
        if wrong := self._name_problem(name):
            return wrong
        if partitions == 0 or partitions < -1:
            return Refused(Code.INVALID_PARTITIONS, "Number of partitions was set to an invalid non-positive value.")
        if what := problem(wanted):
            return Refused(Code.INVALID_CONFIG, what)
        if not only_try:
            topic = Topic(name, {key: value for key, value in wanted.items() if value is not None})
            self._topics[name] = topic
            self._fill(topic, self._default if partitions == -1 else partitions)
        return None

    def grow(self, name: str, partitions: int, *, only_try: bool = False) -> Refused | None:
        topic = self._topics.get(name)
        if topic is None:
            return Refused(Code.UNKNOWN_TOPIC_OR_PARTITION)
        count = len(topic.logs)
        if partitions == count:
            return Refused(Code.INVALID_PARTITIONS, f"Topic already has {count} partition(s).")
        if partitions < count:
            now = f"The topic {name} currently has {count} partition(s)"
            return Refused(Code.INVALID_PARTITIONS, f"{now}; {partitions} would not be an increase.")
        if not only_try:
            self._fill(topic, partitions)
        return None

    def delete(self, name: str) -> Code:
        return Code.UNKNOWN_TOPIC_OR_PARTITION if self._topics.pop(name, None) is None else Code.NONE

    def _fill(self, topic: Topic, partitions: int) -> None:
        topic.logs += [Log(self._retention) for _ in range(partitions - len(topic.logs))]

    def _name_problem(self, name: str) -> Refused | None:
        if what := illegal(name):
            return Refused(Code.INVALID_TOPIC_EXCEPTION, what)
        if name in self._topics:
            return Refused(Code.TOPIC_ALREADY_EXISTS, f"Topic '{name}' already exists.")
        flat = name.replace(".", "_")
        for other in self._topics:  # both would be one name in metrics
            if other.replace(".", "_") == flat:
                return Refused(Code.INVALID_TOPIC_EXCEPTION, f"Topic '{name}' collides with existing topic: {other}")
        return None


def illegal(name: str) -> str:
    """What is wrong with a topic's name (Kafka's Topic.validate), empty if nothing is."""
    begin = "Topic name is invalid: "
    if not name:
        return f"{begin}the empty string is not allowed"
    if name in (".", ".."):
        return f"{begin}'{name}' is not allowed"
    if len(name) > LONGEST_NAME:
        return f"{begin}the length of '{name}' is longer than the max allowed length {LONGEST_NAME}"
    if not LEGAL.fullmatch(name):
        return f"{begin}'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
    return ""
