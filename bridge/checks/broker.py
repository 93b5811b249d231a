"""The Kafka side of a check: is it reached, are the topics there or could they be made, what has been committed."""

from collections.abc import Iterable

from bridge.checks.report import GroupState, KafkaEnd, TopicState
from bridge.config.tree import Config
from bridge.ownership.group import Group
from bridge.sink import topics
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import assert_fast
from bridge.sink.topics import Absent, Topic


async def reach(config: Config) -> tuple[KafkaEnd, TopicState | None]:
    """Whether Kafka answers, and how the checkpoint topic is."""
    servers = config.kafka.bootstrap_servers
    name = config.checkpoint_topic
    try:
        assert_fast()
        found = (await topics.inspect(config, [name]))[name]
    except SettingFault as fault:
        return KafkaEnd(servers, f"{fault}."), None
    except KafkaFault as fault:
        return KafkaEnd(servers, f"{fault}. Check that Kafka runs and can be reached from here."), None
    state = _state(found, config.checkpoints.partitions)
    if isinstance(found, Topic):
        try:
            topics.assert_fit(found, config)
        except KafkaFault as fault:
            return KafkaEnd(servers), TopicState(name, True, found.partitions, f"{fault}.")
    return KafkaEnd(servers), state


async def share(config: Config) -> GroupState:
    """Whether replicas may form their group, and how many have. Kafka must have been reached."""
    try:
        async with Group.reached(config) as group:
            await group.try_access()
            return GroupState(config.name, len(await group.members()))
    except KafkaFault as fault:
        return GroupState(config.name, problem=f"{fault}.")


async def look(config: Config, names: Iterable[str]) -> tuple[TopicState, ...]:
    """How each of *names* is."""
    found = await topics.inspect(config, names)
    return tuple(_state(found[name], config.topics.partitions, is_for_records=True) for name in sorted(found))


COMPACTED = "it is compacted: Kafka will remove markers, and consumers that follow by them be wrong. Use delete."


def _state(topic: Topic | Absent, partitions: int, *, is_for_records: bool = False) -> TopicState:
    match topic:
        case Topic(name, count) if topic.compacted and is_for_records:
            return TopicState(name, True, count, note=COMPACTED)
        case Topic(name, count):
            return TopicState(name, True, count)
        case Absent(name, ""):
            return TopicState(name, False, partitions)
        case Absent(name, obstacle):
            return TopicState(name, False, 0, f"{obstacle}.")
