"""What changes under a stream: its topics, its resource, its cluster. Consumers are told exactly."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from bridge.model.checkpoint import Restart, Resume
from bridge.model.event import Change, ChangeType, Event, Progress, RestartReason
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.sink.connection import KafkaFault
from bridge.sink.draft import FULL
from bridge.sink.route import partition_of
from bridge.sink.whereabouts import Repartitioned
from bridge.sink.writer import Opened, Writer
from tests.servers.kafka import Broker
from tests.sink.stage import (
    SERVICES,
    change,
    delete,
    fresh,
    grow,
    listed,
    make,
    restarted,
    stage,
    swept,
    synced,
    upserted,
)

DELETED = ChangeType.DELETED


def types(values: list[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values]


def marked(values: list[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values if value["key"] == "pods"]


def position(epoch: int, version: int, time: int = 1) -> Position:
    return Position(Epoch(epoch), ResourceVersion(str(version)), time)


async def snapshot(writer: Writer, epoch: int, names: list[str], version: int = 100, **more: Any) -> None:  # noqa: ANN401
    """A whole epoch's beginning."""
    changes: list[Event] = [listed(name, n + 1, **more) for n, name in enumerate(names)]
    await writer.write([restarted(epoch), *changes, synced(epoch, version)])


async def relisted(opened: Opened, epoch: int, names: list[str], version: int) -> None:
    """What the source tells in a new epoch: the objects that are there, and deletes of those that are not."""
    assert isinstance(opened.start, Restart)
    present = {f"pods/a/{name}" for name in names}
    gone: list[Event] = [
        Change(DELETED, key, uid, ResourceVersion(""), b"", inferred=True)
        for key, uid in sorted(opened.index.items())
        if key not in present
    ]
    changes: list[Event] = [
        listed(name, n + 1, fresh=f"pods/a/{name}" not in opened.index) for n, name in enumerate(names)
    ]
    marker = restarted(epoch, opened.start.reason, opened.start.previous)
    await opened.writer.write([marker, *changes, *gone, synced(epoch, version)])


async def test_a_topic_that_has_grown_is_told_anew(broker: Broker) -> None:
    """Keys have moved: the old partition's consumers must lose them, in whichever way they follow."""
    names = [f"p{n}" for n in range(60)]
    at = stage(broker.bootstrap, partitions=2)
    first = await at.open()
    await snapshot(first.writer, 1000, names)
    await first.writer.close()
    await grow(broker.bootstrap, at.topic, 5)

    second = await at.open()
    assert isinstance(second.start, Restart)
    assert second.start.reason is RestartReason.REPARTITIONED
    assert second.start.message == f"{at.topic} had 2 partitions, has 5"
    stay = {
        name
        for name in names
        if partition_of(f"pods/a/{name}".encode(), 2) == partition_of(f"pods/a/{name}".encode(), 5)
    }
    assert set(second.index) == {f"pods/a/{name}" for name in stay}
    await relisted(second, 2000, names[:50], 200)
    await second.writer.close()

    values = await at.values()
    versions = {f"pods/a/{name}": str(n + 1) for n, name in enumerate(names[:50])}
    for partition in range(5):
        home = {key: version for key, version in versions.items() if partition_of(key.encode(), 5) == partition}
        assert upserted(values[partition]) == home
        assert swept(values[partition]) == home
    third = await at.open()
    assert isinstance(third.start, Resume)
    assert third.index == {f"pods/a/{name}": f"uid-{name}" for name in names[:50]}
    await third.writer.close()


