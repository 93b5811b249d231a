"""Topics: made as configured, never by accident, and refusals that say what to change."""

from collections.abc import Callable, Mapping

import pytest
from msgspec.structs import replace

from bridge.config.units import Size
from bridge.sink import topics
from bridge.sink.connection import SettingFault
from bridge.sink.topics import Absent, Topic
from tests.servers.kafka import Broker
from tests.sink.stage import fresh, make, stage

DEFAULT_LIMIT = 1048588


def unnamed(found: Mapping[str, Topic | Absent]) -> dict[str, Topic | Absent]:
    """Without the ids, which Kafka makes up: every topic has one."""
    assert all(topic.id for topic in found.values() if isinstance(topic, Topic))
    return {name: replace(topic, id="") if isinstance(topic, Topic) else topic for name, topic in found.items()}


async def test_missing_topics_are_made_as_configured(broker: Broker) -> None:
    at = stage(broker.bootstrap, partitions=4)
    config = replace(at.config, topics=replace(at.config.topics, config={"cleanup.policy": "compact"}))
    one, two = fresh("topic"), fresh("topic")

    found = await topics.ensure(config, [one, two])

    assert unnamed(found) == {name: Topic(name, 4, DEFAULT_LIMIT, "compact") for name in (one, two)}
    assert found[one].id != found[two].id
    assert await topics.describe(config, [one, two, fresh("topic")]) == found


async def test_topics_that_exist_are_taken_as_they_are(broker: Broker) -> None:
    at, name = stage(broker.bootstrap, partitions=4), fresh("topic")
    await make(broker.bootstrap, name, 2, {"max.message.bytes": "5000"})

    assert unnamed(await topics.ensure(at.config, [name])) == {name: Topic(name, 2, 5000, "delete")}


async def test_a_topic_takes_what_the_config_allows(broker: Broker) -> None:
    """Else the first object above the broker's own limit would be refused for ever."""
    at, name = stage(broker.bootstrap, max_message_bytes=Size(3 << 20)), fresh("topic")

    assert (await topics.ensure(at.config, [name]))[name].limit == 3 << 20
    assert (await topics.ensure_checkpoints(at.config)).limit == 3 << 20


async def test_where_topics_must_not_be_made_the_missing_are_named(broker: Broker) -> None:
    at, name = stage(broker.bootstrap, create=False), fresh("topic")

    with pytest.raises(SettingFault, match=rf"topics\.create is false, and there is no topic {name}\. Create it"):
        await topics.ensure(at.config, [name])

    assert await topics.describe(at.config, [name]) == {}


async def test_the_brokers_refusal_names_the_setting(broker: Broker) -> None:
    """It comes inside the answer, and aiokafka does not raise it."""
    name = fresh("topic")
    wide = stage(broker.bootstrap, replication_factor=3)
    odd = stage(broker.bootstrap)
    odd_config = replace(odd.config, topics=replace(odd.config.topics, config={"cleanup.policy": "burn"}))

    with pytest.raises(SettingFault, match=rf"make topic {name}: .*[Rr]eplication.*Change topics\.replicationFactor"):
        await topics.ensure(wide.config, [name])
    with pytest.raises(SettingFault, match=rf"cannot make topic {name}: .*burn.*Change topics\.config"):
        await topics.ensure(odd_config, [name])
    with pytest.raises(SettingFault, match="Kafka takes no topic called a b"):
        await topics.ensure(odd.config, ["a b"])


async def test_inspecting_tells_what_could_be_made_and_makes_nothing(broker: Broker) -> None:
    there, missing = fresh("topic"), fresh("topic")
    await make(broker.bootstrap, there, 2)
    at = stage(broker.bootstrap)

    assert unnamed(await topics.inspect(at.config, [there, missing])) == {
        there: Topic(there, 2, DEFAULT_LIMIT, "delete"),
        missing: Absent(missing, ""),
    }
    wide = await topics.inspect(stage(broker.bootstrap, replication_factor=3).config, [missing])
    strict = await topics.inspect(stage(broker.bootstrap, create=False).config, [missing])
    assert "Change topics.replicationFactor" in getattr(wide[missing], "obstacle", "")
    assert "topics.create is false" in getattr(strict[missing], "obstacle", "")
    assert await topics.describe(at.config, [missing]) == {}


async def test_asking_for_a_topic_does_not_make_it(new_broker: Callable[..., Broker]) -> None:
    """Brokers are set by default to make whatever a client asks for, with a partition count of their own."""
    broker = new_broker({"auto.create.topics.enable": "true"})
    at, name = stage(broker.bootstrap), fresh("topic")

    assert await topics.describe(at.config, [name]) == {}
    assert await topics.inspect(at.config, [name]) == {name: Absent(name, "")}
    assert (await topics.ensure(at.config, [name]))[name].partitions == 3


async def test_no_topics_need_no_broker() -> None:
    at = stage("127.0.0.1:1")

    assert await topics.describe(at.config, []) == {}
    assert await topics.ensure(at.config, []) == {}
