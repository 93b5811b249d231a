"""The Kafka side of a check: is it reached, are the topics there or could they be made, what has been committed."""

from collections.abc import Iterable

from msgspec.structs import replace

from bridge.checks.report import GroupState, KafkaEnd, TopicState
from bridge.config.tree import Config
from bridge.ownership.group import Group, Membership
from bridge.ownership.words import Said, behind, difference, introduce
from bridge.rights import acls, kafka
from bridge.rights.kafka import Right
from bridge.rights.meaning import Pattern
from bridge.sink import permissions, topics
from bridge.sink.connection import Forbidden, KafkaFault, SettingFault
from bridge.sink.producer import assert_fast
from bridge.sink.topics import Absent, Topic


async def reach(config: Config) -> tuple[KafkaEnd, TopicState | None]:
    """Whether Kafka answers, and how the checkpoint topic is."""
    servers = config.kafka.bootstrap_servers
    name = config.checkpoint_topic
    try:
        assert_fast()
        found = (await topics.inspect(config, [name]))[name]
    except Forbidden as fault:
        return KafkaEnd(servers, _allowing(config, f"{fault}.", kafka.on_topic(config, name))), None
    except SettingFault as fault:
        return KafkaEnd(servers, f"{fault}."), None
    except KafkaFault as fault:
        return KafkaEnd(servers, f"{fault}. Check that Kafka runs and can be reached from here."), None
    rights = kafka.on_topic(config, name)
    state = _state(config, found, config.checkpoints.partitions, rights)
    if isinstance(found, Topic):
        try:
            topics.assert_fit(found, config)
            lack = await permissions.lacking(config.kafka, {name: _needs(rights)})
        except KafkaFault as fault:
            return KafkaEnd(servers), TopicState(name, True, found.partitions, f"{fault}.")
        state = _lacking(config, state, lack, rights)
    return KafkaEnd(servers), state


async def share(config: Config, cluster_uid: str) -> GroupState:
    """Whether replicas may form their group, and how many have. Kafka must have been reached.

    *cluster_uid* is empty where it is not known: then other clusters' replicas cannot be told from ours.
    """
    try:
        async with Group.reached(config) as group:
            await group.try_access()
            members = await group.members()
    except Forbidden as fault:
        return GroupState(config.name, problem=_allowing(config, f"{fault}.", kafka.on_group(config)))
    except KafkaFault as fault:
        return GroupState(config.name, problem=f"{fault}.")
    others = _others(introduce(config, cluster_uid, ""), members) if cluster_uid else ""
    return GroupState(config.name, len(members), note=others)


def _others(mine: Said, members: list[Membership]) -> str:
    said = [member.said for member in members]
    found = [each for each in said if each.config not in ("", mine.config) and each.wanted != mine.config]
    if not found:
        return ""
    if any(each.offer is not None and each.wanted == mine.config for each in said):
        return f"this file is a changed one, and not in force: {behind(each.host for each in found)}."
    what = f"replicas of another configuration run, those of this one wait for them: {difference(mine, found[0])}"
    return f"{what}. If no update is under way, another deployment has this name: change `name`."


async def rivals(config: Config) -> GroupState | None:
    """Replicas of a standalone bridge's name; None if there are none, or Kafka cannot be asked."""
    try:
        async with Group.reached(config) as group:
            hosts = sorted(member.said.host for member in await group.members())
    except Forbidden:
        return GroupState(config.name, note=_allowing(config, UNSEEN, kafka.on_group(config)))
    except KafkaFault:
        return None
    if not hosts:
        return None
    mend = "Stop them, or change `name`"
    problem = f"this bridge is standalone, and replicas of its name run on {', '.join(hosts)}: it would wait. {mend}."
    return GroupState(config.name, len(hosts), problem)


async def look(config: Config, names: list[str]) -> tuple[TopicState, ...]:
    """How each of *names* is."""
    _, states = await _look(config, {name: kafka.on_topic(config, name) for name in names})
    return states


