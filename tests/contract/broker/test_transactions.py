"""Transactions: who may write under an id, what readers see of it, and when. The bridge's promise stands on these."""

import asyncio

from aiokafka.protocol import commit, transaction

from bridge.sandbox.broker.apis import Fields
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.structs import DescribeTransactionsRequest, ListTransactionsRequest
from tests.contract.broker.brokers import Kafka
from tests.contract.broker.client import LOADING, Client, batch, batches, connected, until, values
from tests.sink.stage import fresh

Who = tuple[int, int]
FENCED = Code.INVALID_PRODUCER_EPOCH
INVALID = Code.INVALID_TXN_STATE


async def write(
    client: Client, name: str, who: Who, topic: str, value: bytes, sequence: int = 0, partition: int = 0
) -> int:
    """Its error."""
    data = batch(value, keys=[b"k"], who=who, sequence=sequence, transactional=True)
    return (await client.produce(topic, data, name=name, partition=partition))[0]


async def stable(client: Client, topic: str, offset: int, partition: int = 0) -> None:
    """Returns when readers of committed records may read up to there: marks come after answers."""

    async def reached() -> bool:
        return (await client.offset(topic, -1, committed=1, partition=partition))[2] >= offset

    await until(reached)


async def state(client: Client, name: str) -> Fields:
    """When it is none of those that pass by themselves."""
    while True:
        (told,) = (await client.ask(DescribeTransactionsRequest([name], {})))["transaction_states"]
        if not told["transaction_state"].startswith("Prepare") and told["error_code"] not in (14, 15, 16):
            return {key: value for key, value in told.items() if key not in ("tags", "transactional_id")}
        await asyncio.sleep(0.05)


async def test_readers_of_committed_records_see_none_before_the_end(kafka: Kafka) -> None:
    """Nor what others have written behind: order is kept."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(name)
        await client.produce(topic, batch(b"before"))
        assert await client.add(name, who, topic) == [0]
        assert await write(client, name, who, topic, b"inside") == 0
        await client.produce(topic, batch(b"behind"))
        seen = await client.fetch(topic, 0, committed=1)
        ends = [await client.offset(topic, -1, committed=1), await client.offset(topic, -1)]
        everything = values((await client.fetch(topic, 0))["message_set"])
        assert await client.end(name, who, commit=True) == 0
        await stable(client, topic, 4)
        after = await client.fetch(topic, 0, committed=1)

    assert values(seen["message_set"]) == [b"before"]
    assert (seen["last_stable_offset"], seen["highwater_offset"]) == (1, 3)
    assert ends == [(0, -1, 1), (0, -1, 3)]
    assert everything == [b"before", b"inside", b"behind"]
    assert values(after["message_set"]) == [b"before", b"inside", b"behind"]
    assert (after["aborted_transactions"], after["last_stable_offset"]) == ([], 4)


async def test_what_was_aborted_is_told_to_those_who_read_it(kafka: Kafka) -> None:
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(name)
        for round_, is_good in enumerate((False, True, False)):
            assert await client.add(name, who, topic) == [0]
            assert await write(client, name, who, topic, b"%d" % round_, round_) == 0
            assert await client.end(name, who, commit=is_good) == 0
        await stable(client, topic, 6)
        told = [(await client.fetch(topic, n, committed=1))["aborted_transactions"] for n in range(7)]
        uncommitted = (await client.fetch(topic, 0))["aborted_transactions"]

    first, last = ({"producer_id": who[0], "first_offset": offset} for offset in (0, 4))
    assert told == [[first, last], [first, last], [last], [last], [last], [last], []]
    assert uncommitted is None


async def test_the_end_is_a_control_record(kafka: Kafka) -> None:
    """Clients take it for the end by its shape, and refuse it if its CRC is wrong (each batch's is checked here)."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(name)
        for number, is_good in enumerate((True, False)):
            assert await client.add(name, who, topic) == [0]
            assert await write(client, name, who, topic, b"x", number) == 0
            assert await client.end(name, who, commit=is_good) == 0
        await stable(client, topic, 4)
        marks = [each for each in batches((await client.fetch(topic, 0))["message_set"]) if each.is_control_batch]

    told = [(each.base_offset, each.is_transactional, each.producer_id, each.producer_epoch) for each in marks]
    assert told == [(1, True, *who), (3, True, *who)]
    records = [(record.offset, record.key, record.value) for each in marks for record in each]
    assert records == [(1, b"\0\0\0\1", bytes(6)), (3, b"\0\0\0\0", bytes(6))]


async def test_a_new_producer_fences_the_old_and_aborts_what_it_left(kafka: Kafka) -> None:
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 2)
        old = await client.begin(name)
        assert await client.add(name, old, topic) == [0]
        assert await write(client, name, old, topic, b"left") == 0
        first = await client.try_begin(name)
        new = await client.begin(name)
        codes = [
            await write(client, name, old, topic, b"zombie", 1),
            await write(client, name, old, topic, b"zombie", 0, partition=1),
            *await client.add(name, old, topic, 0),
            await client.end(name, old, commit=True),
        ]
        assert await client.add(name, new, topic) == [0]
        assert await write(client, name, new, topic, b"new") == 0
        assert await client.end(name, new, commit=True) == 0
        await stable(client, topic, 4)
        told = await client.fetch(topic, 0, committed=1)

    assert first == (Code.CONCURRENT_TRANSACTIONS, -1, -1)
    assert new == (old[0], old[1] + 2)
    assert codes == [FENCED] * 4
    assert values(told["message_set"]) == [b"left", b"new"]
    assert told["aborted_transactions"] == [{"producer_id": old[0], "first_offset": 0}]


