"""Records: written once, in order, as large as allowed; read from where the reader is, and no further than it may."""

import asyncio

import pytest
from aiokafka.protocol import fetch, produce

from bridge.sandbox.broker.codes import Code
from tests.contract.broker.brokers import ROLLED_SOON, Kafka
from tests.contract.broker.client import Client, batch, batches, connected, until, values
from tests.sink.stage import fresh


async def test_records_are_read_as_they_were_written(kafka: Kafka) -> None:
    topic = fresh("records")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, retention_ms="-1")
        first = await client.produce(topic, batch(b"a", b"b", keys=[b"k", None], time_ms=1000))
        second = await client.produce(topic, batch(None, keys=[b"k"], time_ms=1000))
        told = await client.fetch(topic, 0)
        later = await client.fetch(topic, 2)

    assert (first, second) == ((0, 0), (0, 2))
    found = [(r.offset, r.timestamp, r.key, r.value) for each in batches(told["message_set"]) for r in each]
    assert found == [(0, 1000, b"k", b"a"), (1, 1001, None, b"b"), (2, 1000, b"k", None)]
    ends = (told["highwater_offset"], told["last_stable_offset"], told["log_start_offset"])
    assert (ends, told["aborted_transactions"]) == ((3, 3, 0), None)
    assert values(later["message_set"]) == [None]


async def test_a_repeated_batch_is_acknowledged_and_not_written_again(kafka: Kafka) -> None:
    """A producer whose connection broke sends again what it has no answer to."""
    topic = fresh("twice")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(None)
        sent = [batch(b"x", b"y", who=who, sequence=2 * n) for n in range(7)]
        written = [await client.produce(topic, each) for each in sent]
        again = [await client.produce(topic, each) for each in sent]
        end = await client.offset(topic, -1)

    assert written == [(0, 2 * n) for n in range(7)]
    assert again == [(Code.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)] * 2 + [(0, 2 * n) for n in range(2, 7)]
    assert end == (0, -1, 14)


async def test_a_gap_in_the_sequence_is_refused(kafka: Kafka) -> None:
    """Else a lost batch would be noticed by nobody."""
    topic = fresh("gap")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 2)
        who = await client.begin(None)
        codes = [
            (await client.produce(topic, batch(b"x", who=who, sequence=number), partition=partition))[0]
            for partition, number in ((0, 0), (0, 2), (0, 1), (1, 0), (0, -1), (0, 2))
        ]
        other = (who[0], who[1] + 1)
        newer = [(await client.produce(topic, batch(b"x", who=other, sequence=n)))[0] for n in (3, 0, 1)]
        older = (await client.produce(topic, batch(b"x", who=who, sequence=3)))[0]

    assert codes == [0, Code.OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 0, Code.INVALID_RECORD, 0]
    assert newer == [Code.OUT_OF_ORDER_SEQUENCE_NUMBER, 0, 0]
    assert older == Code.INVALID_PRODUCER_EPOCH


async def test_the_sequence_begins_again_after_its_last_number(kafka: Kafka) -> None:
    topic = fresh("wrap")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(None)
        sent = [batch(b"x", b"y", who=who, sequence=n) for n in (2**31 - 3, 2**31 - 1, 1)]
        codes = [(await client.produce(topic, each))[0] for each in sent]

    assert codes == [0, 0, 0]


async def test_what_is_no_batch_or_too_large_is_refused(kafka: Kafka) -> None:
    topic, compacted = fresh("bad"), fresh("compacted")
    good = batch(b"x", b"y", keys=[b"k", b"k"])
    broken = good[:-1] + b"!"

    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, max_message_bytes="200")
        await client.make(compacted, cleanup_policy="compact")
        codes = [
            (await client.produce(topic, broken))[0],
            (await client.produce(topic, good + good))[0],
            (await client.produce(topic, batch(b"x" * 200)))[0],
            (await client.produce(topic, good, acks=7))[0],
            (await client.produce("nosuch", good))[0],
            (await client.produce(topic, good, partition=9))[0],
            (await client.produce(compacted, batch(b"x")))[0],
            (await client.produce(compacted, good))[0],
        ]
        end = await client.offset(topic, -1)

    assert codes == [
        Code.CORRUPT_MESSAGE,
        Code.INVALID_RECORD,
        Code.MESSAGE_TOO_LARGE,
        Code.INVALID_REQUIRED_ACKS,
        Code.UNKNOWN_TOPIC_OR_PARTITION,
        Code.UNKNOWN_TOPIC_OR_PARTITION,
        Code.INVALID_RECORD,
        Code.NONE,
    ]
    assert end == (0, -1, 0)


async def test_who_wants_no_answer_gets_none(kafka: Kafka) -> None:
    """The next answer would be taken for it, and every one after that for the one before."""
    topic = fresh("silent")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        await client.tell(produce.ProduceRequest_v7(None, 0, 1000, [(topic, [(0, batch(b"x"))])]))

        async def written() -> bool:
            return (await client.offset(topic, -1))[2] == 1

        await until(written)
        assert values((await client.fetch(topic, 0))["message_set"]) == [b"x"]


async def test_an_old_version_of_produce_is_no_request(kafka: Kafka) -> None:
    """Kafka 4 says that it takes it (KAFKA-18659, for librdkafka's sake), and closes the connection."""
    async with kafka() as broker, connected(broker.bootstrap) as client:
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.ask(produce.ProduceRequest_v2(1, 1000, []))


