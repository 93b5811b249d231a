"""Members of a group on the sandbox's broker, all in one process: no partition is ever run by two."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from msgspec.structs import replace

from bridge.config.tree import Config, Log
from bridge.ownership import words
from bridge.ownership.claims import Claims
from bridge.ownership.member import HEARTBEAT, Member
from bridge.sandbox.broker.server import Broker, Options
from bridge.supervisor import lasting
from tests.blackhole import blackhole
from tests.config.reading import read

PARTITIONS = 8
SESSION = 10.0
MOVING = (14, 15, 16)
"""COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR."""
GATHERING = 3.0
"""Seconds that a new group waits for members: Kafka's default."""
STOPPING = 1.5
"""Seconds that a partition's streams take to end, in these tests."""


def config_of(
    broker: Broker, watches: str = "[{resource: pods}, {resource: events}]", dead: Sequence[str] = ()
) -> Config:
    servers = f"kafka: {{bootstrapServers: {json.dumps([*dead, broker.bootstrap])}}}"
    return read(f"{servers}\ncheckpoints: {{partitions: {PARTITIONS}}}\nwatches: {watches}\n")


class Replica:
    """A member, and the keeper of its partitions: it remembers whatever was run by two at once."""

    mistakes: int = 0
    """How many more of its beginnings fail half-way."""
    running: dict[int, str]
    """Of all replicas of a test: partition -> who runs it."""

    def __init__(self, config: Config, name: str, running: dict[int, str]) -> None:
        self.name = name
        self.running = running
        self.claims = Claims(SESSION)
        self.doubled: list[int] = []
        self.cut_off: set[int] = set()
        self.member = Member(config, self.claims, self, self.introduce)
        self.adopted: list[tuple[float, Config]] = []
        """When, and which."""
        self._config = config
        self._task: asyncio.Task[None] | None = None

    async def introduce(self) -> words.Said:
        return words.introduce(self._config, "uid", self.name)

    def acquire(self, partitions: Iterable[int]) -> None:
        for number in partitions:
            if self.mistakes and number == max(partitions):
                self.mistakes -= 1
                raise LookupError("a mistake")
            if number in self.running:
                self.doubled.append(number)
            self.running[number] = self.name

    async def release(self, partitions: Iterable[int], *, at_once: bool = False) -> None:
        numbers = list(partitions)
        if at_once:
            self.cut_off |= set(numbers)
        elif numbers:
            await asyncio.sleep(STOPPING)
        for number in numbers:
            if self.running.get(number) == self.name:
                del self.running[number]

    def adopt(self, config: Config) -> None:
        self.adopted.append((asyncio.get_running_loop().time(), config))
        self._config = config

    async def follow(self) -> None:
        await asyncio.sleep(STOPPING)

    @property
    def in_force(self) -> Config:
        return self._config

    @property
    def count(self) -> int:
        return list(self.running.values()).count(self.name)

    def start(self) -> None:
        self._task = asyncio.ensure_future(lasting("membership", self.member.run, self.member.give_up))

    async def freeze(self) -> None:
        """Silent from now on, as after SIGKILL or SIGSTOP; what it ran is left to the test."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def stop(self) -> None:
        await self.freeze()
        await self.release([number for number, name in self.running.items() if name == self.name])
        await self.member.leave()


@asynccontextmanager
async def replicas(config: Config, *names: str) -> AsyncIterator[list[Replica]]:
    running: dict[int, str] = {}
    group = [Replica(config, name, running) for name in names]
    for each in group:
        each.start()
    await until_whole(running)
    try:
        yield group
    finally:
        for each in group:
            await each.freeze()
        assert [each.doubled for each in group] == [[] for _ in group]


async def until_whole(running: dict[int, str], *, among: str = "") -> float:
    """Until every partition is run, by one of the replicas called by a letter of *among*. The seconds that it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(60):
        while len(running) < PARTITIONS or (among and not set(running.values()) <= set(among)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return loop.time() - began


async def test_partitions_are_shared_evenly() -> None:
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(10)
        assert (a.count, b.count) == (4, 4)


async def test_a_newcomer_gets_its_share_after_it_was_let_go() -> None:
    """Its streams have ended where they were before they begin where they go."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        before = dict(a.running)
        c = Replica(a._config, "c", a.running)
        c.start()
        await asyncio.sleep(STOPPING + 4 * HEARTBEAT)
        moved = {number for number, name in a.running.items() if before[number] != name}
        shares = (a.count, b.count, c.count)
        await c.freeze()

    assert {a.running[number] for number in moved} == {"c"}
    assert sorted(shares) == [2, 3, 3]
    assert c.doubled == []


async def test_who_says_farewell_is_replaced_within_two_seconds() -> None:
    async with Broker() as broker, replicas(config_of(broker), "a", "b", "c") as (a, b, c):
        await b.stop()
        took = await until_whole(a.running, among="ac")
        assert c.count + a.count == PARTITIONS

    assert took < 2


async def test_who_is_ended_while_it_joins_is_not_waited_for() -> None:
    """A pod that is deleted as it starts: its successor, and a rolling update, would stand still for a session."""
    async with Broker(options=Options(rebalance_delay=GATHERING)) as broker:
        running: dict[int, str] = {}
        a, b = (Replica(config_of(broker), name, running) for name in "ab")
        a.start()
        await asyncio.sleep(GATHERING / 2)
        assert running == {}
        await a.stop()
        b.start()
        took = await until_whole(running)
        await b.freeze()

    assert took < GATHERING + 1


async def test_who_falls_silent_is_replaced_after_its_session() -> None:
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        await b.freeze()
        for number in [number for number, name in a.running.items() if name == "b"]:
            del a.running[number]
        took = await until_whole(a.running, among="a")

    assert SESSION - 1 < took < SESSION + 2


async def test_who_wakes_up_finds_itself_out() -> None:
    """By the clock before a word is said, then by the broker's; it ends what it ran, and joins anew."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        mine = set(b.claims.held)
        await b.freeze()
        for number in mine:
            del a.running[number]
        await until_whole(a.running, among="a")
        assert not any(b.claims.owns(number) for number in mine)
        b.start()
        await asyncio.sleep(20)
        assert (a.count, b.count) == (4, 4)
        assert b.cut_off == mine, "what it was writing may be another's"


async def test_a_broker_that_restarts_changes_nothing() -> None:
    """The group is remembered; streams go on, or recover by themselves."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        before = dict(a.running)
        await broker.stop()
        await asyncio.sleep(30)
        assert not any(replica.claims.owns(number) for replica in (a, b) for number in before)
        await broker.start()
        await asyncio.sleep(10)
        assert a.running == before
        assert all(replica.claims.owns(number) for replica in (a, b) for number in replica.claims.held)


async def test_dead_addresses_cost_no_session() -> None:
    """Brokers are switched off and their addresses stay in the file: nothing answers there, and nothing refuses."""
    with blackhole(3) as dead:
        async with Broker() as broker, replicas(config_of(broker, dead=dead), "a", "b", "c") as (a, b, c):
            await asyncio.sleep(20)
            before = dict(a.running)
            broker.lose("Heartbeat", 3)
            for _ in range(100):
                await asyncio.sleep(0.1)
                assert all(replica.claims.owns(number) for replica in (a, b, c) for number in replica.claims.held)
            assert a.running == before
            await b.stop()
            took = await until_whole(a.running, among="ac")

    assert took < 2


async def test_errors_of_the_coordinator_are_waited_out() -> None:
    """It moves to another broker, or loads its log: nothing is wrong with us."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        for name in ("Heartbeat", "JoinGroup", "FindCoordinator", "SyncGroup"):
            for code in MOVING:
                broker.refuse(name, code)
        await asyncio.sleep(60)
        assert a.count + b.count == PARTITIONS
        assert all(replica.claims.owns(number) for replica in (a, b) for number in replica.claims.held)


async def test_another_configuration_waits_and_takes_over_in_the_end() -> None:
    """A rolling update; or somebody else's deployment of the same name, which waits as long as we run."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        other = Replica(config_of(broker, "[{resource: jobs}]"), "o", a.running)
        other.start()
        await asyncio.sleep(30)
        assert (a.count, b.count, other.count) == (4, 4, 0)
        await a.stop()
        await until_whole(a.running, among="b")
        await b.stop()
        await until_whole(a.running, among="o")
        await other.freeze()

    assert other.doubled == []


async def test_a_mistake_of_ours_leaves_no_partition_alone() -> None:
    """Half of a share was begun: it is given back whole, and what nobody runs is shared out anew."""
    async with Broker() as broker, replicas(config_of(broker), "a") as (a,):
        b = Replica(a._config, "b", a.running)
        b.mistakes = 2
        b.start()
        await asyncio.sleep(60)
        shares = (a.count, b.count, b.mistakes)
        await b.freeze()

    assert shares == (4, 4, 0)
    assert b.doubled == []


OTHER = "[{resource: pods}, {resource: events, labelSelector: a=b}]"


async def test_a_changed_file_is_taken_up_by_all_at_once_and_nothing_moves() -> None:
    """The kubelets have it up to two minutes apart. Until then every stream is run by the file before."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        before = dict(a.running)
        a.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(60)
        waiting = [list(a.adopted), list(b.adopted)]
        b.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(5)
        after = dict(a.running)

    assert waiting == [[], []]
    assert [[config for _, config in each.adopted] for each in (a, b)] == 2 * [[config_of(broker, OTHER)]]
    assert abs(a.adopted[0][0] - b.adopted[0][0]) < HEARTBEAT
    assert after == before


async def test_who_has_another_file_is_not_waited_for_when_it_is_gone() -> None:
    """A node that is drained, a pod that hangs: those that are left go on."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        a.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(5)
        await b.freeze()
        for number in [number for number, name in a.running.items() if name == "b"]:
            del a.running[number]
        took = await until_whole(a.running, among="a")
        adopted = [config for _, config in a.adopted]

    assert adopted == [config_of(broker, OTHER)]
    assert took < SESSION + 2


async def test_who_was_cut_off_while_the_others_changed_follows() -> None:
    """It finds the others with the new file: it waits, without a stream, until it has that, too."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        await b.freeze()
        for number in [number for number, name in a.running.items() if name == "b"]:
            del a.running[number]
        a.member.offer(config_of(broker, OTHER))
        await until_whole(a.running, among="a")
        b.start()
        await asyncio.sleep(30)
        alone = (a.count, b.count)
        b.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(30)
        shared = (a.count, b.count)

    assert (alone, shared) == ((8, 0), (4, 4))


async def test_a_file_that_is_changed_back_is_taken_back() -> None:
    """An edit that was a mistake, on one node: the others never hear of it."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await asyncio.sleep(5)
        a.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(5)
        a.member.offer(config_of(broker))
        await asyncio.sleep(5)
        b.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(30)
        adopted = [[config.watches for _, config in each.adopted] for each in (a, b)]

    assert adopted == [[config_of(broker).watches], []]


async def test_what_touches_no_stream_waits_for_nobody() -> None:
    """A log level, to find out why Kafka cannot be reached: the group need not be there."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        await broker.stop()
        other = replace(config_of(broker), log=Log(level="debug"))
        a.member.offer(other)
        adopted = [config for _, config in a.adopted]
        await broker.start()

    assert (adopted, b.adopted) == ([other], [])


THIRD = "[{resource: pods}, {resource: events, labelSelector: c=d}]"
LATER = [number * HEARTBEAT / 5 for number in range(10)]
"""Seconds between two changes: a member joins with its next heartbeat, and waits until the others have with theirs."""


async def test_a_file_that_changes_while_its_offer_is_under_way_is_offered_next() -> None:
    """The others have it already: nothing else would happen, and it would never be in force."""
    for later in LATER:
        async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
            await asyncio.sleep(5)
            b.member.offer(config_of(broker, THIRD))
            await asyncio.sleep(5)
            a.member.offer(config_of(broker, OTHER))
            await asyncio.sleep(later)
            a.member.offer(config_of(broker, THIRD))
            await asyncio.sleep(20)
            adopted = [[config for _, config in each.adopted] for each in (a, b)]

        assert adopted == 2 * [[config_of(broker, THIRD)]], later


async def test_what_was_offered_counts_though_the_file_has_changed_since() -> None:
    """The others take it up in this round: who did otherwise would run its streams by another file than they."""
    for later in LATER:
        async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
            await asyncio.sleep(5)
            b.member.offer(config_of(broker, OTHER))
            await asyncio.sleep(5)
            a.member.offer(config_of(broker, OTHER))
            await asyncio.sleep(later)
            a.member.offer(config_of(broker, THIRD))
            await asyncio.sleep(20)
            b.member.offer(config_of(broker, THIRD))
            await asyncio.sleep(20)
            mine, theirs = ([config.watches for _, config in each.adopted] for each in (a, b))

        assert mine == theirs, later
        assert mine[-1] == config_of(broker, THIRD).watches


async def test_who_began_with_the_new_file_gets_its_share_when_the_others_have_it() -> None:
    """A rolling update of pods whose ConfigMap keeps its name: the old ones need not go first."""
    async with Broker() as broker, replicas(config_of(broker), "a", "b") as (a, b):
        early = Replica(config_of(broker, OTHER), "e", a.running)
        early.start()
        await asyncio.sleep(10)
        before = (a.count, b.count, early.count)
        a.member.offer(config_of(broker, OTHER))
        b.member.offer(config_of(broker, OTHER))
        await asyncio.sleep(20)
        after = (a.count, b.count, early.count)
        await early.freeze()

    assert (before, sorted(after)) == ((4, 4, 0), [2, 3, 3])
    assert early.doubled == []
