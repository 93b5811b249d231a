"""What aiokafka does not do for us: the rules of a transactional producer, on a real broker."""

import asyncio
import os
import time
from collections.abc import Callable

import pytest
from aiokafka.errors import InvalidProducerEpoch

from bridge.config.kafka import Kafka, Sasl
from bridge.config.secret import Secret
from bridge.config.units import Duration
from bridge.sink.batch import Batches
from bridge.sink.connection import KafkaFault, SettingFault
from bridge.sink.producer import WORN_OUT, Producer
from bridge.sink.route import Target
from tests.audit.topics import read_topic
from tests.servers.kafka import Broker
from tests.servers.ports import free_ports
from tests.sink.stage import fresh, make, sockets


def kafka(bootstrap: str, **options: object) -> Kafka:
    return Kafka(**{"bootstrap_servers": (bootstrap,), "transaction_timeout": Duration(10.0), **options})  # type: ignore[arg-type]


def batch(topic: str, *values: bytes, partition: int = 0) -> Batches:
    batches = Batches({})
    for value in values:
        batches.add(Target(topic, partition), b"key", value)
    return batches


async def topics(bootstrap: str, **config: str) -> tuple[str, str]:
    """One for records, with *config*, and one for covers. They keep what is old: the tests' records are of 1970."""
    records, covers = fresh("records"), fresh("covers")
    kept = {"retention.ms": "-1"}
    await make(bootstrap, records, 2, kept | {name.replace("_", "."): value for name, value in config.items()})
    await make(bootstrap, covers, 1, kept)
    return records, covers


async def committed(bootstrap: str, topic: str) -> list[bytes]:
    return [entry.value for entry in (await read_topic(bootstrap, topic)).entries]


async def quiet() -> set["asyncio.Task[object]"]:
    """All tasks, after what other clients have closed is closed."""
    await asyncio.sleep(0.2)
    return asyncio.all_tasks()


async def test_a_transaction_with_a_failed_batch_is_never_committed(broker: Broker) -> None:
    """aiokafka would commit it: the checkpoint would stand, and the record it covers be lost."""
    records, covers = await topics(broker.bootstrap, max_message_bytes="2000")
    name = fresh("producer")
    producer = await Producer.start(kafka(broker.bootstrap), name)

    with pytest.raises(KafkaFault, match=r"a batch exceeds the topic's max\.message\.bytes"):
        await producer.publish(batch(records, os.urandom(5000)), batch(covers, b"checkpoint"), 1)

    assert (await committed(broker.bootstrap, records), await committed(broker.bootstrap, covers)) == ([], [])
    successor = await Producer.start(kafka(broker.bootstrap), name)
    await successor.publish(batch(records, b"small"), batch(covers, b"checkpoint"), 1)
    await successor.kill()
    assert await committed(broker.bootstrap, records) == [b"small"]
    assert await committed(broker.bootstrap, covers) == [b"checkpoint"]


async def test_a_producer_is_dead_after_a_failure(broker: Broker) -> None:
    """Its sequence numbers are wrong for good: every later batch would be refused. A new one takes over."""
    records, covers = await topics(broker.bootstrap, max_message_bytes="2000")
    producer = await Producer.start(kafka(broker.bootstrap), fresh("producer"))

    with pytest.raises(KafkaFault):
        await producer.publish(batch(records, os.urandom(5000)), batch(covers, b"1"), 1)
    with pytest.raises(KafkaFault, match="is dead, a new one must take over"):
        await producer.publish(batch(records, b"fine"), batch(covers, b"2"), 1)

    assert await committed(broker.bootstrap, records) == []


