"""Consumer groups: who is in, which generation it is, and what is refused to those who are not, or not any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiokafka.protocol import admin, commit, group
from aiokafka.protocol.api import RequestStruct
from aiokafka.protocol.group import ProtocolMetadata
from msgspec import Struct

from bridge.sandbox.broker.apis import Fields
from bridge.sandbox.broker.codes import Code
from tests.contract.broker.brokers import Kafka, Server
from tests.contract.broker.client import LOADING, Client, connected
from tests.sink.stage import fresh

SESSION = 6.0
"""Seconds. No broker takes less, by default."""
UNKNOWN, ILLEGAL, REBALANCING = Code.UNKNOWN_MEMBER_ID, Code.ILLEGAL_GENERATION, Code.REBALANCE_IN_PROGRESS


def subscription(word: str) -> bytes:
    """A member's metadata, to a topic called like that. Kafka reads it, and stumbles over what is none."""
    return ProtocolMetadata(0, [word], b"").encode()


RANGE = subscription("range")


class Place(Struct, frozen=True):
    """In a generation of a group."""

    name: str
    generation: int
    leads: bool
    protocol: str
    members: dict[str, bytes]


class Member:
    """On a connection of its own: a broker answers in order, and joining takes its time."""

    def __init__(self, client: Client, group: str) -> None:
        self.client = client
        self.group = group
        self.name = ""
        self.generation = -1
        self.instance: str | None = None

    async def try_join(self, *protocols: str, session: float = SESSION, kind: str = "consumer") -> Fields:
        offered = [(protocol, subscription(protocol)) for protocol in protocols or ("range",)]
        return await self.answer(
            group.JoinGroupRequest_v5(self.group, int(session * 1000), 20_000, self.name, self.instance, kind, offered)
        )

    async def answer(self, request: RequestStruct) -> Fields:
        """When the coordinator is there."""
        while True:
            told = await self.client.ask(request)
            if told["error_code"] not in LOADING:
                return told
            await asyncio.sleep(0.05)

    async def join(self, *protocols: str) -> Place:
        """A new member is given a name first."""
        told = await self.try_join(*protocols)
        if told["error_code"] == Code.MEMBER_ID_REQUIRED:
            self.name = told["member_id"]
            told = await self.try_join(*protocols)
        assert told["error_code"] == 0, told
        assert told["member_id"] == self.name or self.instance is not None
        self.name = told["member_id"]
        self.generation = told["generation_id"]
        members = {each["member_id"]: each["member_metadata"] for each in told["members"]}
        return Place(self.name, self.generation, told["leader_id"] == self.name, told["group_protocol"], members)

    async def sync(self, assignments: dict[str, bytes] | None = None) -> tuple[int, bytes]:
        request = group.SyncGroupRequest_v3(
            self.group, self.generation, self.name, None, list((assignments or {}).items())
        )
        told = await self.client.ask(request)
        return told["error_code"], told["member_assignment"]

    async def heartbeat(self) -> int:
        code: int = (await self.client.ask(group.HeartbeatRequest_v1(self.group, self.generation, self.name)))[
            "error_code"
        ]
        return code

    async def leave(self) -> int:
        code: int = (await self.client.ask(group.LeaveGroupRequest_v1(self.group, self.name)))["error_code"]
        return code

    async def commit(self, topic: str, offset: int) -> int:
        request = commit.OffsetCommitRequest_v3(
            self.group, self.generation, self.name, -1, [(topic, [(0, offset, "note")])]
        )
        while True:
            code: int = (await self.client.ask(request))["topics"][0]["partitions"][0]["error_code"]
            if code not in LOADING:
                return code
            await asyncio.sleep(0.05)

    async def beaten(self, code: int) -> None:
        """Returns when heartbeats are answered so."""
        while True:
            if await self.heartbeat() == code:
                return
            await asyncio.sleep(0.1)


@asynccontextmanager
async def members(broker: Server, count: int, group: str = "") -> AsyncIterator[list[Member]]:
    name = group or fresh("group")
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(broker.bootstrap)) for _ in range(count)]
        await clients[0].coordinator(name, 0)
        yield [Member(client, name) for client in clients]


async def settle(first: Member, second: Member) -> tuple[Place, Place]:
    """Both are in, and have their share."""
    await first.join()
    await first.sync({first.name: b"all"})
    joining = asyncio.create_task(second.join())
    await first.beaten(REBALANCING)
    places = (await first.join(), await joining)
    shares = {first.name: b"one", second.name: b"two"}
    waiting = asyncio.create_task(second.sync())
    assert await first.sync(shares) == (0, b"one")
    assert await waiting == (0, b"two")
    return places