async def test_deleting_what_was_displaced_survives_a_crash(broker: Broker) -> None:
    """Until all is deleted, the checkpoint says where things were: a successor goes on with what is left."""
    names = [f"{n}-{'n' * 220}" for n in range(2 * FULL // 600)]  # a delete has 700 bytes: two transactions and more
    at = stage(broker.bootstrap, partitions=1)
    first = await at.open()
    await snapshot(first.writer, 1000, names)
    await first.writer.close()
    await grow(broker.bootstrap, at.topic, 2)

    second = await at.open()
    assert isinstance(second.start, Restart)
    writing = asyncio.create_task(second.writer.write([restarted(2000, second.start.reason)]))
    while second.writer.checkpoint.epoch < 2000:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.001)
    assert second.writer.checkpoint.partitions == {at.topic: 1}
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    third = await at.open()

    assert isinstance(third.start, Restart)
    assert (third.start.reason, third.start.epoch) == (RestartReason.REPARTITIONED, 2000)
    await relisted(third, 3000, [], 300)
    await third.writer.close()
    values = await at.values()
    assert [(upserted(values[n]), swept(values[n])) for n in range(2)] == [({}, {}), ({}, {})]
    deleted = [value["key"] for value in values[0] if value["type"] == "DELETED"]
    assert sorted(deleted) == sorted(f"pods/a/{name}" for name in names)
    fourth = await at.open()
    assert (type(fourth.start), fourth.index) == (Resume, {})
    await fourth.writer.close()


async def test_another_resource_replaces_the_objects_of_the_old_one(broker: Broker) -> None:
    """The watch was changed from pods to services: consumers must not keep pods that nobody watches any more."""
    at = stage(broker.bootstrap)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x", "y"])
    await first.writer.close()

    second = await at.open(SERVICES)
    assert isinstance(second.start, Restart)
    assert (second.start.reason, second.index) == (RestartReason.IDENTITY_CHANGED, {})
    new = listed("s", 1, resource=SERVICES)
    await second.writer.write([restarted(2000, second.start.reason), new, synced(2000, 200)])
    await second.writer.close()

    values = await at.values()
    ended = {key: version for told in values.values() for key, version in upserted(told).items()}
    assert ended == {"services/a/s": "1"}
    assert {key: version for told in values.values() for key, version in swept(told).items()} == ended
    gone = [value for told in values.values() for value in told if value["type"] == "DELETED"]
    assert {(value["key"], value["object"]["kind"], value["inferred"]) for value in gone} == {
        ("pods/a/x", "Pod", True),
        ("pods/a/y", "Pod", True),
    }


async def test_another_topic_ends_the_old_one(broker: Broker) -> None:
    """Consumers of the old topic see everything leave it, and an empty snapshot."""
    at = stage(broker.bootstrap, partitions=1)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x"])
    await first.writer.close()
    moved = stage(broker.bootstrap, name=at.config.name, partitions=1)

    second = await moved.open()
    await relisted(second, 2000, ["x"], 200)
    await second.writer.close()

    old, new = (await at.values())[0], (await moved.values())[0]
    assert types(old) == ["RESTARTED", "LISTED", "SYNCED", "RESTARTED", "DELETED", "SYNCED"]
    assert (old[-1]["objects"], upserted(old), swept(old)) == (0, {}, {})
    assert types(new) == ["RESTARTED", "LISTED", "SYNCED"]
    third = await moved.open()
    assert third.writer.checkpoint.partitions == {at.topic: 1, moved.topic: 1}
    await third.writer.close()


async def test_topics_that_come_late_begin_with_the_epoch(broker: Broker) -> None:
    """One topic per namespace: those of new namespaces are made when they are first needed."""
    prefix = fresh("late")
    at = stage(broker.bootstrap, prefix + ".{namespace}", partitions=2)
    opened = await at.open()
    await opened.writer.write([restarted(1000), listed("x", 1, namespace="one"), synced(1000, 100)])
    await opened.writer.write(
        [
            change("x", 101, namespace="one"),
            change("y", 102, ChangeType.ADDED, namespace="two", fresh=True),
            change("y", 103, namespace="two"),
        ]
    )
    await opened.writer.close()

    one, two = await at.values(f"{prefix}.one"), await at.values(f"{prefix}.two")
    for told in (*one.values(), *two.values()):
        assert marked(told) == ["RESTARTED", "SYNCED"]
        assert (told[0]["epoch"], told[0]["reason"], told[0]["previous"]) == (1000, "initial", None)
    assert not any("LISTED" in types(told) for told in two.values())
    home = two[partition_of(b"pods/two/y", 2)]
    assert types(home) == ["RESTARTED", "SYNCED", "ADDED", "MODIFIED"]
    assert (home[1]["objects"], home[1]["resourceVersion"]) == (0, "101")
    successor = await at.open()
    assert isinstance(successor.start, Resume)
    assert successor.writer.checkpoint.partitions == {f"{prefix}.one": 2, f"{prefix}.two": 2}
    await successor.writer.write([Progress(position(1000, 110))])
    await successor.writer.close()
    assert all("PROGRESS" in types(told) for told in (await at.values(f"{prefix}.two")).values())


async def test_a_topic_that_is_gone_with_objects_in_it_is_told_anew(broker: Broker) -> None:
    """To go on would leave its consumers without a snapshot, in silence."""
    at = stage(broker.bootstrap, partitions=1)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x"])
    await first.writer.close()
    await delete(broker.bootstrap, at.topic)

    second = await at.open()
    assert isinstance(second.start, Restart)
    assert second.start.message == f"{at.topic} was deleted"
    await relisted(second, 2000, ["x"], 200)
    await second.writer.close()

    assert types((await at.values())[0]) == ["RESTARTED", "LISTED", "SYNCED"]


async def test_a_topic_that_is_gone_without_any_object_is_forgotten(broker: Broker) -> None:
    """A namespace was deleted, and somebody tidied up its topic: no reason to tell all others anew."""
    prefix = fresh("gone")
    at = stage(broker.bootstrap, prefix + ".{namespace}", partitions=1)
    first = await at.open()
    kept, gone = listed("x", 1, namespace="one"), listed("y", 2, namespace="two")
    await first.writer.write([restarted(1000), kept, gone, synced(1000, 100)])
    await first.writer.write([change("y", 101, DELETED, namespace="two"), change("x", 102, namespace="one")])
    await first.writer.close()
    await delete(broker.bootstrap, f"{prefix}.two")

    second = await at.open()

    assert isinstance(second.start, Resume)
    assert second.writer.checkpoint.partitions == {f"{prefix}.one": 1}
    await second.writer.write([change("y", 103, ChangeType.ADDED, namespace="two", fresh=True)])
    await second.writer.close()
    assert types((await at.values(f"{prefix}.two"))[0]) == ["RESTARTED", "SYNCED", "ADDED"]


async def test_a_topic_that_somebody_else_has_made_anew_is_told_anew(broker: Broker) -> None:
    """Streams of several namespaces share a topic: the first to start makes it again, and the others find it whole."""
    at = stage(broker.bootstrap, partitions=1)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x", "y"])
    await first.writer.close()
    await delete(broker.bootstrap, at.topic)
    await make(broker.bootstrap, at.topic, 1)

    second = await at.open()

    assert isinstance(second.start, Restart)
    assert (second.start.reason, second.start.message) == (RestartReason.REPARTITIONED, f"{at.topic} was deleted")
    await relisted(second, 2000, ["x", "y"], 200)
    await second.writer.close()
    assert types((await at.values())[0]) == ["RESTARTED", "LISTED", "LISTED", "SYNCED"]


async def test_a_topic_made_anew_without_any_object_begins_with_the_epoch(broker: Broker) -> None:
    """It has a change to tell, some day: no record may stand in the new topic before a `RESTARTED`."""
    at = stage(broker.bootstrap, partitions=1)
    first = await at.open()
    await snapshot(first.writer, 1000, [])
    await first.writer.close()
    await delete(broker.bootstrap, at.topic)
    await make(broker.bootstrap, at.topic, 1)

    second = await at.open()

    assert isinstance(second.start, Resume)
    await second.writer.write([change("x", 101, ChangeType.ADDED, fresh=True)])
    await second.writer.close()
    assert types((await at.values())[0]) == ["RESTARTED", "SYNCED", "ADDED"]


async def test_a_topic_made_anew_under_a_writer_gets_nothing_of_the_old_epoch(broker: Broker) -> None:
    """Its offsets begin anew: what finds that is never committed, so no consumer takes a change for all there is."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x", "y"])
    await delete(broker.bootstrap, at.topic)
    await make(broker.bootstrap, at.topic, 1)

    with pytest.raises(KafkaFault, match=f"{at.topic} was deleted and made anew under us"):
        await opened.writer.write([change("x", 101)])

    again = await at.open()
    assert isinstance(again.start, Restart)
    await relisted(again, 2000, ["x", "y"], 200)
    await again.writer.close()
    assert types((await at.values())[0]) == ["RESTARTED", "LISTED", "LISTED", "SYNCED"]


async def test_a_topic_made_anew_and_filled_is_known_by_its_id(broker: Broker) -> None:
    """Others have written more to it than there was before: offsets tell nothing."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x"])
    await delete(broker.bootstrap, at.topic)
    await make(broker.bootstrap, at.topic, 1)

    opened.writer._whereabouts._looked = float("-inf")
    with pytest.raises(Repartitioned, match=f"{at.topic} was deleted and made anew"):
        await opened.writer.write([change("x", 101)])

    await opened.writer.kill()
    assert await at.values() == {}


