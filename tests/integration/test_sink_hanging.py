"""Transactions whose end a broker has lost, on a real broker that lets a client make some.

They are made by sending records to a partition that the coordinator does not know of: it ends the transaction without
it, as it does when a partition has no leader just then. Brokers refuse such records unless told not to verify them.
"""

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from bridge.model.event import ChangeType
from bridge.sink.connection import KafkaFault, connected, faults
from bridge.sink.covers import target_of
from bridge.sink.hanging import Last, last_of
from bridge.sink.producer import LOST, Producer
from bridge.sink.route import Target
from tests.integration.test_sink_producer import batch, committed, kafka, topics
from tests.servers.kafka import Broker
from tests.sink.stage import change, fresh, listed, restarted, stage, synced

UNVERIFIED = {"transaction.partition.verification.enable": "false"}


@pytest.fixture(scope="module")
def lenient(servers: object) -> Iterator[Broker]:
    assert servers
    with Broker(UNVERIFIED) as broker:
        yield broker


def hide(producer: Producer, *targets: Target) -> None:
    """The coordinator will not hear of *targets*, so it cannot end a transaction there."""
    coordinator = producer._coordinator
    tell = coordinator.add

    async def add(known: Sequence[Target]) -> None:
        await tell([target for target in known if target not in targets])

    setattr(coordinator, "add", add)  # noqa: B010 - a method, for the type checker


async def test_a_commit_without_an_end_is_committed(lenient: Broker) -> None:
    """Readers of the other partitions have seen it, and the checkpoint covers it: to abort would lose it."""
    records, covers = await topics(lenient.bootstrap)
    name = fresh("producer")
    old = await Producer.start(kafka(lenient.bootstrap), name)
    hide(old, Target(records, 1))
    both = batch(records, b"seen")
    both.add(Target(records, 1), b"key", b"hanging")
    await old.publish(both, batch(covers, b"1"), 1)
    await old.kill()

    new = await Producer.start(kafka(lenient.bootstrap), name)
    await new.settle([Target(records, 0), Target(records, 1), Target(covers, 0)])

    assert await committed(lenient.bootstrap, records) == [b"seen", b"hanging"]
    await new.kill()


async def test_an_abort_without_an_end_is_aborted(lenient: Broker) -> None:
    """And it stays so when the successor commits there: it says the same records again."""
    records, covers = await topics(lenient.bootstrap)
    name = fresh("producer")
    await _die_in_a_transaction(lenient, name, records)

    new = await Producer.start(kafka(lenient.bootstrap), name)
    await new.settle([Target(records, 0), Target(records, 1)])
    await new.publish(batch(records, b"again", partition=1), batch(covers, b"1"), 1)

    assert await committed(lenient.bootstrap, records) == [b"again"]
    await new.kill()


async def test_unsettled_an_aborted_record_would_be_committed(lenient: Broker) -> None:
    """Why all this is needed: Kafka takes what hangs for part of the next transaction of the same id."""
    records, covers = await topics(lenient.bootstrap)
    name = fresh("producer")
    await _die_in_a_transaction(lenient, name, records)

    new = await Producer.start(kafka(lenient.bootstrap), name)
    await new.publish(batch(records, b"again", partition=1), batch(covers, b"1"), 1)

    assert await committed(lenient.bootstrap, records) == [b"open", b"again"]
    await new.kill()


async def _die_in_a_transaction(broker: Broker, name: str, records: str) -> None:
    """With a record in both partitions, of which the coordinator knows the first only."""
    old = await Producer.start(kafka(broker.bootstrap), name)
    hide(old, Target(records, 1))
    both = batch(records, b"open")
    both.add(Target(records, 1), b"key", b"open")
    await old._open(both.runs, 1)
    await old.kill()


async def test_where_nothing_hangs_settling_changes_nothing(broker: Broker) -> None:
    records, covers = await topics(broker.bootstrap)
    name = fresh("producer")
    for value in (b"1", b"2", b"3"):
        producer = await Producer.start(kafka(broker.bootstrap), name)
        await producer.settle([Target(covers, 0)])
        await producer.settle([Target(records, 0), Target(records, 1)])
        await producer.publish(batch(records, value), batch(covers, value), 1)
        await producer.kill()

    assert await committed(broker.bootstrap, records) == [b"1", b"2", b"3"]


