"""librdkafka, under most languages' clients and kcat, with either broker: people's consumers are rarely aiokafka.

Its calls block, and its threads live by the real clock; so these tests are no coroutines.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, ConsumerGroupState, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

from bridge.sandbox import Sandbox
from tests.sink.stage import fresh

PATIENCE = 60.0
"""Seconds for anything: a real broker on a busy machine."""


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.integration)])
def bootstrap(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sandbox":
        with Sandbox() as sandbox:
            yield sandbox.bootstrap
    else:
        yield request.getfixturevalue("real_broker").bootstrap


def make(bootstrap: str, topic: str, partitions: int = 1) -> AdminClient:
    """Replicas are left to the broker, as the class does if nothing is said."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for made in admin.create_topics([NewTopic(topic, partitions)], operation_timeout=PATIENCE).values():
        made.result(PATIENCE)
    return admin


def read(consumer: Consumer, count: int) -> list[Message]:
    found: list[Message] = []
    until = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < until, found
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            found.append(message)
    return found


def consumer_of(bootstrap: str, group: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )


def test_committed_transactions_are_read_and_aborted_ones_are_not(bootstrap: str) -> None:
    """In every compression that clients choose."""
    topic = fresh("rdkafka")
    make(bootstrap, topic)
    for compression in ("none", "gzip", "snappy", "lz4", "zstd"):
        settings = {"transactional.id": fresh("id"), "compression.type": compression}
        producer = Producer({"bootstrap.servers": bootstrap} | settings)
        producer.init_transactions(PATIENCE)
        for is_good in (False, True):
            producer.begin_transaction()
            producer.produce(topic, f"{compression}-{is_good}" * 20, b"key", headers={"h": b"v"})
            (producer.commit_transaction if is_good else producer.abort_transaction)(PATIENCE)
    consumer = consumer_of(bootstrap, fresh("group"))
    consumer.subscribe([topic])
    try:
        found = [(m.key(), m.value(), m.headers()) for m in read(consumer, 5)]
    finally:
        consumer.close()

    values = [(f"{word}-True" * 20).encode() for word in ("none", "gzip", "snappy", "lz4", "zstd")]
    assert found == [(b"key", value, [("h", b"v")]) for value in values]


def test_a_group_goes_on_where_it_was_and_is_administered(bootstrap: str) -> None:
    topic, group = fresh("rdkafka"), fresh("group")
    admin = make(bootstrap, topic, 2)
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    found = []
    for round_ in range(2):
        for number in range(2):
            producer.produce(topic, f"{round_}-{number}", partition=number)
        assert producer.flush(PATIENCE) == 0
        consumer = consumer_of(bootstrap, group)
        consumer.subscribe([topic])
        try:
            found.append(sorted(str(message.value()) for message in read(consumer, 2)))
            consumer.commit(asynchronous=False)
            state = admin.describe_consumer_groups([group])[group].result(PATIENCE).state
        finally:
            consumer.close()
    listed = [each.group_id for each in admin.list_consumer_groups().result(PATIENCE).valid]
    admin.delete_consumer_groups([group])[group].result(PATIENCE)
    left = [each.group_id for each in admin.list_consumer_groups().result(PATIENCE).valid]

    assert found == [["b'0-0'", "b'0-1'"], ["b'1-0'", "b'1-1'"]]
    assert state is ConsumerGroupState.STABLE
    assert (group in listed, group in left) == (True, False)


def test_topics_are_described_grown_and_deleted(bootstrap: str) -> None:
    topic = fresh("rdkafka")
    admin = make(bootstrap, topic)
    consumer = consumer_of(bootstrap, fresh("group"))
    try:
        marks = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=PATIENCE)
    finally:
        consumer.close()
    admin.create_partitions([NewPartitions(topic, 3)])[topic].result(PATIENCE)
    counts: set[int] = set()
    until = time.monotonic() + PATIENCE
    while 3 not in counts:
        assert time.monotonic() < until, counts
        counts.add(len(admin.list_topics(topic, timeout=PATIENCE).topics[topic].partitions))
    admin.delete_topics([topic])[topic].result(PATIENCE)

    assert marks == (0, 0)


@pytest.mark.skipif(shutil.which("kcat") is None, reason="KCAT MISSING: it is not on the path")
def test_kcat_writes_and_reads(bootstrap: str) -> None:
    topic = fresh("kcat")
    make(bootstrap, topic)

    def kcat(*words: str, said: str = "") -> str:
        command = ["kcat", "-b", bootstrap, *words, "-t", topic]
        return subprocess.run(command, input=said, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout

    kcat("-P", "-K:", said="a:1\nb:2\n")
    assert kcat("-C", "-e", "-q", "-o", "beginning", "-f", "%o %k %s\n") == "0 a 1\n1 b 2\n"
    assert f'topic "{topic}" with 1 partitions' in kcat("-L")
