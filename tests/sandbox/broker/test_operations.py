"""What can be done to the sandbox's broker that no client can do: the ways in which it goes wrong on order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.protocol import admin, metadata

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.server import Broker, Options
from tests.contract.broker.client import Client, batch, batches, connected, until, values
from tests.contract.broker.test_groups import UNKNOWN, Member
from tests.contract.broker.test_transactions import FENCED, stable, state, write


@asynccontextmanager
async def running(options: Options | None = None) -> AsyncIterator[tuple[Broker, Client]]:
    """With a topic "t" of two partitions."""
    async with Broker(options=options or Options()) as broker, connected(broker.bootstrap) as client:
        broker.create("t", 2)
        yield broker, client


async def test_a_partition_without_a_leader_is_known_and_of_no_use() -> None:
    async with running() as (broker, client):
        broker.unlead("t", 1)
        (topic,) = (await client.ask(metadata.MetadataRequest_v5(["t"], False)))["topics"]
        codes = [
            (await client.produce("t", batch(b"x"), partition=1))[0],
            (await client.fetch("t", 0, partition=1, wait=30, at_least=1))["error_code"],
            (await client.offset("t", -1, partition=1))[0],
            (await client.produce("t", batch(b"x"), partition=0))[0],
        ]
        broker.lead("t", 1)
        again = await client.produce("t", batch(b"x"), partition=1)

    leaders = [(part["partition"], part["error_code"], part["leader"]) for part in topic["partitions"]]
    assert leaders == [(0, 0, 1), (1, Code.LEADER_NOT_AVAILABLE, -1)]
    assert codes == [Code.NOT_LEADER_OR_FOLLOWER] * 3 + [0]
    assert again == (0, 0)


async def test_a_transaction_cannot_complete_without_its_leaders() -> None:
    """It is decided, and marked where that can be; who asks is told to wait. So a bridge's next start waits."""
    async with running() as (broker, client):
        who = await client.begin("id")
        assert await client.add("id", who, "t", 0, 1) == [0, 0]
        assert [await write(client, "id", who, "t", b"x", partition=n) for n in (0, 1)] == [0, 0]
        broker.unlead("t", 1)
        ended = await client.end("id", who, commit=True)
        waiting = await client.try_begin("id")
        early = await write(client, "id", who, "t", b"y", 1)
        broker.lead("t", 1)
        after = await state(client, "id")
        marked = [(await client.offset("t", -1, committed=1, partition=n))[2] for n in (0, 1)]
        successor = await client.begin("id")

    assert (ended, waiting[0], early) == (0, Code.CONCURRENT_TRANSACTIONS, Code.NOT_ENOUGH_REPLICAS)
    assert (after["transaction_state"], marked) == ("CompleteCommit", [2, 2])
    assert successor == (who[0], who[1] + 1)


async def test_a_topic_that_is_deleted_holds_no_transaction_back() -> None:
    """Else its producer could never begin again."""
    async with running() as (broker, client):
        who = await client.begin("id")
        assert await client.add("id", who, "t", 0, 1) == [0, 0]
        broker.unlead("t", 1)
        assert await client.end("id", who, commit=True) == 0
        waiting = await client.try_begin("id")
        assert (await client.ask(admin.DeleteTopicsRequest_v3(["t"], 1000)))["topic_error_codes"][0]["error_code"] == 0
        successor = await client.try_begin("id")

    assert waiting[0] == Code.CONCURRENT_TRANSACTIONS
    assert successor == (0, who[0], who[1] + 1)


async def test_ordered_errors_are_answered_and_nothing_is_done() -> None:
    async with running() as (broker, client):
        broker.refuse("Produce", Code.MESSAGE_TOO_LARGE, times=2)
        broker.refuse("Metadata", Code.LEADER_NOT_AVAILABLE)
        told = await client.ask(metadata.MetadataRequest_v5(["t"], False))
        answers = [await client.produce("t", batch(b"x")) for _ in range(3)]

    assert answers == [(Code.MESSAGE_TOO_LARGE, -1)] * 2 + [(0, 0)]
    assert [topic["error_code"] for topic in told["topics"]] == [Code.LEADER_NOT_AVAILABLE]
    assert len(told["brokers"]) == 1