async def foresee(config: Config, name: str, pattern: Pattern) -> tuple[TopicState, ...]:
    """What keeps topics from being written to that are named once an object is met: told by *name*, one of *pattern*.

    That it does not exist, and may be for others to make, is no matter.
    """
    found, states = await _look(config, {name: kafka.on_topics(config, pattern)})
    other = [topic for topic in found.values() if isinstance(topic, Absent) and not topic.forbidden]
    return () if other else states


async def _look(
    config: Config, rights: dict[str, list[Right]]
) -> tuple[dict[str, Topic | Absent], tuple[TopicState, ...]]:
    """Of each name with what is needed on it."""
    try:
        found = await topics.inspect(config, rights)
    except Forbidden as fault:
        problems = {name: _allowing(config, f"{fault}.", needed) for name, needed in rights.items()}
        return {}, tuple(TopicState(name, False, 0, problem) for name, problem in problems.items())
    existing = [name for name, topic in found.items() if isinstance(topic, Topic)]
    lack = await permissions.lacking(config.kafka, {name: _needs(rights[name]) for name in existing})
    partitions = config.topics.partitions
    states = {
        name: _state(config, found[name], partitions, rights[name], is_for_records=True) for name in sorted(found)
    }
    return found, tuple(_lacking(config, state, lack, rights[name]) for name, state in states.items())


def _needs(rights: Iterable[Right]) -> list[str]:
    """What must be allowed on a topic that is there: it need not be made."""
    return [right.operation for right in rights if right.needed and right.operation != CREATE]


async def transacting(config: Config, stream: str) -> str:
    """What keeps *stream* from its transactions; empty if nothing does."""
    transactional_id = f"{config.name}.{stream}"
    if config.kafka.delivery != "exactly-once" or await permissions.may_transact(config.kafka, transactional_id):
        return ""
    mend = f"Allow Write on TransactionalIds that begin with {config.name}., or set kafka.delivery: at-least-once"
    problem = f"no permission to use transactional id {transactional_id}. {mend}."
    return _allowing(config, problem, kafka.on_transactions(config))


def _lacking(config: Config, state: TopicState, lack: dict[str, list[str]], rights: Iterable[Right]) -> TopicState:
    missing = lack.get(state.name, [])
    operations = " and ".join(missing)
    if not operations or state.problem:
        return state
    problem = f"no permission to {operations} on topic {state.name}. Allow {operations} on it."
    return replace(state, problem=_allowing(config, problem, _only(rights, *missing)))


def _only(rights: Iterable[Right], *operations: str) -> list[Right]:
    return [right for right in rights if right.operation in operations]


def _allowing(config: Config, problem: str, rights: Iterable[Right]) -> str:
    """With the command that allows what is missing, to copy."""
    return "\n".join([problem, *acls.commands(rights, acls.target(config))])


UNSEEN = "whether replicas of this name run may not be seen: allow Describe on the Group."
CREATE, DESCRIBE_CONFIGS = "Create", "DescribeConfigs"
UNREAD = "Allow DescribeConfigs on it, so that its largest record and cleanup policy are known."
COMPACTED = "it is compacted: Kafka will remove markers, and consumers that follow by them be wrong. Use delete."


def _state(
    config: Config, topic: Topic | Absent, partitions: int, rights: list[Right], *, is_for_records: bool = False
) -> TopicState:
    match topic:
        case Topic(name, count) if topic.compacted and is_for_records:
            return TopicState(name, True, count, note=COMPACTED)
        case Topic(name, count) if topic.cleanup is None:
            note = f"its settings may not be read. {UNREAD}"
            return TopicState(name, True, count, note=_allowing(config, note, _only(rights, DESCRIBE_CONFIGS)))
        case Topic(name, count):
            return TopicState(name, True, count)
        case Absent(name, ""):
            return TopicState(name, False, partitions)
        case Absent(name, obstacle, True):
            return TopicState(name, False, 0, _allowing(config, f"{obstacle}.", _only(rights, CREATE)))
        case Absent(name, obstacle):
            return TopicState(name, False, 0, f"{obstacle}.")