async def test_a_stream_is_taken_over_though_its_checkpoint_hangs(lenient: Broker) -> None:
    """It could not be read: readers of committed records stand still before it, for ever."""
    at = stage(lenient.bootstrap, partitions=2)
    opened = await at.open()
    await opened.writer.write([restarted(1000), listed("a", 1), listed("b", 2), synced(1000, 100)])
    checkpoint = target_of(at.config.checkpoint_topic, at.config.checkpoints.partitions, at.spec.name)
    hide(opened.writer._producer, checkpoint, *(Target(at.topic, partition) for partition in (0, 1)))
    await opened.writer.write([change("a", 101), change("b", 102, ChangeType.DELETED), change("c", 103, fresh=True)])
    await opened.writer.kill()

    opened = await at.open()
    await opened.writer.close()

    assert opened.index == {"pods/a/a": "uid-a", "pods/a/c": "uid-c"}
    values = [value for told in (await at.values()).values() for value in told]
    told = sorted((value["resourceVersion"], value["type"]) for value in values if "object" in value)
    assert told == [("1", "LISTED"), ("101", "MODIFIED"), ("102", "DELETED"), ("103", "MODIFIED"), ("2", "LISTED")]


async def test_the_coordinator_tells_how_the_last_one_ended(broker: Broker) -> None:
    """As `was_committed` reads it: states and epochs are Kafka's, and only a real one can say how they go on."""
    records, covers = await topics(broker.bootstrap)
    name = fresh("producer")

    assert await _last(broker, name) is None
    first = await Producer.start(kafka(broker.bootstrap), name)
    assert (await _last_state(broker, name)).state == "Empty"
    await first.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    ended = await _last_state(broker, name)
    second = await Producer.start(kafka(broker.bootstrap), name)
    assert ended.was_committed(_epoch(second))
    await second._open(batch(records, b"open").runs, 1)
    ongoing = await _last_state(broker, name)
    third = await Producer.start(kafka(broker.bootstrap), name)
    assert (ongoing.state, ongoing.was_committed(_epoch(third))) == ("Ongoing", False)
    await third._open(batch(records, b"closed").runs, 1)
    ongoing = await _last_state(broker, name)
    await third._coordinator.end(committed=True)
    fourth = await Producer.start(kafka(broker.bootstrap), name)
    assert (ongoing.state, ongoing.was_committed(_epoch(fourth))) == ("Ongoing", True)
    for producer in (first, second, third, fourth):
        await producer.kill()


async def test_a_producer_that_has_lost_its_broker_is_over(new_broker: Callable[[], Broker]) -> None:
    """The broker is back, and everything seems well; but it may have lost the end of the last transaction (a third of
    the times), and readers wait for it. So also a stream that has nothing to say begins anew.
    """
    broker = new_broker()
    records, covers = await topics(broker.bootstrap)
    name = fresh("producer")
    producer = await Producer.start(kafka(broker.bootstrap), name)
    await producer.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    holding = asyncio.create_task(producer.hold())
    await asyncio.to_thread(broker.restart, kill=True)

    with pytest.raises(KafkaFault, match=re.escape(LOST)):
        await holding
    with pytest.raises(KafkaFault, match=re.escape(LOST)):
        await producer.publish(batch(records, b"2"), batch(covers, b"2"), 1)
    await producer.kill()
    successor = await Producer.start(kafka(broker.bootstrap), name)
    await successor.settle([Target(covers, 0), Target(records, 0), Target(records, 1)])

    assert await committed(broker.bootstrap, records) == [b"1"]
    await successor.kill()


async def test_without_transactions_a_restart_is_no_matter(new_broker: Callable[[], Broker]) -> None:
    """Starting over would only repeat what is on its way: the idempotent producer sends it again by itself."""
    broker = new_broker()
    records, covers = await topics(broker.bootstrap)
    producer = await Producer.start(kafka(broker.bootstrap, delivery="at-least-once"), fresh("producer"))
    await producer.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    await asyncio.to_thread(broker.restart, kill=True)

    await producer.publish(batch(records, b"2"), batch(covers, b"2"), 1)

    assert await committed(broker.bootstrap, records) == [b"1", b"2"]
    await producer.kill()


async def _last(broker: Broker, name: str) -> Last | None:
    config = kafka(broker.bootstrap)
    async with faults(config, "ask", 10), connected(config) as client:
        return await last_of(client, name)


async def _last_state(broker: Broker, name: str) -> Last:
    last = await _last(broker, name)
    assert last is not None
    return last


def _epoch(producer: Producer) -> int:
    return producer._coordinator.identity.epoch
