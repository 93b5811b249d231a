"""The topics that records go to, and the checkpoint topic: that they exist, and what they take."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateTopicsRequest, DescribeConfigsRequest
from msgspec import Struct

from bridge.config.tree import Config
from bridge.sink.connection import Forbidden, KafkaFault, SettingFault, connected, faults
from bridge.sink.metadata import Listed, topics_of
from bridge.sink.route import Target
from bridge.sink.telling import TopicCreated

SETTLE = 20.0
"""Seconds for new topics to have leaders everywhere: milliseconds on a healthy cluster (measured)."""
POLL = 0.05
TWICE = 0.3
"""Seconds before "it does not exist" is believed: a broker may hear late of a topic that another one has made."""
BROKER_LIMIT = 1048588
"""Kafka's default of max.message.bytes: 1 MiB and a batch header of old."""
TOPIC = 2
"""A topic's resource type in DescribeConfigs."""

CHECKPOINT_CONFIG = {
    "cleanup.policy": "compact",
    "segment.ms": "1800000",  # the open segment is never compacted, and a take-over reads all of it
    "segment.bytes": str(32 * 1024 * 1024),
    "min.cleanable.dirty.ratio": "0.1",
}


class Topic(Struct, frozen=True):
    """A topic that exists. *limit* (bytes of a batch) and *cleanup* (policy) are None where they may not be read.

    *headless* are the partitions that have no leader now. *id* is of this incarnation, empty where brokers tell none.
    """

    name: str
    partitions: int
    limit: int | None = None
    cleanup: str | None = None
    headless: tuple[int, ...] = ()
    id: str = ""

    @property
    def compacted(self) -> bool:
        """The envelope is not for such: compaction removes markers, and keeps deletes for ever."""
        return "compact" in (self.cleanup or "")

    @property
    def targets(self) -> list[Target]:
        return [Target(self.name, partition) for partition in range(self.partitions)]


def ids_of(found: dict[str, Topic]) -> dict[str, str]:
    """Those that Kafka has told."""
    return {name: topic.id for name, topic in found.items() if topic.id}


class Absent(Struct, frozen=True):
    """A topic that does not exist. *obstacle* says why it cannot be made, empty if it can; *forbidden*: we may not."""

    name: str
    obstacle: str
    forbidden: bool = False


async def describe(config: Config, names: Iterable[str]) -> dict[str, Topic]:
    """Those of *names* that exist."""
    wanted = sorted(set(names))
    if not wanted:
        return {}
    async with faults(config.kafka, "ask for the topics", SETTLE), connected(config.kafka) as client:
        found = await topics_of(client, wanted)
        if len(found) < len(wanted):
            await asyncio.sleep(TWICE)
            found |= await topics_of(client, set(wanted) - set(found))
        return await _described(client, found)


async def ensure(config: Config, names: Iterable[str]) -> dict[str, Topic]:
    """All of *names*, made if they did not exist and `topics.create` allows it."""
    return await _ensure(config, names, config.topics.partitions, config.topics.config)


async def ensure_checkpoints(config: Config) -> Topic:
    """The checkpoint topic. A wrong one is refused: checkpoints would be looked for in the wrong place, or deleted."""
    name, partitions = config.checkpoint_topic, config.checkpoints.partitions
    topic = (await _ensure(config, [name], partitions, CHECKPOINT_CONFIG))[name]
    assert_fit(topic, config)
    return topic


def assert_fit(topic: Topic, config: Config) -> None:
    """Raise unless *topic* can hold the checkpoints that *config* describes."""
    if topic.partitions != config.checkpoints.partitions:
        raise SettingFault(
            f"the checkpoint topic {topic.name} has {topic.partitions} partitions, checkpoints.partitions is"
            f" {config.checkpoints.partitions}. Set it to {topic.partitions}: a topic's partitions cannot shrink, and"
            " more of them would hide the checkpoints that are there"
        )
    if topic.cleanup not in (None, "compact"):
        raise SettingFault(
            f"the checkpoint topic {topic.name} has cleanup.policy={topic.cleanup}: Kafka would delete the checkpoints"
            " of quiet streams. Mend it with"
            f" kafka-configs.sh --alter --topic {topic.name} --add-config cleanup.policy=compact"
        )


def assert_led(found: Iterable[Topic]) -> None:
    """Raise unless all partitions have leaders. To a partition without one Kafka writes no end of a transaction."""
    for topic in found:
        if topic.headless:
            raise headless(topic.name, topic.headless)


def headless(topic: str, partitions: Iterable[int]) -> KafkaFault:
    """*partitions* have no leader."""
    numbers = ", ".join(map(str, partitions))
    return KafkaFault(f"topic {topic} has no leader for partition {numbers}: its brokers are down")


async def inspect(config: Config, names: Iterable[str]) -> dict[str, Topic | Absent]:
    """What *names* are, and whether the absent ones could be made. Changes nothing."""
    existing = await describe(config, names)
    missing = sorted(set(names) - set(existing))
    found: dict[str, Topic | Absent] = dict(existing)
    async with faults(config.kafka, "ask whether topics can be made", SETTLE), connected(config.kafka) as client:
        for name in missing:
            obstacle = await _obstacle(client, config, name)
            found[name] = Absent(name, f"{obstacle or ''}", isinstance(obstacle, Forbidden))
    return found


