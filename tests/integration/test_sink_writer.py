"""The door on a real broker: what is committed, what a successor finds, and what consumers end with."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.config.units import Duration, Size
from bridge.model.checkpoint import Checkpoint, Phase, Restart, Resume
from bridge.model.event import ChangeType, Event, Progress, RestartReason
from bridge.model.position import NO_EPOCH, Epoch, Position, ResourceVersion
from bridge.model.resource import Resource, Selection
from bridge.sink import covers
from bridge.sink.connection import KafkaFault
from bridge.sink.draft import FULL
from bridge.sink.route import partition_of
from bridge.sink.writer import Writer
from tests.audit.topics import read_topic
from tests.servers.kafka import Broker
from tests.sink.stage import (
    Stage,
    change,
    fresh,
    listed,
    restarted,
    sockets,
    stage,
    synced,
)

DELETED = ChangeType.DELETED


def types(values: list[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values]


def marked(values: list[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values if value["key"] == "pods"]


def position(epoch: int, version: int, time: int = 1) -> Position:
    return Position(Epoch(epoch), ResourceVersion(str(version)), time)


async def snapshot(writer: Writer, epoch: int, names: list[str], version: int = 100, **more: Any) -> None:  # noqa: ANN401
    """A whole epoch's beginning."""
    changes: list[Event] = [listed(name, n + 1, **more) for n, name in enumerate(names)]
    await writer.write([restarted(epoch), *changes, synced(epoch, version)])


async def checkpoints_in(at: Stage) -> list[Checkpoint]:
    """Every one that was ever committed, in order."""
    target = covers.target_of(at.config.checkpoint_topic, at.config.checkpoints.partitions, "pods")
    log = await read_topic(at.bootstrap, target.topic)
    return [covers.decode(entry.value).checkpoint for entry in log.entries if entry.key == b"pods"]


async def test_a_successor_finds_the_place_and_the_objects(broker: Broker) -> None:
    at = stage(broker.bootstrap)
    first = await at.open()
    assert first.start == Restart(RestartReason.INITIAL, "no checkpoint", NO_EPOCH, None)
    assert first.index == {}
    await snapshot(first.writer, 1000, ["x", "y"])
    await first.writer.write(
        [change("x", 101), change("y", 102, DELETED), change("z", 103, ChangeType.ADDED, fresh=True)]
    )
    await first.writer.close()

    second = await at.open()

    found = second.writer.checkpoint
    assert isinstance(second.start, Resume)
    assert (second.start.position.epoch, second.start.position.version) == (1000, "103")
    assert second.index == {"pods/a/x": "uid-x", "pods/a/z": "uid-z"}
    assert (found.epoch, found.phase, found.identity, found.partitions) == (
        1000,
        Phase.LIVE,
        at.identity(),
        {at.topic: 3},
    )
    await second.writer.close()


async def test_an_epoch_is_told_in_every_partition(broker: Broker) -> None:
    """Also in those where no object went: their consumers wait for SYNCED too."""
    at = stage(broker.bootstrap, partitions=5)
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x", "y", "z"])
    await opened.writer.write([change("x", 101)])
    await opened.writer.close()

    values = await at.values()

    assert sorted(values) == [0, 1, 2, 3, 4]
    for partition, told in values.items():
        count = types(told).count("LISTED")
        assert types(told)[: count + 2] == ["RESTARTED", *["LISTED"] * count, "SYNCED"]
        assert (told[0]["partition"], told[0]["partitions"], told[count + 1]["objects"]) == (partition, 5, count)
    assert sum(types(told).count("LISTED") for told in values.values()) == 3
    home = partition_of(b"pods/a/x", 5)
    assert types(values[home])[-1] == "MODIFIED"


async def test_a_relist_that_did_not_finish_is_begun_anew(broker: Broker) -> None:
    at = stage(broker.bootstrap)
    first = await at.open()
    await first.writer.write([restarted(1000), listed("x", 1)])
    await first.writer.kill()

    second = await at.open()

    assert second.start == Restart(RestartReason.INTERRUPTED, "the relist before did not finish", Epoch(1000), None)
    assert second.index == {"pods/a/x": "uid-x"}
    await second.writer.close()


