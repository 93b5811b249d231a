"""Reading what was committed, and the topic that holds it."""

import asyncio
import time

import pytest
from msgspec.structs import replace

from bridge.config.units import Duration
from bridge.model.checkpoint import Checkpoint, Phase
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.sink import checkpoints, covers, topics
from bridge.sink.batch import Batches, Run
from bridge.sink.checkpoints import Saved
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import Producer
from bridge.sink.route import Target
from tests.servers.kafka import Broker
from tests.sink.stage import Stage, make, stage

Entries = list[tuple[bytes, bytes | None]]


def checkpoint(at: Stage, version: str) -> Checkpoint:
    position = Position(Epoch(5), ResourceVersion(version), 1)
    return Checkpoint(Epoch(5), Phase.LIVE, position, at.identity(), {"t": 3})


async def commit(at: Stage, producer: Producer, entries: Entries) -> None:
    """To where the checkpoint and index of `pods` lie."""
    place = target(at)
    batches = Batches({})
    for key, value in entries:
        batches.add(place, key, value)
    await producer.publish(Batches({}), batches, 1)


def target(at: Stage) -> Target:
    return covers.target_of(at.config.checkpoint_topic, at.config.checkpoints.partitions, "pods")


async def test_the_newest_checkpoint_is_found_behind_another_streams_open_transaction(broker: Broker) -> None:
    """Streams share partitions, so the last stable offset is held by whoever is slow, or dead. Reading only up to it
    would take an old checkpoint for the newest, and repeat every record since.
    """  # fmt: skip
    at = stage(broker.bootstrap, transaction_timeout=Duration(3.0))
    await topics.ensure_checkpoints(at.config)
    mine = await Producer.start(at.config.kafka, f"{at.config.name}.pods")
    other = await Producer.start(at.config.kafka, f"{at.config.name}.other")
    await commit(at, mine, [(b"pods", covers.encode(checkpoint(at, "1"), 10))])
    await other._open(_run(at, b"other", b"open"), 1)
    await commit(at, mine, [(b"pods", covers.encode(checkpoint(at, "2"), 20)), (b"pods/pods/a/x", b"uid-x")])

    began = time.monotonic()
    saved = await checkpoints.read(at.config, "pods")
    took = time.monotonic() - began

    assert saved == Saved(checkpoint(at, "2"), {"pods/a/x": "uid-x"}, 20)
    assert took > 1, "the other transaction was open all the time: it had to be waited for"
    await mine.kill()
    await other.kill()


async def test_a_transaction_that_nobody_ends_is_named(broker: Broker) -> None:
    """Brokers can lose the end of one (KIP-664). To go on would commit its records with the next one's."""
    at = stage(broker.bootstrap, transaction_timeout=Duration(1.0))
    await topics.ensure_checkpoints(at.config)
    patient = replace(at.config.kafka, transaction_timeout=Duration(60.0))
    other = await Producer.start(patient, f"{at.config.name}.other")
    await other._open(_run(at, b"other", b"open"), 1)

    held = rf"holds {at.config.checkpoint_topic}, partition {target(at).partition}, at offset 0 of 1 .*find-hanging"
    with pytest.raises(KafkaFault, match=held):
        await checkpoints.read(at.config, "pods")

    await other.kill()


def _run(at: Stage, key: bytes, value: bytes) -> list[Run]:
    batches = Batches({})
    batches.add(target(at), key, value)
    return batches.runs


async def test_an_aborted_checkpoint_was_never_written(broker: Broker) -> None:
    """It is the last in the log, and the end of the log is an abort marker: reading ends there all the same."""
    at = stage(broker.bootstrap)
    await topics.ensure_checkpoints(at.config)
    mine = await Producer.start(at.config.kafka, f"{at.config.name}.pods")
    await commit(at, mine, [(b"pods", covers.encode(checkpoint(at, "1"), 10))])
    await mine._open(_run(at, b"pods", covers.encode(checkpoint(at, "2"), 20)), 1)
    await mine.kill()
    successor = await Producer.start(at.config.kafka, f"{at.config.name}.pods")

    saved = await checkpoints.read(at.config, "pods")

    assert saved == Saved(checkpoint(at, "1"), {}, 10)
    await successor.kill()