async def _obstacle(client: AIOKafkaClient, config: Config, name: str) -> SettingFault | None:
    if not config.topics.create:
        return _not_ours([name])
    is_ours = name == config.checkpoint_topic
    partitions = config.checkpoints.partitions if is_ours else config.topics.partitions
    request = [_new(name, partitions, CHECKPOINT_CONFIG if is_ours else config.topics.config, config)]
    refused, _ = await _create(client, request, only_try=True)
    return refused[0] if refused else None


def _not_ours(names: list[str]) -> SettingFault:
    named = ", ".join(names)
    return SettingFault(f"topics.create is false, and there is no topic {named}. Create it, or set topics.create: true")


async def _ensure(config: Config, names: Iterable[str], partitions: int, settings: dict[str, str]) -> dict[str, Topic]:
    wanted = sorted(set(names))
    if not wanted:
        return {}
    listed = ", ".join(wanted)
    async with faults(config.kafka, f"make sure of the topics {listed}", SETTLE), connected(config.kafka) as client:
        found = await topics_of(client, wanted)
        missing = [name for name in wanted if name not in found]
        if missing and not config.topics.create:
            raise _not_ours(missing)
        if missing:
            request = [_new(name, partitions, settings, config) for name in missing]
            refused, created = await _create(client, request)
            if refused:
                raise refused[0]
            found = await _settled(client, wanted)
            for name in created:
                TopicCreated(name, len(found[name].leaders)).emit()
        return await _described(client, found)


NewTopic = Any
"""A tuple as CreateTopics has it: name, partitions, replicas (-1: the broker's default), assignments, settings."""


def _new(name: str, partitions: int, settings: dict[str, str], config: Config) -> NewTopic:
    if config.kafka.max_message_bytes > BROKER_LIMIT:
        settings = {"max.message.bytes": str(config.kafka.max_message_bytes), **settings}
    return name, partitions, config.topics.replication_factor or -1, [], list(settings.items())


async def _create(
    client: AIOKafkaClient, topics: list[NewTopic], *, only_try: bool = False
) -> tuple[list[SettingFault], list[str]]:
    """Why which could not be made, and the names of those that were."""
    request = CreateTopicsRequest(topics, timeout=int(1000 * SETTLE), validate_only=only_try)
    controller = client.cluster.controller
    node = client.get_random_node() if controller is None else controller.nodeId
    answer = (await client.send(node, request)).to_object()
    refused, created = [], []
    for entry in answer["topic_errors"]:
        name, error = entry["topic"], errors.for_code(entry["error_code"])
        if error is errors.NoError:
            created.append(name)
        elif error is not errors.TopicAlreadyExistsError:  # another stream was quicker
            refused.append(_refusal(name, error, entry.get("error_message") or ""))
    return refused, created


def _refusal(name: str, error: type[errors.BrokerResponseError], message: str) -> SettingFault:
    reason = f"cannot make topic {name}: {message.rstrip('.') or error.__name__}"
    if error in (errors.TopicAuthorizationFailedError, errors.ClusterAuthorizationFailedError):
        return Forbidden(f"{reason}. Allow Create on it, or create it and set topics.create: false")
    mends = {
        errors.InvalidReplicationFactorError: "Change topics.replicationFactor",
        errors.InvalidPartitionsError: "Change topics.partitions",
        errors.InvalidConfigurationError: "Change topics.config",
        errors.InvalidTopicError: "Change the topic of the watch",
    }
    return SettingFault(f"{reason}. {mends.get(error, 'Create it by hand')}")


async def _settled(client: AIOKafkaClient, names: list[str]) -> dict[str, Listed]:
    """Wait until brokers know of all partitions, with leaders. The caller's deadline bounds it."""
    while True:
        found = await topics_of(client, names)
        if len(found) == len(names) and all(topic.leaders and min(topic.leaders) >= 0 for topic in found.values()):
            return found
        await asyncio.sleep(POLL)


async def _described(client: AIOKafkaClient, found: dict[str, Listed]) -> dict[str, Topic]:
    configs = await _configs(client, list(found)) if found else {}
    topics = {}
    for name, listed in found.items():
        entries = configs.get(name, {})
        limit = entries.get("max.message.bytes")
        headless = tuple(partition for partition, leader in enumerate(listed.leaders) if leader < 0)
        size = None if limit is None else int(limit)
        topics[name] = Topic(name, len(listed.leaders), size, entries.get("cleanup.policy"), headless, listed.id)
    return topics


async def _configs(client: AIOKafkaClient, names: list[str]) -> dict[str, dict[str, str]]:
    """The settings of each topic; nothing for those that may not be read."""
    wanted = ["max.message.bytes", "cleanup.policy"]
    request = DescribeConfigsRequest([(TOPIC, name, wanted) for name in names], include_synonyms=False)
    while True:
        answer = (await client.send(client.get_random_node(), request)).to_object()
        resources = answer["resources"]
        if all(entry["error_code"] != errors.UnknownTopicOrPartitionError.errno for entry in resources):
            break
        await asyncio.sleep(POLL)  # for some milliseconds after a topic is made
    return {
        entry["resource_name"]: {item["config_names"]: item["config_value"] for item in entry["config_entries"]}
        for entry in resources
        if entry["error_code"] == 0
    }