async def test_a_lost_answer_does_not_double_a_record() -> None:
    """The producer cannot know, and sends again: that is what sequence numbers are for."""
    async with running() as (broker, client):
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
        await producer.start()
        try:
            broker.lose("Produce")
            await producer.send_and_wait("t", b"once", partition=0)
        finally:
            await producer.stop()
        found = values((await client.fetch("t", 0))["message_set"])

    assert found == [b"once"]


async def test_unknown_apis_cannot_be_ordered_to_fail() -> None:
    """A slip of the pen in a test would make it test nothing."""
    with pytest.raises(AssertionError, match="Podruce is none of AddOffsetsToTxn"):
        Broker().refuse("Podruce", 1)


async def test_answers_take_as_long_as_ordered() -> None:
    loop = asyncio.get_running_loop()
    async with running() as (broker, client):
        begun = loop.time()
        await client.offset("t", -1)
        at_once = loop.time() - begun
        broker.delay(2.0)
        await client.offset("t", -1)

    assert at_once == 0
    assert loop.time() - begun == pytest.approx(2.0, abs=0.01)


async def test_down_nobody_can_connect_and_up_all_is_there() -> None:
    async with running() as (broker, client):
        await client.produce("t", batch(b"x"))
        port = broker.bootstrap
        reading = asyncio.create_task(client.fetch("t", 1, wait=30, at_least=1))
        await asyncio.sleep(0.1)
        await broker.stop()
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reading
        with pytest.raises(OSError, match="Connect call failed"):
            async with connected(port):
                pass
        await broker.start()
        async with connected(broker.bootstrap) as other:
            found = values((await other.fetch("t", 0))["message_set"])

    assert (found, broker.bootstrap) == ([b"x"], port)


async def test_nobody_is_thrown_out_while_the_broker_is_down() -> None:
    """As with a real one: who cannot be heard has a whole session again, and so has a transaction."""
    async with running() as (broker, client):
        one = Member(client, "group")
        await one.join()
        await one.sync({one.name: b"all"})
        who = await client.begin("id", 5)
        assert await client.add("id", who, "t") == [0]
        assert await write(client, "id", who, "t", b"x") == 0
        await broker.stop()
        await asyncio.sleep(60)
        await broker.start()
        async with connected(broker.bootstrap) as again:
            one.client = again
            codes = [await one.heartbeat(), await write(again, "id", who, "t", b"y", 1)]
            await asyncio.sleep(60)
            late = [await one.heartbeat(), await write(again, "id", who, "t", b"z", 2)]

    assert (codes, late) == ([0, 0], [UNKNOWN, FENCED])


async def test_transactions_time_out_at_the_next_sweep() -> None:
    """Not before: a test that counts on it sooner would fail on a real broker."""
    loop = asyncio.get_running_loop()
    async with running(Options(sweep=10.0)) as (_, client):
        who = await client.begin("id", 3)
        assert await client.add("id", who, "t") == [0]
        assert await write(client, "id", who, "t", b"x") == 0
        await stable(client, "t", 2)

    assert loop.time() == pytest.approx(10.0, abs=0.2)


async def test_old_records_are_dropped_when_there_are_too_many() -> None:
    """A demo that runs for days must not fill the memory."""
    large = batch(b"x" * 1000)
    async with running(Options(retention=5 * len(large))) as (_, client):
        for _ in range(20):
            await client.produce("t", large)
        ends = [(await client.offset("t", moment))[2] for moment in (-2, -1)]
        lost = (await client.fetch("t", 3))["error_code"]
        found = values((await client.fetch("t", 15))["message_set"])

    assert (ends, lost, len(found)) == ([15, 20], Code.OFFSET_OUT_OF_RANGE, 5)


