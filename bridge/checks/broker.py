"""The Kafka side of a check: is it reached, are the topics there or could they be made, what has been committed."""

from collections.abc import Iterable

from msgspec.structs import replace

from bridge.checks.report import GroupState, KafkaEnd, TopicState
from bridge.config.tree import Config
from bridge.ownership.group import Group, Membership
from bridge.ownership.rivals import namesakes
from bridge.ownership.words import Said, difference, introduce
from bridge.sink import permissions, topics
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
            lack = await permissions.lacking(config.kafka, {name: ("Read", "Write")})
        except KafkaFault as fault:
            return KafkaEnd(servers), TopicState(name, True, found.partitions, f"{fault}.")
        state = _lacking(state, lack)
    return KafkaEnd(servers), state


async def share(config: Config, cluster_uid: str) -> GroupState:
    """Whether replicas may form their group, and how many have. Kafka must have been reached.

    *cluster_uid* is empty where it is not known: then other clusters' replicas cannot be told from ours.
    """
    try:
        async with Group.reached(config) as group:
            await group.try_access()
            members = await group.members()
    except KafkaFault as fault:
        return GroupState(config.name, problem=f"{fault}.")
    others = _others(introduce(config, cluster_uid, ""), members) if cluster_uid else ""
    return GroupState(config.name, len(members), note=others)


def _others(mine: Said, members: list[Membership]) -> str:
    found = [member.said for member in members if member.said.wanted not in ("", mine.config)]
    if not found:
        return ""
    what = f"replicas of another configuration run, those of this one wait for them: {difference(mine, found[0])}"
    return f"{what}. If no update is under way, another deployment has this name: change `name`."


async def rivals(config: Config) -> GroupState | None:
    """Replicas of a standalone bridge's name; None if there are none, or nobody may know."""
    hosts = sorted(member.said.host for member in await namesakes(config))
    if not hosts:
        return None
    mend = "Stop them, or change `name`"
    problem = f"this bridge is standalone, and replicas of its name run on {', '.join(hosts)}: it would wait. {mend}."
    return GroupState(config.name, len(hosts), problem)


async def look(config: Config, names: Iterable[str]) -> tuple[TopicState, ...]:
    """How each of *names* is."""
    found = await topics.inspect(config, names)
    existing = [name for name, topic in found.items() if isinstance(topic, Topic)]
    lack = await permissions.lacking(config.kafka, dict.fromkeys(existing, ("Write",)))
    states = (_state(found[name], config.topics.partitions, is_for_records=True) for name in sorted(found))
    return tuple(_lacking(state, lack) for state in states)


async def transacting(config: Config, stream: str) -> str:
    """What keeps *stream* from its transactions; empty if nothing does."""
    transactional_id = f"{config.name}.{stream}"
    if config.kafka.delivery != "exactly-once" or await permissions.may_transact(config.kafka, transactional_id):
        return ""
    mend = f"Allow Write on TransactionalIds that begin with {config.name}., or set kafka.delivery: at-least-once"
    return f"no permission to use transactional id {transactional_id}. {mend}."


def _lacking(state: TopicState, lack: dict[str, list[str]]) -> TopicState:
    operations = " and ".join(lack.get(state.name, ()))
    if not operations or state.problem:
        return state
    return replace(state, problem=f"no permission to {operations} on topic {state.name}. Allow {operations} on it.")


UNREAD = "Allow DescribeConfigs on it, so that its largest record and cleanup policy are known."
COMPACTED = "it is compacted: Kafka will remove markers, and consumers that follow by them be wrong. Use delete."


def _state(topic: Topic | Absent, partitions: int, *, is_for_records: bool = False) -> TopicState:
    match topic:
        case Topic(name, count) if topic.compacted and is_for_records:
            return TopicState(name, True, count, note=COMPACTED)
        case Topic(name, count) if topic.cleanup is None:
            return TopicState(name, True, count, note=f"its settings may not be read. {UNREAD}")
        case Topic(name, count):
            return TopicState(name, True, count)
        case Absent(name, ""):
            return TopicState(name, False, partitions)
        case Absent(name, obstacle):
            return TopicState(name, False, 0, f"{obstacle}.")