async def test_one_member_leads_itself(kafka: Kafka) -> None:
    async with kafka() as broker, members(broker, 1) as (one,):
        place = await one.join("range", "roundrobin")
        before = await one.heartbeat()
        share = await one.sync({one.name: b"all"})
        again = await one.sync()
        codes = [await one.heartbeat(), await one.leave(), await one.heartbeat(), await one.leave()]

    assert place == Place(one.name, 1, True, "range", {one.name: RANGE})
    assert (before, share, again) == (0, (0, b"all"), (0, b"all"))
    assert codes == [0, 0, UNKNOWN, UNKNOWN]


async def test_a_second_member_begins_a_generation(kafka: Kafka) -> None:
    """The leader alone learns who is in, and shares out."""
    async with kafka() as broker, members(broker, 2) as (one, two):
        first, second = await settle(one, two)
        codes = [await one.heartbeat(), await two.heartbeat()]

    assert first == Place(one.name, 2, True, "range", {one.name: RANGE, two.name: RANGE})
    assert second == Place(two.name, 2, False, "range", {})
    assert codes == [0, 0]


async def test_who_is_of_an_older_generation_is_refused(kafka: Kafka) -> None:
    """Its partitions may be another's by now: what it commits would undo the other's work."""
    topic = fresh("topic")
    async with kafka() as broker, members(broker, 2) as (one, two):
        await one.client.make(topic)
        await settle(one, two)
        good = await one.commit(topic, 5)
        one.generation -= 1
        codes = [await one.heartbeat(), (await one.sync())[0], await one.commit(topic, 4)]
        one.name = "nobody"
        codes += [await one.heartbeat(), (await one.sync())[0], await one.commit(topic, 4), await one.leave()]
        unknown = (await one.try_join())["error_code"]
        told = await two.client.ask(commit.OffsetFetchRequest_v3(two.group, None))

    assert (good, codes, unknown) == (0, [ILLEGAL] * 3 + [UNKNOWN] * 4, UNKNOWN)
    found = {"partition": 0, "offset": 5, "metadata": "note", "error_code": 0}
    assert told["topics"] == [{"topic": topic, "partitions": [found]}]


async def test_who_leaves_makes_room_at_once(kafka: Kafka) -> None:
    async with kafka() as broker, members(broker, 2) as (one, two):
        await settle(one, two)
        assert await two.leave() == 0
        await one.beaten(REBALANCING)
        place = await one.join()
        codes = [(await one.sync({one.name: b"all"})), await one.heartbeat(), await two.heartbeat()]

    assert place == Place(one.name, 3, True, "range", {one.name: RANGE})
    assert codes == [(0, b"all"), 0, UNKNOWN]


async def test_who_is_silent_is_thrown_out(kafka: Kafka) -> None:
    """After its session: the others take its partitions over."""
    loop = asyncio.get_running_loop()
    async with kafka() as broker, members(broker, 2) as (one, two):
        await settle(one, two)
        begun = loop.time()
        await one.beaten(REBALANCING)
        place = await one.join()
        took = loop.time() - begun
        code = await two.heartbeat()

    assert (place.members, code) == ({one.name: RANGE}, UNKNOWN)
    assert SESSION - 1 < took < SESSION + 10


async def test_protocols_must_have_one_in_common(kafka: Kafka) -> None:
    """Else members would read each other's shares wrongly."""
    async with kafka() as broker, members(broker, 3) as (one, two, three):
        await one.join("range", "sticky")
        await one.sync({one.name: b"all"})
        told = [
            (await two.try_join("other"))["error_code"],
            (await two.try_join("range", kind="connect"))["error_code"],
            (await two.try_join("range", session=1))["error_code"],
        ]
        joining = asyncio.create_task(three.join("other", "sticky"))
        await one.beaten(REBALANCING)
        place, _ = await one.join("range", "sticky"), await joining

    assert told == [Code.INCONSISTENT_GROUP_PROTOCOL, Code.INCONSISTENT_GROUP_PROTOCOL, Code.INVALID_SESSION_TIMEOUT]
    assert place.protocol == "sticky"


async def test_offsets_are_kept_for_those_who_are_in_no_group(kafka: Kafka) -> None:
    """As for operators, while nobody is in it."""
    topic = fresh("topic")
    async with kafka() as broker, members(broker, 1) as (one,):
        await one.client.make(topic)
        free = [await one.commit(topic, 7), await one.commit("nosuch", 7)]
        fetched = await one.client.ask(commit.OffsetFetchRequest_v3(one.group, [(topic, [0, 5])]))
        single = Member(one.client, one.group)
        await one.join()
        taken = await single.commit(topic, 8)
        unsynced = await one.commit(topic, 9)
        single.group, single.generation, single.name = fresh("group"), 3, "somebody"
        unknown = await single.commit(topic, 8)

    assert free == [0, Code.UNKNOWN_TOPIC_OR_PARTITION]
    offsets = [(each["partition"], each["offset"], each["error_code"]) for each in fetched["topics"][0]["partitions"]]
    assert offsets == [(0, 7, 0), (5, -1, 0)]
    assert (taken, unsynced, unknown) == (UNKNOWN, REBALANCING, ILLEGAL)