async def test_a_zombie_writes_nothing_and_its_successor_misses_nothing(broker: Broker) -> None:
    """Fence first, read then: what the old owner committed until it was fenced is in what the new one reads."""
    at = stage(broker.bootstrap)
    old = await at.open()
    await snapshot(old.writer, 1000, ["x"])

    writing = asyncio.create_task(_write_until_it_fails(old.writer))
    await asyncio.sleep(0.5)
    new = await at.open()
    committed = await writing

    assert isinstance(new.start, Resume)
    assert new.start.position.version == str(committed)
    await new.writer.write([change("x", committed + 1)])
    await new.writer.close()
    versions = [
        int(v["resourceVersion"]) for told in (await at.values()).values() for v in told if v["type"] == "MODIFIED"
    ]
    assert versions == list(range(101, committed + 2))


async def _write_until_it_fails(writer: Writer) -> int:
    """The last version that it was told is committed."""
    version = 100
    try:
        while True:
            await writer.write([change("x", version + 1)])
            version += 1
    except KafkaFault:
        return version


async def test_each_transaction_has_the_checkpoint_of_its_records(broker: Broker) -> None:
    """A backlog goes in bounded transactions: a crash between them costs no record and repeats none."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x"])
    before = len(await checkpoints_in(at))
    count = 5 * FULL // 2 // 500_000
    await opened.writer.write([change("x", 200 + n, size=500_000) for n in range(count)])
    await opened.writer.close()

    found = [each.position.version for each in (await checkpoints_in(at))[before:] if each.position]
    log = await read_topic(broker.bootstrap, at.topic)
    versions = {entry.offset: json.loads(entry.value).get("resourceVersion") for entry in log.entries}
    last_before_a_gap = [versions[offset] for offset in versions if offset + 1 not in versions]

    assert len(found) == 3
    assert found == last_before_a_gap[-3:], "a transaction's end leaves a gap of one offset in the log"


async def test_a_write_without_records_still_advances_the_checkpoint(broker: Broker) -> None:
    """Bookmarks come every minute. Consumers are told once per interval; a resume always starts from the last one."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, [])
    for version in (110, 120, 130):
        await opened.writer.write([Progress(position(1000, version))])
    await opened.writer.close()

    assert marked((await at.values())[0]) == ["RESTARTED", "SYNCED", "PROGRESS"]
    successor = await at.open()
    assert successor.start == Resume(position(1000, 130))
    await successor.writer.close()


async def test_progress_is_told_once_per_interval(broker: Broker) -> None:
    at = stage(broker.bootstrap, partitions=1)
    at = replace(at, config=replace(at.config, progress_interval=Duration(1.0)))
    opened = await at.open()
    await snapshot(opened.writer, 1000, [])
    for version, wait in ((110, 0.0), (120, 1.0), (130, 0.0)):
        await asyncio.sleep(wait)
        await opened.writer.write([Progress(position(1000, version))])
    await opened.writer.close()

    told = [value["resourceVersion"] for value in (await at.values())[0] if value["type"] == "PROGRESS"]
    assert told == ["110", "120"]