async def test_growth_while_running_is_noticed(broker: Broker) -> None:
    """Records go by the remembered count until then, so that no key is in two partitions."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x"])
    await grow(broker.bootstrap, at.topic, 3)
    await opened.writer.write([change("x", 101)])

    opened.writer._whereabouts._looked = float("-inf")
    with pytest.raises(Repartitioned, match=f"{at.topic} had 1 partitions, has 3"):
        await opened.writer.write([change("x", 102)])

    await opened.writer.kill()
    assert types((await at.values())[0]) == ["RESTARTED", "LISTED", "SYNCED", "MODIFIED"]


async def test_a_cluster_whose_uid_cannot_be_read_stays_known(broker: Broker) -> None:
    """Losing the permission must not make the next cluster behind the same address look like this one."""
    at = stage(broker.bootstrap)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x"])
    await first.writer.close()

    second = await Writer.open(at.config, at.spec, at.identity(uid=""))
    assert isinstance(second.start, Resume)
    await second.writer.write([change("x", 101)])
    await second.writer.close()
    third = await Writer.open(at.config, at.spec, at.identity(uid="cluster-2"))

    assert isinstance(third.start, Restart)
    assert third.start.reason is RestartReason.IDENTITY_CHANGED
    await third.writer.close()


async def test_an_index_that_has_lost_an_object_is_noticed(broker: Broker) -> None:
    """The checkpoint topic was deleted under a running bridge: of what the index lacks no delete would ever be told."""
    at = stage(broker.bootstrap, partitions=2)
    first = await at.open()
    await snapshot(first.writer, 1000, ["x", "y"])
    await first.writer.close()
    await _forget(at.config.checkpoint_topic, "pods/pods/a/x", broker.bootstrap, at.config.checkpoints.partitions)

    second = await at.open()
    await second.writer.close()

    lack = "the checkpoint knows 2 objects, the index holds 1"
    assert second.start == Restart(RestartReason.DESYNCHRONIZED, lack, Epoch(1000), first.writer.checkpoint.position)
    assert second.index == {"pods/a/y": "uid-y"}


async def _forget(topic: str, key: str, bootstrap: str, partitions: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        stream = key.partition("/")[0].encode()
        await producer.send_and_wait(topic, key=key.encode(), partition=partition_of(stream, partitions))
    finally:
        await producer.stop()