async def test_before_names_were_announced_a_member_joins_at_once(kafka: Kafka) -> None:
    """As older clients do (KIP-394 came with version 4)."""
    async with kafka() as broker, members(broker, 1) as (one,):
        told = []
        for version in (0, 1, 2):
            one.group = fresh("group")
            question = group.JoinGroupRequest(one.group, 6000, 20_000, "", "", "consumer", [("range", RANGE)])
            answer = await one.answer(question.build(getattr(group, f"JoinGroupRequest_v{version}")))
            told.append((answer["error_code"], answer["generation_id"], answer["leader_id"] == answer["member_id"]))

    assert told == [(0, 1, True)] * 3


async def test_groups_are_listed_and_described(kafka: Kafka) -> None:
    """Operators look so who reads what."""
    async with kafka() as broker, members(broker, 1) as (one,):

        async def described(name: str) -> tuple[str, str, str, list[tuple[str, bytes, bytes]]]:
            (told,) = (await one.client.ask(admin.DescribeGroupsRequest_v2([name])))["groups"]
            who = [(each["client_id"], each["member_metadata"], each["member_assignment"]) for each in told["members"]]
            return told["state"], told["protocol_type"], told["protocol"], who

        unknown = await described(fresh("nosuch"))
        await one.join()
        joined = await described(one.group)
        await one.sync({one.name: b"all"})
        synced = await described(one.group)
        listed = (await one.client.ask(admin.ListGroupsRequest_v2()))["groups"]
        await one.leave()
        left = await described(one.group)

    assert unknown == ("Dead", "", "", [])
    assert joined == ("CompletingRebalance", "consumer", "", [("contract", b"", b"")])
    assert synced == ("Stable", "consumer", "range", [("contract", RANGE, b"all")])
    assert {"group": one.group, "protocol_type": "consumer"} in listed
    assert left == ("Empty", "consumer", "", [])


async def test_a_group_is_deleted_when_nobody_is_in_it(kafka: Kafka) -> None:
    """With its offsets: who comes next begins anew."""
    topic = fresh("topic")
    async with kafka() as broker, members(broker, 1) as (one,):

        async def deleted() -> list[tuple[str, int]]:
            results = (await one.client.ask(admin.DeleteGroupsRequest_v1([one.group, "nosuch"])))["results"]
            return sorted((each["group_id"], each["error_code"]) for each in results)

        await one.client.make(topic)
        await one.join()
        await one.sync({one.name: b"all"})
        assert await one.commit(topic, 7) == 0
        inhabited = await deleted()
        await one.leave()
        empty = await deleted()
        offsets = await one.client.ask(commit.OffsetFetchRequest_v3(one.group, [(topic, [0])]))
        again = await deleted()

    nosuch = ("nosuch", Code.GROUP_ID_NOT_FOUND)
    assert inhabited == [(one.group, Code.NON_EMPTY_GROUP), nosuch]
    assert empty == [(one.group, 0), nosuch]
    assert offsets["topics"][0]["partitions"][0]["offset"] == -1
    assert again == [(one.group, Code.GROUP_ID_NOT_FOUND), nosuch]


async def test_a_member_of_a_fixed_name_comes_back_to_its_share(kafka: Kafka) -> None:
    """Static membership (KIP-345): a restart that is quick enough disturbs nobody. Its predecessor is out."""
    async with kafka() as broker, members(broker, 3) as (one, two, again):
        one.instance = again.instance = "first"
        two.instance = "second"
        await one.join()
        await one.sync({one.name: b"all"})
        joining = asyncio.create_task(two.join())
        await one.beaten(REBALANCING)
        await asyncio.gather(one.join(), joining)
        await asyncio.gather(one.sync({one.name: b"one", two.name: b"two"}), two.sync())
        told = await again.try_join()
        again.name, again.generation = told["member_id"], told["generation_id"]
        share = await again.sync()
        codes = [await one.heartbeat(), await two.heartbeat(), await again.heartbeat()]

    assert (told["error_code"], told["generation_id"], told["leader_id"], told["members"]) == (0, 2, one.name, [])
    assert (share, codes) == ((0, b"one"), [UNKNOWN, 0, 0])