async def test_an_object_that_is_too_large_goes_as_its_metadata(broker: Broker) -> None:
    """1.4 MB in a ConfigMap, and a topic that takes a megabyte: incompressible, so nothing but size saves it."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    huge, large = change("x", 101, size=1_400_000), change("x", 102, size=1_000_000)
    await snapshot(opened.writer, 1000, ["x"])
    await opened.writer.write([huge, large])
    await opened.writer.close()

    told = (await at.values())[0][-2:]

    assert [value.get("oversize") for value in told] == [len(huge.body), None]
    assert told[0]["object"]["metadata"]["name"] == "x"
    assert "data" not in told[0]["object"]
    assert len(told[1]["object"]["data"]) == 1_000_000


async def test_the_largest_object_that_is_not_reduced_is_accepted(broker: Broker) -> None:
    """Byte by byte around the limit, uncompressed: the broker never refuses what we think fits."""
    at = stage(broker.bootstrap, partitions=1, max_message_bytes=Size(20_000), compression="none")
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x"])
    body = json.loads(change("x", 101).body)
    overhead = len(change("x", 101).body)
    events: list[Event] = []
    for n in range(500):
        text = json.dumps(body | {"data": "d" * (19_300 - overhead + n)}).encode()
        events.append(replace(change("x", 101 + n), body=text))

    await opened.writer.write(events)
    await opened.writer.close()

    told = (await at.values())[0][-500:]
    reduced = ["oversize" in value for value in told]
    assert reduced == sorted(reduced)
    assert 0 < reduced.count(True) < 500


async def test_at_least_once_keeps_place_and_objects_too(broker: Broker) -> None:
    at = stage(broker.bootstrap, delivery="at-least-once")
    first = await at.open()
    await snapshot(first.writer, 1000, ["x", "y"])
    await first.writer.write([change("y", 101, DELETED), change("x", 102)])
    await first.writer.close()

    second = await at.open()

    assert isinstance(second.start, Resume)
    assert (second.start.position.version, second.index) == ("102", {"pods/a/x": "uid-x"})
    await second.writer.close()


async def test_a_namespaced_stream_has_its_topic_from_the_start(broker: Broker) -> None:
    prefix = fresh("scoped")
    at = stage(broker.bootstrap, prefix + ".{namespace}", partitions=1)
    pods = Resource("", "v1", "pods", "Pod", namespaced=True)
    identity = replace(at.identity(), selection=Selection(pods, "shop"))
    opened = await Writer.open(at.config, at.spec, identity)
    await snapshot(opened.writer, 1000, [])
    await opened.writer.close()

    assert types((await at.values(f"{prefix}.shop"))[0]) == ["RESTARTED", "SYNCED"]


async def test_opening_that_fails_leaves_nothing_behind(broker: Broker) -> None:
    at = stage(broker.bootstrap, create=False)
    await asyncio.sleep(0.2)
    tasks, open_sockets = asyncio.all_tasks(), sockets()

    with pytest.raises(KafkaFault, match="there is no topic"):
        await at.open()

    await asyncio.sleep(0.2)
    assert (asyncio.all_tasks(), sockets()) == (tasks, open_sockets)


async def test_killed_brokers_cost_no_record_and_double_none(new_broker: Callable[..., Broker]) -> None:
    """SIGKILL in the middle of transactions, twice. One recovery path: kill, open again, go on from the checkpoint."""
    broker = new_broker()
    at = stage(broker.bootstrap, partitions=3, transaction_timeout=Duration(5.0))
    opened = await at.open()
    await snapshot(opened.writer, 1000, ["x"])
    await opened.writer.close()
    work = Work()
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(work.go_on(at))
        for _ in range(2):
            await work.advanced()
            await asyncio.to_thread(broker.restart, kill=True)
        await work.advanced()
        writing.cancel()

    values = [value for told in (await at.values()).values() for value in told]
    versions = sorted(int(value["resourceVersion"]) for value in values if value["type"] == "MODIFIED")
    assert versions == list(range(101, versions[-1] + 1))
    assert versions[-1] - work.done in (0, 10), "what was being committed when it was cancelled may be there or not"
    assert work.attempts > 2, "each kill costs the producer: the broker may have lost the end of its transaction"


class Work:
    """Writes a version after the other, ten in a transaction; after each failure from the checkpoint on."""

    def __init__(self) -> None:
        self.attempts = 0
        self.done = 100

    async def go_on(self, at: Stage) -> None:
        while True:
            self.attempts += 1
            try:
                opened = await at.open()
            except KafkaFault:
                await asyncio.sleep(0.2)
                continue
            assert isinstance(opened.start, Resume)
            self.done = int(opened.start.position.version)
            try:
                while True:
                    await opened.writer.write([change(f"p{n % 40}", n) for n in range(self.done + 1, self.done + 11)])
                    self.done += 10
            except KafkaFault:
                pass
            finally:
                await opened.writer.kill()

    async def advanced(self) -> None:
        """By twenty transactions."""
        until = self.done + 200
        async with asyncio.timeout(60):
            while True:
                await asyncio.sleep(0.05)
                if self.done >= until:
                    return