async def test_what_ended_well_costs_a_successor_one_epoch(kafka: Kafka) -> None:
    """By that the bridge knows whether the last transaction was cut short."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        first = await client.begin(name)
        second = await client.begin(name)
        assert await client.add(name, second, topic) == [0]
        assert await client.end(name, second, commit=True) == 0
        third = await client.begin(name)

    assert (second, third) == ((first[0], first[1] + 1), (first[0], first[1] + 2))


async def test_an_end_that_is_told_again_is_answered_again(kafka: Kafka) -> None:
    """A producer whose connection broke does so. The other end, or one of nothing, is a mistake."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(name)
        codes = [await client.end(name, who, commit=True)]
        for is_good in (True, False):
            assert await client.add(name, who, topic) == [0]
            codes += [await client.end(name, who, commit=each) for each in (is_good, is_good, not is_good)]
        stranger = await client.end(name, (who[0] + 77, 0), commit=True)
        unknown = await client.end(fresh("unknown"), who, commit=True)

    assert codes == [INVALID, 0, 0, INVALID, 0, 0, INVALID]
    assert (stranger, unknown) == (Code.INVALID_PRODUCER_ID_MAPPING,) * 2


async def test_only_partitions_that_were_added_are_written_to(kafka: Kafka) -> None:
    """Else a record would be in no transaction, and hang."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 2)
        who = await client.begin(name)
        before = await write(client, name, who, topic, b"x")
        unknown = await client.add(name, who, topic, 0, 9)
        still = await write(client, name, who, topic, b"x")
        assert await client.add(name, who, topic, 0) == [0]
        codes = [await write(client, name, who, topic, b"x", partition=n) for n in (0, 1)]
        foreign = await write(client, fresh("foreign"), who, topic, b"x", 1, partition=1)
        assert await client.end(name, who, commit=True) == 0
        await state(client, name)
        after = await write(client, name, who, topic, b"x", 1)

    assert (before, still, codes, after) == (INVALID, INVALID, [0, INVALID], INVALID)
    assert unknown == [Code.OPERATION_NOT_ATTEMPTED, Code.UNKNOWN_TOPIC_OR_PARTITION]
    assert foreign == Code.INVALID_PRODUCER_ID_MAPPING


async def test_wrong_beginnings_are_refused(kafka: Kafka) -> None:
    async with kafka() as broker, connected(broker.bootstrap) as client:
        told = [await client.try_begin(fresh("id"), lasts) for lasts in (0, 901)]
        nameless = await client.try_begin("")
        free = [await client.try_begin(None) for _ in range(2)]

    assert told == [(Code.INVALID_TRANSACTION_TIMEOUT, -1, -1)] * 2
    assert nameless == (Code.INVALID_REQUEST, -1, -1)
    assert [(code, epoch) for code, _, epoch in free] == [(0, 0), (0, 0)]
    assert free[0][1] != free[1][1]


async def test_a_transaction_that_takes_too_long_is_aborted(kafka: Kafka) -> None:
    """So a dead producer holds readers back for a time only. If it lives, it is fenced."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        who = await client.begin(name, 1.0)
        assert await client.add(name, who, topic) == [0]
        assert await write(client, name, who, topic, b"late") == 0
        begun = (await client.offset(topic, -1, committed=1))[2]
        await stable(client, topic, 2)
        told = await client.fetch(topic, 0, committed=1)
        found = await state(client, name)
        codes = [await client.end(name, who, commit=True), await write(client, name, who, topic, b"x", 1)]
        successor = await client.begin(name)

    assert begun == 0
    assert told["aborted_transactions"] == [{"producer_id": who[0], "first_offset": 0}]
    assert (found["transaction_state"], found["producer_epoch"]) == ("CompleteAbort", who[1] + 1)
    assert codes == [FENCED, FENCED]
    assert successor == (who[0], who[1] + 2)