async def test_a_zombie_can_commit_nothing(broker: Broker) -> None:
    """The new owner starts while the old one is in the middle of a transaction: that is aborted, and it is told."""
    records, covers = await topics(broker.bootstrap)
    name = fresh("producer")
    zombie = await Producer.start(kafka(broker.bootstrap), name)
    await zombie._open(batch(records, b"open").runs, 1)

    began = time.monotonic()
    owner = await Producer.start(kafka(broker.bootstrap), name)
    took = time.monotonic() - began
    await owner.publish(batch(records, b"owner's"), batch(covers, b"1"), 1)
    with pytest.raises(InvalidProducerEpoch):
        await zombie._send(batch(records, b"zombie's").runs, 1)
    await zombie.kill()

    assert took < 5
    assert await committed(broker.bootstrap, records) == [b"owner's"]
    await owner.kill()


async def test_a_fenced_producer_says_who_may_have_done_it(broker: Broker) -> None:
    records, covers = await topics(broker.bootstrap)
    name = fresh("producer")
    old = await Producer.start(kafka(broker.bootstrap), name)
    new = await Producer.start(kafka(broker.bootstrap), name)

    with pytest.raises(KafkaFault, match=r"another producer took over.*Two deployments with one `name`"):
        await old.publish(batch(records, b"1"), batch(covers, b"1"), 1)

    await new.kill()


async def test_with_the_broker_gone_publishing_ends_and_leaves_nothing(new_broker: Callable[[], Broker]) -> None:
    """aiokafka would wait for ever, in commit, abort, flush and stop alike."""
    broker = new_broker()
    records, covers = await topics(broker.bootstrap)
    tasks, open_sockets = await quiet(), sockets()
    producer = await Producer.start(kafka(broker.bootstrap, transaction_timeout=Duration(3.0)), fresh("producer"))
    await producer.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    await asyncio.to_thread(broker.kill)

    began = time.monotonic()
    with pytest.raises(KafkaFault, match=r"could not commit as|has cut our connection"):
        await producer.publish(batch(records, b"2"), batch(covers, b"2"), 1)

    assert time.monotonic() - began < 8
    assert (await quiet(), sockets()) == (tasks, open_sockets)


async def test_a_broker_that_hangs_is_given_up(new_broker: Callable[[], Broker]) -> None:
    """Its connections stay open and nobody answers: requests under way must not be waited for."""
    broker = new_broker()
    records, covers = await topics(broker.bootstrap)
    tasks, open_sockets = await quiet(), sockets()
    producer = await Producer.start(kafka(broker.bootstrap, transaction_timeout=Duration(2.0)), fresh("producer"))
    await producer.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    await asyncio.to_thread(broker.pause)

    began = time.monotonic()
    with pytest.raises(KafkaFault, match=r"could not commit as .* within 2 s"):
        await producer.publish(batch(records, *([os.urandom(500_000)] * 8)), batch(covers, b"2"), 1)

    assert time.monotonic() - began < 6
    assert (await quiet(), sockets()) == (tasks, open_sockets)


async def test_a_healthy_producer_is_killed_at_once(broker: Broker) -> None:
    """And whoever is cancelled while it publishes can still kill it."""
    records, covers = await topics(broker.bootstrap)
    tasks, open_sockets = await quiet(), sockets()
    producer = await Producer.start(kafka(broker.bootstrap), fresh("producer"))
    publishing = asyncio.create_task(producer.publish(batch(records, b"1"), batch(covers, b"1"), 1))
    await asyncio.sleep(0.001)

    began = time.monotonic()
    publishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await publishing
    await producer.kill()

    assert time.monotonic() - began < 1
    assert (await quiet(), sockets()) == (tasks, open_sockets)


async def test_starting_without_a_broker_names_the_address() -> None:
    tasks = await quiet()
    [port] = free_ports(1)

    with pytest.raises(KafkaFault, match=rf"no broker of kafka.bootstrapServers \(127.0.0.1:{port}\).*Connect") as told:
        await Producer.start(kafka(f"127.0.0.1:{port}"), "p")

    assert not isinstance(told.value, SettingFault)
    assert await quiet() == tasks


async def test_a_timeout_beyond_the_brokers_is_named(new_broker: Callable[..., Broker]) -> None:
    broker = new_broker({"transaction.max.timeout.ms": "5000"})

    with pytest.raises(SettingFault, match=r"kafka\.transactionTimeout 10s is too long.*transaction\.max\.timeout\.ms"):
        await Producer.start(kafka(broker.bootstrap), "p")


