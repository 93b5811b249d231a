"""Gaps, one by one: what is announced, what is inferred, and where there is none."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.ledger import Ledger
from tests.audit.records import Envelope, parse
from tests.load import CONFIGMAPS, CRDS, EVENTS, WIDGETS, make_widgets
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, trial

pytestmark = pytest.mark.integration

Clusters = Callable[[], Cluster]


async def test_a_crash_alone_makes_no_gap(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Killed in the middle of its work, the bridge goes on where it was: nothing twice, no new epoch."""
    watches = [{"resource": "configmaps", "topic": "crash.configmaps"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="crash") as run:
        writer = await run.writer(CONFIGMAPS)
        run.bridge.start()
        await run.synced()
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.work(12, rate=100))
            for _ in range(3):
                await asyncio.sleep(2)
                run.bridge.kill()
                run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"configmaps initial": 1}
    assert report.counts["writes inside announced gaps"] == 0
    assert report.counts["writes told as they happened"] > 500


async def test_what_went_while_the_bridge_was_down_is_inferred(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """Every position has expired, so nobody saw the deletes; consumers still must learn of each."""
    watches = [
        {"resource": "configmaps", "topic": "down.configmaps"},
        {"resource": "events", "topic": "down.others"},
        {"resource": "widgets.example.com", "topic": "down.others"},
    ]
    kinds = (CONFIGMAPS, EVENTS, WIDGETS)
    async with trial(new_cluster(), broker, tmp_path, watches, name="down") as run:
        writer = await run.writer(*kinds)
        for kind in kinds:
            for name in ("kept", "changed", "gone", "replaced", "emptied-1", "emptied-2"):
                await writer.create(kind, "team-a", name)
        run.bridge.start()
        await run.caught_up(writer)
        run.bridge.kill()
        for kind in kinds:
            await writer.change(kind, "team-a", "changed")
            for name in ("gone", "replaced", "emptied-1", "emptied-2"):
                await writer.delete(kind, "team-a", name)
            await writer.create(kind, "team-a", "replaced")
            await writer.create(kind, "team-a", "new")
            await writer.create(kind, "team-a", "never-seen")
            await writer.delete(kind, "team-a", "never-seen")
        await asyncio.to_thread(run.cluster.expire_everything)
        run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())
        values = await _values(run)

    assert report.ok
    assert {name: n for name, n in report.restarts.items() if "initial" not in name} == {
        "configmaps expired": 1,
        "events expired": 1,
        "widgets.example.com expired": 1,
    }
    for kind in kinds:
        inferred = [v.object.metadata.name for v in values if v.inferred and v.object and v.stream == kind.resource]
        assert sorted(inferred) == ["emptied-1", "emptied-2", "gone", "replaced"]