async def test_topics_are_made_by_asking_where_that_is_wished() -> None:
    async with running(Options(auto_create=True, partitions=3)) as (_, client):
        told = [
            [(topic["error_code"], len(topic["partitions"])) for topic in (await client.ask(request))["topics"]]
            for request in (
                metadata.MetadataRequest_v5(["new"], False),
                metadata.MetadataRequest_v5(["new", "bad name"], True),
                metadata.MetadataRequest_v1(["other"]),
                metadata.MetadataRequest_v5(["new"], False),
            )
        ]

    assert told == [[(3, 0)], [(0, 3), (17, 0)], [(0, 3)], [(0, 3)]]


@pytest.mark.parametrize("compression", [None, "gzip", "zstd"])
async def test_compaction_works_in_compressed_batches_and_drops_tombstones_on_order(compression: str | None) -> None:
    async with running() as (broker, client):
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, compression_type=compression, linger_ms=50)
        await producer.start()
        try:
            for value in (b"1", b"2", None):
                sent = [await producer.send("t", v, key=k, partition=0) for k, v in ((b"a", value), (b"b", b"9" * 500))]
                await asyncio.gather(*sent)
        finally:
            await producer.stop()
        broker.compact("t")
        kept = await client.read("t")
        broker.compact("t", tombstones=False)
        found = batches((await client.fetch("t", 0))["message_set"])
        end = (await client.offset("t", -1))[2]

    assert kept == [(4, b"a", None), (5, b"b", b"9" * 500)]
    assert [(record.offset, record.key) for each in found for record in each] == [(5, b"b")]
    assert (found[-1].next_offset, end) == (6, 6)


async def test_the_end_can_be_reached_though_its_records_are_gone() -> None:
    """Readers go on until the end: an empty batch takes them there."""
    async with running() as (broker, client):
        await client.produce("t", batch(b"x", None, keys=[b"a", b"a"]))
        broker.compact("t", tombstones=False)
        (empty,) = batches((await client.fetch("t", 0))["message_set"])

    assert (empty.next_offset, list(empty)) == (2, [])


async def test_what_is_open_is_not_compacted() -> None:
    async with running() as (broker, client):
        who = await client.begin("id")
        await client.produce("t", batch(b"1", b"2", keys=[b"k", b"k"]))
        assert await client.add("id", who, "t") == [0]
        assert await write(client, "id", who, "t", b"3") == 0
        await client.produce("t", batch(b"4", keys=[b"k"]))
        broker.compact("t")
        read = await client.read("t")

    assert read == [(1, b"k", b"2"), (2, b"k", b"3"), (3, b"k", b"4")]


async def test_a_new_group_waits_for_more_members_where_that_is_wished() -> None:
    """Kafka does, by default: one rebalance for all that start together."""
    loop = asyncio.get_running_loop()
    async with running(Options(rebalance_delay=3.0)) as (broker, client), connected(broker.bootstrap) as other:
        begun = loop.time()
        one, two = Member(client, "group"), Member(other, "group")
        places = await asyncio.gather(one.join(), two.join())

    assert [place.generation for place in places] == [1, 1]
    assert loop.time() - begun == pytest.approx(3.0, abs=0.1)


async def test_waiting_for_a_transaction_that_hangs_never_ends() -> None:
    """What a real broker does where nothing verifies: the bridge's `settle` is for this."""
    async with running(Options(verify=False)) as (_, client):
        who = await client.begin("id", 2)
        assert await client.add("id", who, "t", 0) == [0]
        assert [await write(client, "id", who, "t", b"x", partition=n) for n in (0, 1)] == [0, 0]
        assert await client.end("id", who, commit=True) == 0
        await asyncio.sleep(3600)
        ends = [(await client.offset("t", -1, committed=1, partition=n))[2] for n in (0, 1)]

        async def decided_by_the_next() -> bool:
            successor = await client.begin("id")
            assert await client.add("id", successor, "t", 1) == [0]
            assert await client.end("id", successor, commit=False) == 0
            return (await client.offset("t", -1, committed=1, partition=1))[2] == 2

        await until(decided_by_the_next)

    assert ends == [2, 0]