async def test_reading_waits_for_enough_or_for_its_time(kafka: Kafka) -> None:
    """Long polling: no reader asks in a loop, and none waits longer than it wants."""
    topic = fresh("wait")
    loop = asyncio.get_running_loop()
    async with kafka() as broker, connected(broker.bootstrap) as client, connected(broker.bootstrap) as other:
        await client.make(topic)
        begun = loop.time()
        nothing = await client.fetch(topic, 0, wait=1.0, at_least=1)
        waited = loop.time() - begun
        reading = asyncio.create_task(client.fetch(topic, 0, wait=30.0, at_least=1))
        await asyncio.sleep(0.1)
        await other.produce(topic, batch(b"x"))
        found = await reading
        much = asyncio.create_task(client.fetch(topic, 0, wait=30.0, at_least=200))
        await asyncio.sleep(0.1)
        await other.produce(topic, batch(b"y"))
        await other.produce(topic, batch(b"z" * 200))
        more = await much

    assert (nothing["message_set"], waited >= 1.0) == (b"", True)
    assert values(found["message_set"]) == [b"x"]
    assert values(more["message_set"]) == [b"x", b"y", b"z" * 200]
    assert loop.time() - begun < 25


async def test_what_does_not_fit_ends_the_answer(kafka: Kafka) -> None:
    """A later and smaller batch in its place would make the reader step over it: a record lost in silence."""
    topic = fresh("fit")
    small, large = batch(b"s"), batch(b"l" * 500)
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        for each in (small, large, small):
            await client.produce(topic, each)
        found = [
            values((await client.fetch(topic, offset, at_most=size))["message_set"])
            for offset, size in ((0, 2 * len(small)), (1, 10), (0, len(small) + len(large)), (0, 1 << 20))
        ]

    assert [[len(value or b"") for value in each] for each in found] == [[1], [500], [1, 500], [1, 500, 1]]


async def test_an_answer_is_bounded_over_all_partitions(kafka: Kafka) -> None:
    """And never empty though there is something, however large the first record."""
    topic = fresh("bounded")
    large = batch(b"l" * 500)
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 3)
        for partition in (1, 2):
            await client.produce(topic, large, partition=partition)
        parts = [(number, -1, 0, -1, 1 << 20) for number in range(3)]
        request = fetch.FetchRequest_v11(-1, 0, 1, 100, 0, 0, -1, [(topic, parts)], [], "")
        told = (await client.ask(request))["topics"][0]["partitions"]

    sizes = {each["partition"]: len(each["message_set"]) for each in told}
    assert sorted(sizes.values()) == [0, 0, len(large)]


async def test_readers_who_are_lost_are_told_at_once(kafka: Kafka) -> None:
    """Whatever they said about waiting."""
    topic = fresh("lost")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        told = [
            (await client.fetch(name, offset, wait=30, at_least=1, partition=partition))["error_code"]
            for name, offset, partition in ((topic, 1, 0), (topic, -5, 0), (topic, 0, 5), ("nosuch", 0, 0))
        ]

    unknown = Code.UNKNOWN_TOPIC_OR_PARTITION
    assert told == [Code.OFFSET_OUT_OF_RANGE, Code.OFFSET_OUT_OF_RANGE, unknown, unknown]


async def test_offsets_are_found_by_time(kafka: Kafka) -> None:
    """`--since` rests on it: the first record that is no older, wherever in a batch it is."""
    topic = fresh("time")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, retention_ms="-1")
        for time in (1000, 2000, 1500):
            await client.produce(topic, batch(b"x", b"y", b"z", time_ms=time))
        found = [await client.offset(topic, time) for time in (0, 1001, 1003, 1501, 2002, 2003, -1, -2)]
        wrong = (await client.offset("nosuch", -1), await client.offset(topic, -1, partition=9))

    assert found == [
        (0, 1000, 0),
        (0, 1001, 1),
        (0, 2000, 3),
        (0, 2000, 3),
        (0, 2002, 5),
        (0, -1, -1),
        (0, -1, 9),
        (0, -1, 0),
    ]
    assert wrong == ((3, -1, -1), (3, -1, -1))


async def test_compaction_keeps_the_last_of_each_key_where_it_was(kafka: Kafka) -> None:
    """Consumers of compacted topics meet holes, and batches of which a part is left."""
    topic = fresh("compact")

    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 1, **ROLLED_SOON)
        await _fill(client, topic)
        await broker.compact(topic)
        read = await client.read(topic)
        inside = values((await client.fetch(topic, 4, at_most=1))["message_set"])

    assert read == [(3, b"b", b"b2"), (5, b"c", None), (8, b"a", b"a3"), (9, b"last", b"last")]
    assert inside == [b"b2", None]


async def _fill(client: Client, topic: str) -> None:
    name = fresh("compactor")
    who = await client.begin(name)
    await client.produce(topic, batch(b"a1", b"b1", keys=[b"a", b"b"]))
    await client.produce(topic, batch(b"a2", b"b2", b"c1", None, keys=[b"a", b"b", b"c", b"c"]))
    assert await client.add(name, who, topic) == [0]
    await client.produce(topic, batch(b"gone", who=who, sequence=0, keys=[b"b"], transactional=True), name=name)
    assert await client.end(name, who, commit=False) == 0

    async def ended() -> bool:
        return (await client.offset(topic, -1, committed=1))[2] == 8

    await until(ended)
    await client.produce(topic, batch(b"a3", keys=[b"a"]))