async def test_the_last_transaction_is_described(kafka: Kafka) -> None:
    """The bridge asks so what became of its predecessor's."""
    topic, name = fresh("txn"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 2)
        await client.coordinator(name, 1)
        unknown = await state(client, name)
        who = await client.begin(name, 30)
        told = [await state(client, name)]
        for is_good in (True, False):
            assert await client.add(name, who, topic, 0, 1) == [0, 0]
            told.append(await state(client, name))
            assert await client.end(name, who, commit=is_good) == 0
            told.append(await state(client, name))

    assert (unknown["error_code"], unknown["transaction_state"]) == (Code.TRANSACTIONAL_ID_NOT_FOUND, "")
    states = [each["transaction_state"] for each in told]
    assert states == ["Empty", "Ongoing", "CompleteCommit", "Ongoing", "CompleteAbort"]
    assert {(each["producer_id"], each["producer_epoch"]) for each in told} == {who}
    assert {each["transaction_timeout_ms"] for each in told} == {30_000}
    topics = [[(each["topic"], sorted(each["partitions"])) for each in one["topics"]] for one in told]
    assert topics == [[], [(topic, [0, 1])], [], [(topic, [0, 1])], []]
    assert [each["transaction_start_time_ms"] > 0 for each in told] == [False, True, True, True, True]


async def test_transactions_are_listed_by_state_and_producer(kafka: Kafka) -> None:
    """Operators look so for those that hang."""
    topic, name, idle = fresh("txn"), fresh("id"), fresh("id")
    async with kafka() as broker, connected(broker.bootstrap) as client:

        async def listed(states: list[str], producers: list[int]) -> list[Fields]:
            told = await client.ask(ListTransactionsRequest(states, producers, {}))
            assert (told["error_code"], told["unknown_state_filters"]) == (0, [s for s in states if s == "Odd"])
            return [
                {key: value for key, value in each.items() if key != "tags"}
                for each in told["transaction_states"]
                if each["transactional_id"] in (name, idle)
            ]

        await client.make(topic)
        who, other = await client.begin(name), await client.begin(idle)
        assert await client.add(name, who, topic) == [0]
        found = [
            await listed([], [who[0], other[0]]),
            await listed(["Ongoing"], []),
            await listed(["Empty", "Odd"], [other[0]]),
            await listed(["Ongoing"], [other[0]]),
        ]
        assert await client.end(name, who, commit=False) == 0

    ongoing = {"transactional_id": name, "producer_id": who[0], "transaction_state": "Ongoing"}
    empty = {"transactional_id": idle, "producer_id": other[0], "transaction_state": "Empty"}
    found[0].sort(key=lambda each: str(each["transaction_state"]))
    assert found == [[empty, ongoing], [ongoing], [empty], []]


async def test_offsets_are_committed_with_the_transaction(kafka: Kafka) -> None:
    """Read, process, write: the group's offsets move only if the records are there."""
    topic, name, group = fresh("txn"), fresh("id"), fresh("group")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        await client.coordinator(group, 0)
        who = await client.begin(name)
        found = []
        for offset, is_good in ((3, False), (5, True)):
            assert await _add_offsets(client, name, who, group) == 0
            assert await _propose(client, name, who, group, (topic, offset)) == 0
            found.append(await committed(client, group, topic))
            assert await client.end(name, who, commit=is_good) == 0
            await state(client, name)
            found.append(await committed(client, group, topic))

        async def seen() -> bool:
            return await committed(client, group, topic) == (5, "m")

        await until(seen)

    assert found[:3] == [(-1, "")] * 3


async def _add_offsets(client: Client, name: str, who: Who, group: str) -> int:
    while True:
        code: int = (await client.ask(transaction.AddOffsetsToTxnRequest_v0(name, *who, group)))["error_code"]
        if code not in (Code.CONCURRENT_TRANSACTIONS, *LOADING):
            return code
        await asyncio.sleep(0.05)


async def _propose(client: Client, name: str, who: Who, group: str, what: tuple[str, int]) -> int:
    topic, offset = what
    request = transaction.TxnOffsetCommitRequest_v0(name, group, *who, [(topic, [(0, offset, "m")])])
    while True:
        code: int = (await client.ask(request))["errors"][0]["partition_errors"][0]["error_code"]
        if code not in LOADING:
            return code
        await asyncio.sleep(0.05)


async def committed(client: Client, group: str, topic: str) -> tuple[int, str]:
    told = await client.ask(commit.OffsetFetchRequest_v3(group, [(topic, [0])]))
    found = told["topics"][0]["partitions"][0]
    return found["offset"], found["metadata"]