async def test_an_idle_stream_outlives_a_compaction(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Events get no bookmarks, so an idle stream's position grows old; whatever it costs, nothing is lost."""
    watches = [{"resource": "events", "namespaces": ["quiet"], "topic": "idle.events"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="idle") as run:
        writer = await run.writer(EVENTS, CONFIGMAPS, namespaces=["quiet", "team-a"])
        await writer.create(EVENTS, "quiet", "long-ago")
        await writer.create(EVENTS, "quiet", "to-be-deleted")
        run.bridge.start()
        await run.synced()
        for number in range(5):
            await writer.create(CONFIGMAPS, "team-a", f"elsewhere-{number}")
        await asyncio.to_thread(run.cluster.compact)
        await writer.create(EVENTS, "quiet", "after-the-compaction")
        await run.caught_up(writer)
        await asyncio.to_thread(run.cluster.compact)
        run.bridge.kill()
        await writer.delete(EVENTS, "quiet", "to-be-deleted")
        await asyncio.to_thread(run.cluster.compact)
        run.bridge.start()
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"events.quiet initial": 1, "events.quiet expired": 1}


async def test_a_history_that_went_back_is_told(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """A restored backup: versions are lower, objects are as they were; consumers must end there too."""
    watches = [{"resource": "configmaps", "topic": "rewind.configmaps"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="rewind") as run:
        writer = await run.writer(CONFIGMAPS)
        for name in ("kept", "deleted-later"):
            await writer.create(CONFIGMAPS, "team-a", name)
        backup = await asyncio.to_thread(run.cluster.snapshot)
        run.bridge.start()
        await run.synced()
        for number in range(30):
            await writer.create(CONFIGMAPS, "team-a", f"later-{number}")
        await writer.delete(CONFIGMAPS, "team-a", "deleted-later")
        await run.caught_up(writer)
        run.bridge.kill()
        await asyncio.to_thread(run.cluster.rewind, backup)
        run.bridge.start()
        # the writer's ledger is of a history that is no more: another one goes on
        await run.caught_up(await run.writer(CONFIGMAPS, seed=2))
        report = await run.verdict(Ledger([], set(), (await writer.ledger()).final))

    assert report.ok
    assert report.restarts == {"configmaps initial": 1, "configmaps rewound": 1}


@pytest.mark.parametrize("down", [False, True], ids=["under the running bridge", "while it is down"])
async def test_a_history_that_went_back_to_before_deletes_is_told(
    new_cluster: Clusters, broker: Broker, tmp_path: Path, down: bool
) -> None:
    """The position stays before deletes, so the restored server has it, and objects that consumers have not."""
    name = f"undeleted-{down}".lower()
    async with trial(new_cluster(), broker, tmp_path, [{"resource": "configmaps", "topic": name}], name=name) as run:
        writer = await run.writer(CONFIGMAPS)
        names = [f"gone-{number}" for number in range(100)]  # more versions than the server's start hands out
        await asyncio.gather(*(writer.create(CONFIGMAPS, "team-a", each) for each in names))
        run.bridge.start()
        await run.caught_up(writer)
        backup = await asyncio.to_thread(run.cluster.snapshot)
        ledger = await writer.ledger()
        await asyncio.gather(*(writer.delete(CONFIGMAPS, "team-a", each) for each in names))
        await _deletes(run, len(names))
        if down:
            run.bridge.kill()
        await asyncio.to_thread(run.cluster.rewind, backup)
        if down:
            run.bridge.start()
        run.bridge.says('"rewound"', 60)
        await run.synced()
        report = await run.verdict(Ledger([], set(), ledger.final))

    assert report.ok
    assert report.restarts == {"configmaps initial": 1, "configmaps rewound": 1}


async def _deletes(run: Trial, count: int) -> None:
    """Until so many are told. `caught_up` would write once more, and move the position past them."""
    async with asyncio.timeout(60):
        while True:
            if sum(value.type == "DELETED" for value in await _values(run)) == count:
                return
            await asyncio.sleep(0.2)


async def _values(run: Trial) -> list[Envelope]:
    return [
        record.value for log in await run.logs() for record in map(parse, log.entries) if not isinstance(record, str)
    ]


async def test_a_resource_that_is_gone_and_comes_back(new_cluster: Clusters, broker: Broker, tmp_path: Path) -> None:
    """Consumers learn that nothing is left, and later of what there is again: no epoch goes on over that time."""
    watches = [{"resource": "widgets.example.com", "name": "widgets", "topic": "back.widgets"}]
    async with trial(new_cluster(), broker, tmp_path, watches, name="back") as run:
        writer = await run.writer(WIDGETS)
        await writer.create(WIDGETS, "team-a", "before")
        run.bridge.start()
        await run.synced()
        await writer.delete(WIDGETS, "team-a", "before")
        await run.kube.delete(f"{CRDS}/widgets.example.com")
        await asyncio.to_thread(run.bridge.says, '"resource_removed"', 90)
        await make_widgets(run.kube)
        await writer.create(WIDGETS, "team-a", "after")
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert report.ok
    assert report.restarts == {"widgets initial": 1, "widgets resource_removed": 2}
