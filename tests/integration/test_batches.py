"""Batches as we lay them out: on a real broker, in Java, which looks into them; read by librdkafka, in C."""

import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from bridge.sink.batch import FULL_RUN, Batches
from bridge.sink.compression import CODECS
from bridge.sink.producer import Producer
from bridge.sink.route import Target
from tests.integration.test_sink_producer import kafka, topics
from tests.servers.kafka import Broker
from tests.sink.reading import Pair
from tests.sink.stage import fresh

PAIRS: list[Pair] = [
    (b"pods/a/empty", b""),
    (b"pods/a/gone", None),
    *((b"pods/a/%d" % size, b"%d," % size * (size // 5)) for size in (5, 60, 130, 8180, 8200, 70_000, FULL_RUN // 2)),
    *((b"pods/b/%d" % number, b'{"number":%d}' % number) for number in range(9000)),
]
"""Every length of a length that there is, and more records than have short ones."""
PATIENCE = 60.0


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
@pytest.mark.parametrize("codec", list(CODECS))
async def test_what_is_written_is_what_other_clients_read(broker: Broker, codec: str, delivery: str) -> None:
    """Consumers are in Java, Go and C: a batch that only we can read would be there, and lost."""
    records, covers = await topics(broker.bootstrap)
    batches, cover = Batches({}), Batches({})
    for key, value in PAIRS:
        assert key is not None
        batches.add(Target(records, 1), key, value)
    cover.add(Target(covers, 0), b"stream", b"checkpoint")
    producer = await Producer.start(kafka(broker.bootstrap, compression=codec, delivery=delivery), fresh("producer"))

    await producer.publish(batches, cover, 1_764_000_000_123)
    await producer.kill()

    assert read(broker.bootstrap, records, 1, len(PAIRS)) == [(*pair, 1_764_000_000_123) for pair in PAIRS]
    assert read(broker.bootstrap, covers, 0, 1) == [(b"stream", b"checkpoint", 1_764_000_000_123)]


def read(bootstrap: str, topic: str, partition: int, count: int) -> list[tuple[bytes | None, bytes | None, int]]:
    """Key, value and time (ms) of the first *count* that are committed. librdkafka checks the checksums, if told to."""
    settings = {"group.id": "nobody", "enable.auto.commit": False, "check.crcs": True}
    consumer = Consumer({"bootstrap.servers": bootstrap, "isolation.level": "read_committed", **settings})
    consumer.assign([TopicPartition(topic, partition, 0)])
    found: list[tuple[bytes | None, bytes | None, int]] = []
    until = time.monotonic() + PATIENCE
    try:
        while len(found) < count and time.monotonic() < until:
            message = consumer.poll(1.0)
            if message is not None:
                assert message.error() is None, message.error()
                found.append((message.key(), message.value(), message.timestamp()[1]))
    finally:
        consumer.close()
    return found
