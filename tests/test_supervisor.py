"""The supervisor: all streams run, one that fails leaves the others alone, and the end comes in time."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

from bridge.config.streams import StreamSpec, streams
from bridge.config.tree import Config
from bridge.ownership.alone import Alone
from bridge.stream import Outcome
from bridge.supervisor import GRACE, HAND_OVER, Membership, Shared, lasting, supervise
from tests.config.reading import KAFKA, read

PARTITIONS = 2


class Fake:
    """A stream that runs until it is stopped, fails at once, or does not listen."""

    def __init__(self, spec: StreamSpec, *, fails: bool = False, deaf: bool = False) -> None:
        self.name = spec.name
        self.topic = spec.watch.topic
        self.ended = ""
        self.adopted = 0
        self.reminders = 0
        self._fails, self._deaf = fails, deaf
        self._stop = asyncio.Event()

    async def run(self) -> Outcome:
        if self._fails:
            self.ended = "failed"
            return Outcome.FAILED
        try:
            await self._stop.wait()
        except asyncio.CancelledError:
            self.ended = "cut off"
            raise
        self.ended = "stopped"
        return Outcome.STOPPED

    def remind(self) -> None:
        self.reminders += 1

    def stop(self) -> None:
        if not self._deaf:
            self._stop.set()

    def adopt(self, config: Config) -> None:
        assert config.watches
        self.adopted += 1


class Plan:
    """What is wanted: streams called c... lie in partition 1, the others in 0."""

    def __init__(self, names: str) -> None:
        self.adopt(plan(names))

    @property
    def count(self) -> int:
        return len(self._specs)

    def specs(self, partition: int) -> Sequence[StreamSpec]:
        return [spec for spec in self._specs if partition == int(spec.name.startswith("c"))]

    def adopt(self, config: Config) -> None:
        self._specs = streams(config)


def plan(names: str) -> Config:
    """A letter for each stream; `a:x` has a topic of its own."""
    watches = [name.partition(":") for name in names.split()]
    entries = [f"{{resource: pods, name: {name}, topic: {topic or 'all'}}}" for name, _, topic in watches]
    return read(f"{KAFKA}watches: [{', '.join(entries)}]")


class Group:
    """A membership as the test wants it."""

    def __init__(self, shared: Shared, *acquired: int) -> None:
        self.shared = shared
        self.left = False
        self.tries: list[float] = []
        self._acquired = acquired

    async def run(self) -> None:
        self.shared.acquire(self._acquired)
        await asyncio.get_running_loop().create_future()

    async def give_up(self) -> None:
        self.tries.append(asyncio.get_running_loop().time())
        await self.shared.release(self._acquired)

    async def leave(self) -> None:
        self.left = True


class Broken(Group):
    """A membership with a mistake in it."""

    async def run(self) -> None:
        self.shared.acquire(self._acquired)
        await asyncio.sleep(1)
        raise LookupError("a mistake")


class Everything(Alone):
    """Without a group."""

    def __init__(self, shared: Shared, *_: int) -> None:
        super().__init__(PARTITIONS, shared)


class Stage:
    """Runs what is wanted, of which partition 0 is ours; all streams that were ever made."""

    def __init__(
        self, names: str = "a b c", group: type[Group] | type[Everything] = Group, fails: str = "", deaf: str = ""
    ) -> None:
        self.made: list[Fake] = []
        self.plan = Plan(names)
        self._group = group
        self._members: list[Group | Everything] = []
        self._fails, self._deaf = fails, deaf

    def make(self, spec: StreamSpec) -> Fake:
        self.made.append(Fake(spec, fails=spec.name in self._fails, deaf=spec.name in self._deaf))
        return self.made[-1]

    def join(self, shared: Shared) -> Membership:
        self._members.append(self._group(shared, 0))
        return self._members[0]

    @property
    def group(self) -> Group:
        assert isinstance(self._members[0], Group)
        return self._members[0]

    def offer(self, names: str) -> None:
        assert isinstance(self._members[0], Everything)
        self._members[0].offer(plan(names))

    async def run(self, stopping: asyncio.Event) -> bool:
        return await supervise(self.plan, self.make, self.join, stopping)

    @property
    def fates(self) -> list[str]:
        return [f"{stream.name} {stream.ended or 'runs'}" for stream in self.made]


async def test_a_signal_ends_all_streams_in_good_order() -> None:
    """SIGTERM must not cost the records under way."""
    stage, stopping = Stage("a b", Everything), asyncio.Event()
    asyncio.get_running_loop().call_later(60, stopping.set)

    worked = await stage.run(stopping)

    assert (worked, [stream.ended for stream in stage.made]) == (True, ["stopped", "stopped"])
    assert asyncio.get_running_loop().time() < 61


async def test_a_stream_that_does_not_end_is_cut_off() -> None:
    """A hanging broker must not keep the pod until Kubernetes kills it."""
    stage, stopping = Stage("a b", Everything, deaf="b"), asyncio.Event()
    asyncio.get_running_loop().call_later(1, stopping.set)
    began = asyncio.get_running_loop().time() + 1

    worked = await stage.run(stopping)

    assert (worked, [stream.ended for stream in stage.made]) == (True, ["stopped", "cut off"])
    assert GRACE <= asyncio.get_running_loop().time() - began < GRACE + 1


async def test_one_failed_stream_leaves_the_others_running() -> None:
    """A wrong selector in one watch must not stop the rest."""
    stage, stopping = Stage("a b", Everything, fails="a"), asyncio.Event()
    asyncio.get_running_loop().call_later(600, stopping.set)

    worked = await stage.run(stopping)

    assert (worked, [stream.ended for stream in stage.made]) == (True, ["failed", "stopped"])


async def test_a_failed_stream_is_told_of_again() -> None:
    """Who looks at the log an hour later must see it, too. Once a minute, and not of those that run."""
    stage, stopping = Stage("a b", Everything, fails="a"), asyncio.Event()
    asyncio.get_running_loop().call_later(630, stopping.set)

    await stage.run(stopping)

    assert [stream.reminders for stream in stage.made] == [10, 0]


async def test_nothing_left_to_run_is_an_end() -> None:
    """Without a single stream that can work, the exit code must tell: a running process would hide it."""
    worked = await Stage("a b", Everything, fails="ab").run(asyncio.Event())

    assert not worked


async def test_only_what_is_ours_runs_and_all_ends_before_we_leave() -> None:
    """Whoever gets our partitions when we leave must find them given up."""
    stage, stopping = Stage(), asyncio.Event()
    asyncio.get_running_loop().call_later(60, stopping.set)

    worked = await stage.run(stopping)

    assert (worked, [(stream.name, stream.ended) for stream in stage.made]) == (
        True,
        [("a", "stopped"), ("b", "stopped")],
    )
    assert stage.group.left


async def test_a_partition_that_goes_is_given_up_in_time() -> None:
    """Its next owner waits for it: who does not end is cut off."""
    stage, stopping = Stage(deaf="ab"), asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(10)
    began = loop.time()

    await stage.group.shared.release([0, 1])
    took = loop.time() - began
    stage.group.shared.acquire([0])
    await asyncio.sleep(1)

    assert HAND_OVER <= took < HAND_OVER + 1
    assert [stream.ended for stream in stage.made] == ["cut off", "cut off", "", ""], "made anew, not begun again"
    stopping.set()
    await running


async def test_what_is_lost_is_cut_off_at_once() -> None:
    """Another replica may have it already: not even what is being written may go on."""
    stage, stopping = Stage(deaf="ab"), asyncio.Event()
    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(10)
    began = loop.time()

    await stage.group.shared.release([0], at_once=True)

    assert loop.time() == began
    assert [stream.ended for stream in stage.made] == ["cut off", "cut off"]
    stopping.set()
    await running


async def test_a_replica_whose_streams_all_fail_stays_while_others_may_have_more() -> None:
    """To leave would only hand its broken streams on."""
    stage, stopping = Stage(fails="abc"), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))

    await asyncio.sleep(600)
    assert not running.done()
    stage.group.shared.acquire([1])
    assert await running is False, "all three are ours, and none can work: the exit code must tell"


async def test_a_mistake_of_ours_in_the_group_ends_no_replica() -> None:
    """It would end all of them, one after the other. No hot loop: each try ends and begins streams."""
    stage, stopping = Stage(group=Broken), asyncio.Event()
    asyncio.get_running_loop().call_later(600, stopping.set)

    worked = await stage.run(stopping)

    tries = stage.group.tries
    assert worked
    assert 20 < len(tries) < 120
    assert len(stage.made) == 2 * (1 + len(tries)), "nothing of the try before is left"
    assert all(stream.ended == "stopped" for stream in stage.made)
    assert stage.group.left


async def test_what_has_worked_for_long_is_tried_again_at_once() -> None:
    """A mistake that shows once a day must not cost half a minute each time."""
    loop, tries = asyncio.get_running_loop(), list[float]()

    async def run() -> None:
        tries.append(loop.time())
        await asyncio.sleep(1000)
        raise LookupError("a mistake")

    task = asyncio.ensure_future(lasting("something", run))
    await asyncio.sleep(20_000)
    task.cancel()

    assert len(tries) == 20
    assert all(later - earlier < 1001 for earlier, later in pairwise(tries))


async def offered(names: str, then: str, *, fails: str = "", deaf: str = "") -> tuple[list[str], float, bool]:
    """What became of all streams after another file; the seconds until it was followed; whether it worked."""
    stage, stopping = Stage(names, Everything, fails, deaf), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))
    loop = asyncio.get_running_loop()
    await asyncio.sleep(10)
    began = loop.time()
    wanted = sorted((spec.name, spec.watch.topic) for spec in streams(plan(then)))
    stage.offer(then)
    for _ in range(100):
        await asyncio.sleep(0.1)
        if sorted((stream.name, stream.topic) for stream in stage.made if not stream.ended) == wanted:
            break
    took = loop.time() - began
    fates = stage.fates
    stopping.set()
    return fates, took, await running


async def test_only_what_differs_is_ended_and_begun() -> None:
    """A team adds a watch: those of the other teams must not notice."""
    fates, took, _ = await offered("a b c d", "a b:x d e")

    assert fates == ["a runs", "b stopped", "d runs", "c stopped", "b runs", "e runs"]
    assert took < 1


async def test_a_changed_stream_begins_when_the_one_before_has_ended() -> None:
    """Both would write under one name. Who does not end is cut off, as at a hand-over."""
    fates, took, _ = await offered("a b", "a b:x", deaf="b")

    assert fates == ["a runs", "b cut off", "b runs"]
    assert HAND_OVER <= took < HAND_OVER + 1


async def test_a_failed_stream_begins_anew_when_its_mistake_is_mended() -> None:
    """No restart: the others would have to pay for it."""
    fates, _, worked = await offered("a b", "a b:x", fails="b")

    assert fates[:2] == ["a runs", "b failed"]
    assert fates[2].startswith("b ")
    assert worked


async def test_what_runs_on_takes_up_the_settings() -> None:
    stage, stopping = Stage("a b", Everything), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(1)
    stage.offer("a b")
    await asyncio.sleep(1)
    stopping.set()
    await running

    assert [(stream.name, stream.adopted) for stream in stage.made] == [("a", 1), ("b", 1)]


async def test_a_file_that_leaves_only_failed_streams_is_an_end() -> None:
    """As at the start: the exit code must tell."""
    stage = Stage("a b", Everything, fails="a")
    running = asyncio.ensure_future(stage.run(asyncio.Event()))
    await asyncio.sleep(1)
    stage.offer("a")

    assert await running is False


async def test_files_that_follow_each_other_at_once_end_with_the_last() -> None:
    """An editor that saves twice, a link that is swapped twice: while the first is followed the second is in force."""
    stage, stopping = Stage("a b", Everything, deaf="b"), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(1)
    stage.offer("a b:x e")
    await asyncio.sleep(HAND_OVER / 2)
    stage.offer("a b:y d")
    await asyncio.sleep(3 * HAND_OVER)
    runs = [(stream.name, stream.topic) for stream in stage.made if not stream.ended]
    stopping.set()
    await running

    assert sorted(runs) == [("a", "all"), ("b", "y"), ("d", "all")]


async def test_a_partition_that_is_lost_while_a_change_is_followed_begins_nothing() -> None:
    """Its next owner may have begun the stream already."""
    stage, stopping = Stage("a b", deaf="b"), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(1)
    shared = stage.group.shared
    shared.adopt(plan("a b:x e"))
    following = asyncio.ensure_future(shared.follow())
    await asyncio.sleep(HAND_OVER / 2)
    await shared.release([0], at_once=True)
    await following
    fates = stage.fates
    stopping.set()
    await running

    assert fates == ["a stopped", "b cut off"]


async def test_nothing_begins_once_all_of_it_ends() -> None:
    """SIGTERM in the middle of a change: a stream that began then would keep the process for ever."""
    stage, stopping = Stage("a b", Everything, deaf="b"), asyncio.Event()
    running = asyncio.ensure_future(stage.run(stopping))
    await asyncio.sleep(1)
    stage.offer("a b:x e")
    await asyncio.sleep(HAND_OVER)
    stopping.set()

    assert await asyncio.wait_for(running, 2 * GRACE)
    assert not [fate for fate in stage.fates if fate.endswith("runs")]