SASL = {
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:SASL_PLAINTEXT",
    "sasl.enabled.mechanisms": "PLAIN",
    "sasl.mechanism.inter.broker.protocol": "PLAIN",
    "listener.name.plaintext.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required"
    ' username="admin" password="right$pass" user_admin="right$pass";',
}


async def test_a_wrong_password_is_named_as_such(new_broker: Callable[..., Broker]) -> None:
    """aiokafka raises "unable to bootstrap" and tells the reason to its log only."""
    broker = new_broker(SASL)

    def login(password: str) -> Kafka:
        return kafka(broker.bootstrap, sasl=Sasl(mechanism="PLAIN", username="admin", password=Secret(password)))

    with pytest.raises(SettingFault, match=r"refused the login of admin \(kafka\.sasl\).*Invalid username or password"):
        await Producer.start(login("wrong"), "p")
    producer = await Producer.start(login("right$pass"), "p")
    await producer.kill()


async def test_at_least_once_publishes_without_transactions(broker: Broker) -> None:
    """For brokers and access rules that have none. Offsets without gaps: there are no transaction markers."""
    records, covers = await topics(broker.bootstrap)
    producer = await Producer.start(kafka(broker.bootstrap, delivery="at-least-once"), fresh("producer"))

    await producer.publish(batch(records, b"1"), batch(covers, b"c1"), 1)
    await producer.publish(batch(records, b"2"), batch(covers, b"c2"), 1)
    await producer.kill()

    entries = (await read_topic(broker.bootstrap, records)).entries
    assert [(entry.offset, entry.value) for entry in entries] == [(0, b"1"), (1, b"2")]
    assert await committed(broker.bootstrap, covers) == [b"c1", b"c2"]


async def test_at_least_once_commits_no_checkpoint_over_lost_records(broker: Broker) -> None:
    records, covers = await topics(broker.bootstrap, max_message_bytes="2000")
    producer = await Producer.start(kafka(broker.bootstrap, delivery="at-least-once"), fresh("producer"))

    with pytest.raises(KafkaFault):
        await producer.publish(batch(records, os.urandom(5000)), batch(covers, b"1"), 1)

    assert await committed(broker.bootstrap, covers) == []


async def test_records_for_a_partition_that_is_gone_are_refused(broker: Broker) -> None:
    records, covers = await topics(broker.bootstrap)
    producer = await Producer.start(kafka(broker.bootstrap), fresh("producer"))
    await producer.track([records])

    with pytest.raises(KafkaFault, match=f"topic {records} has 2 partitions, and records belong into partition 7"):
        await producer.publish(batch(records, b"1", partition=7), batch(covers, b"1"), 1)


async def test_a_producer_wears_out_before_its_sequence_numbers_turn_negative(broker: Broker) -> None:
    """At 2**31 records of a partition Kafka would refuse all that follow: 25 days at 1,000 a second."""
    records, covers = await topics(broker.bootstrap)
    producer = await Producer.start(kafka(broker.bootstrap), fresh("producer"))
    await producer.publish(batch(records, b"1"), batch(covers, b"1"), 1)
    assert not producer.worn_out

    producer._published = WORN_OUT - 1
    await producer.publish(batch(records, b"2"), batch(covers, b"2"), 1)

    assert producer.worn_out
    assert WORN_OUT < 2**31
    assert producer._delivery._sequences[Target(records, 0)] == 2
    await producer.kill()


async def test_many_batches_of_one_partition_keep_their_order(broker: Broker) -> None:
    """4 MB to one partition are eight batches; only one may be on its way at a time."""
    records, covers = await topics(broker.bootstrap)
    values = [os.urandom(300_000) for _ in range(14)]
    producer = await Producer.start(kafka(broker.bootstrap), fresh("producer"))

    await producer.publish(batch(records, *values), batch(covers, b"1"), 1)
    await producer.kill()

    assert await committed(broker.bootstrap, records) == values