async def test_the_index_holds_what_lives(broker: Broker) -> None:
    """The latest word on each key counts, and a stream's keys are not those of another whose name begins the same."""
    at = stage(broker.bootstrap, checkpoint_partitions=1)
    await topics.ensure_checkpoints(at.config)
    producer = await Producer.start(at.config.kafka, f"{at.config.name}.pods")
    entries: Entries = [
        (b"pods/pods/a/x", b"1"),
        (b"pods/pods/a/x", b"2"),
        (b"pods/pods/a/gone", b"3"),
        (b"pods/pods/a/gone", None),
        (b"pods.team-a/pods/a/other", b"4"),
        (b"pods.team-a", covers.encode(checkpoint(at, "9"), 90)),
    ]
    await commit(at, producer, entries)

    assert await checkpoints.read(at.config, "pods") == Saved(None, {"pods/a/x": "2"}, 0)
    assert await checkpoints.read(at.config, "pods.team-a") == Saved(checkpoint(at, "9"), {"pods/a/other": "4"}, 90)
    await producer.kill()


async def test_without_the_topic_nothing_was_saved_and_nothing_is_made(broker: Broker) -> None:
    """`check` reads too, and must change nothing."""
    at = stage(broker.bootstrap)

    assert await checkpoints.read(at.config, "pods") == Saved(None, {}, 0)
    assert await topics.describe(at.config, [at.config.checkpoint_topic]) == {}


@pytest.mark.parametrize(
    ("key", "value", "what"),
    [
        (b"pods", b'{"format":2}', "has format 2, this event-bridge reads up to 1: a newer one wrote it"),
        (b"pods", b"garbage", "is no checkpoint"),
        (b"pods/pods/a/x", b"\xff", "is no index entry"),
    ],
)
async def test_what_cannot_be_read_is_named_by_its_place(broker: Broker, key: bytes, value: bytes, what: str) -> None:
    """To skip it would lose or repeat records in silence; to repair it one must find it."""
    at = stage(broker.bootstrap)
    await topics.ensure_checkpoints(at.config)
    producer = await Producer.start(at.config.kafka, f"{at.config.name}.pods")
    await commit(at, producer, [(key, value)])

    place = (
        rf"the record in {at.config.checkpoint_topic}, partition {target(at).partition}, offset 0, key {key.decode()} "
    )
    with pytest.raises(KafkaFault, match=place + what):
        await checkpoints.read(at.config, "pods")

    await producer.kill()


async def test_a_checkpoint_topic_of_another_size_is_refused(broker: Broker) -> None:
    """By the configured size, streams would look for their checkpoints in partitions where they are not."""
    at = stage(broker.bootstrap)
    await make(broker.bootstrap, at.config.checkpoint_topic, 5, {"cleanup.policy": "compact"})

    with pytest.raises(SettingFault, match=r"has 5 partitions, checkpoints\.partitions is 2\. Set it to 5"):
        await topics.ensure_checkpoints(at.config)


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_checkpoint_topic_that_forgets_is_refused(broker: Broker, policy: str) -> None:
    """After its retention Kafka would delete the checkpoint of a stream that had nothing to say for a week."""
    at = stage(broker.bootstrap)
    await make(broker.bootstrap, at.config.checkpoint_topic, 2, {"cleanup.policy": policy})

    with pytest.raises(SettingFault, match=rf"has cleanup\.policy={policy}.*--add-config cleanup\.policy=compact"):
        await topics.ensure_checkpoints(at.config)


async def test_streams_that_start_together_make_one_topic(broker: Broker) -> None:
    at = stage(broker.bootstrap)

    made = await asyncio.gather(*(topics.ensure_checkpoints(at.config) for _ in range(5)))

    assert {(topic.partitions, topic.cleanup) for topic in made} == {(2, "compact")}


async def test_reading_without_a_broker_names_the_address(broker: Broker) -> None:
    at = stage(broker.bootstrap)
    nowhere = replace(at.config, kafka=replace(at.config.kafka, bootstrap_servers=("127.0.0.1:1",)))

    with pytest.raises(KafkaFault, match=r"no broker of kafka\.bootstrapServers \(127\.0\.0\.1:1\)"):
        await checkpoints.read(nowhere, "pods")
