"""`event-bridge status` on the sandbox's broker: of a bridge that is alone, of none at all, and as a picture."""

import asyncio
import io
import tracemalloc
from contextlib import redirect_stdout

import pytest
from msgspec.structs import replace

from bridge.cli.status import draw
from bridge.config.tree import Config
from bridge.model.event import ChangeType
from bridge.sandbox.broker.server import Broker
from bridge.sink import covers
from bridge.sink.batch import Batches
from bridge.sink.checkpoints import read_all
from bridge.sink.producer import Producer
from bridge.sink.writer import Writer
from bridge.status.report import Replica, Report, RestartState, StreamStatus
from bridge.status.run import ALONE, NOT_YET, SHARING, UNKNOWN, UNOWNED, look
from tests.ownership import test_member as group
from tests.ownership.test_member import config_of, replicas
from tests.sink.stage import Stage, change, listed, restarted, stage, synced


async def committed(broker: Broker) -> Stage:
    """A stream with one object, which nobody runs now."""
    at = stage(broker.bootstrap)
    opened = await at.open()
    await opened.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
    await opened.writer.close()
    return at


def alone(config: Config) -> Config:
    return replace(config, standalone=True)


async def test_a_standalone_bridge_has_a_place_and_no_owner() -> None:
    """Without a group nobody can say who runs it: that is no problem by itself."""
    async with Broker() as broker:
        at = await committed(broker)
        report = await look(alone(at.config), "bridge.yaml")

    (state,) = report.streams
    assert (report.ok, report.group, report.replicas) == (True, None, ())
    assert (state.name, state.owner, state.phase, state.epoch) == ("pods", None, "live", 1000)
    assert (state.resource_version, state.objects, state.problem) == ("100", 1, "")
    assert state.restart is not None
    assert (state.restart.reason, state.restart.message) == ("initial", "because")


async def test_a_stream_that_nobody_runs_is_a_problem() -> None:
    """The page that is looked at when nothing comes any more."""
    async with Broker() as broker:
        at = await committed(broker)
        report = await look(at.config, "bridge.yaml")

    assert (report.ok, [state.problem for state in report.streams]) == (False, [UNOWNED])


async def test_before_the_first_start_nothing_has_begun() -> None:
    """Not even the checkpoint topic is there, and none is made."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        report = await look(alone(at.config), "bridge.yaml")
        again = await look(alone(at.config), "bridge.yaml")

    assert (report.ok, [state.problem for state in report.streams]) == (False, [ALONE])
    assert report == again


async def test_a_standalone_file_beside_replicas_is_told_that_it_waits() -> None:
    """Its bridge runs nothing: to show its streams as fine would send people to the wrong log."""
    async with Broker() as broker:
        config = config_of(broker)
        async with replicas(config, "a", "b"):
            report = await look(alone(config), "bridge.yaml")

    assert not report.ok
    assert report.problem == f"replicas of the name {config.name} run on a, b. Stop them, or change `name` here."
    told = drawn(report)
    assert "standalone" not in told
    assert f"bridge: {report.problem}" in " ".join(told.split())


def drawn(report: Report) -> str:
    text = io.StringIO()
    with redirect_stdout(text):
        draw(report)
    return text.getvalue()


def test_what_befalls_many_streams_is_said_once() -> None:
    """Fifty streams that nobody runs are one trouble."""
    (one, *_) = REPORT.streams
    report = replace(REPORT, streams=tuple(replace(one, name=name, problem=UNOWNED) for name in "abc"))

    assert f"a, b, c: {UNOWNED}" in " ".join(drawn(report).split())


async def test_while_replicas_share_anew_nobody_is_said_to_run_nothing() -> None:
    """Kafka tells nothing of members meanwhile, which lasts a session where one is frozen; streams go on."""
    async with Broker() as broker:
        config = config_of(broker)
        async with replicas(config, "a", "b") as (a, b):
            await asyncio.sleep(5)
            await b.freeze()
            newcomer = group.Replica(config, "c", a.running)
            newcomer.start()
            await asyncio.sleep(1)
            report = await look(config, "bridge.yaml")
            await newcomer.freeze()
            for number in [number for number, name in a.running.items() if name != "a"]:
                del a.running[number]

    assert {state.problem for state in report.streams} == {SHARING}


async def test_a_stream_that_the_file_has_no_more_is_shown_as_such() -> None:
    """It is what remains of a watch that was removed, or renamed by mistake."""
    async with Broker() as broker:
        at = await committed(broker)
        renamed = replace(at.config, watches=(replace(at.config.watches[0], name="renamed"),))
        report = await look(alone(renamed), "bridge.yaml")

    assert [(state.name, state.configured, state.objects) for state in report.streams] == [
        ("renamed", True, None),
        ("pods", False, 1),
    ]


@pytest.mark.parametrize("delivery", ["exactly-once", "at-least-once"])
async def test_objects_are_those_that_there_are(delivery: str) -> None:
    """Deleted ones are none, whatever was said of them; and what does not know its own number is counted."""
    async with Broker() as broker:
        at = stage(broker.bootstrap, delivery=delivery)
        opened = await at.open()
        await opened.writer.write([restarted(1000), *(listed(f"x{n}", n) for n in range(1, 10)), synced(1000, 100)])
        await opened.writer.write([change(f"x{n}", 100 + n, ChangeType.DELETED) for n in range(1, 4)])
        await opened.writer.write([change("x5", 200), change("y", 201, ChangeType.ADDED, fresh=True)])
        await opened.writer.close()
        report = await look(alone(at.config), "bridge.yaml")
        await _forget_number(at, opened.writer)
        again = await look(alone(at.config), "bridge.yaml")

    assert [state.objects for state in report.streams] == [7]
    assert [state.objects for state in again.streams] == [7]


async def _forget_number(at: Stage, writer: Writer) -> None:
    """Write the checkpoint without the number of objects, as a hand or another version might."""
    topic, batches = at.config.checkpoint_topic, Batches({})
    checkpoint = replace(writer.checkpoint, indexed=0, began=None)
    batches.add(
        covers.target_of(topic, at.config.checkpoints.partitions, "pods"), b"pods", covers.encode(checkpoint, 1)
    )
    producer = await Producer.start(at.config.kafka, "by-hand")
    await producer.track([topic])
    await producer.publish(Batches({}), batches, 1)
    await producer.kill()


async def test_a_large_index_is_not_kept_in_memory() -> None:
    """Whoever looks at the status of a large cluster has a small machine: only the checkpoints are kept."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        opened = await at.open()
        objects = [listed(f"x{n}", n, namespace="n" * 60) for n in range(1, 20_001)]
        await opened.writer.write([restarted(1000), *objects, synced(1000, 100)])
        await opened.writer.close()
        tracemalloc.start()
        try:
            summary = (await read_all(at.config))["pods"]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert summary.indexed == 20_000
    assert peak < 4 << 20


async def test_kafka_that_is_away_is_told_in_one_line() -> None:
    report = await look(stage("127.0.0.1:1").config, "bridge.yaml")

    assert (report.ok, report.streams) == (False, ())
    assert report.problem.startswith("no broker of kafka.bootstrapServers (127.0.0.1:1) can be used")


REPORT = Report(
    ok=False,
    config="bridge.yaml",
    checkpoints="kube-event-bridge.checkpoints",
    group="kube-event-bridge",
    replicas=(
        Replica("event-bridge-7d4b9c6f5-x2lqv", "m-1", "10.0.0.7", 1),
        Replica("other-1", "m-2", "10.0.0.8", 0, "it runs on web-1; the same streams, otherwise defined"),
    ),
    streams=(
        StreamStatus(
            "pods.team-a",
            "event-bridge-7d4b9c6f5-x2lqv",
            7,
            "live",
            1795600000000,
            "812345",
            3.0,
            3.0,
            RestartState("expired", "too old resource version", 1795600000.0),
            417,
            configured=True,
        ),
        StreamStatus("events", None, 25, "live", 5, "1", 90_000.0, None, None, 1, configured=True, problem=UNOWNED),
        StreamStatus("old", None, 3, None, None, None, None, None, None, None, configured=False),
    ),
)


def test_the_table_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """In 80 columns, without colours when piped."""
    monkeypatch.setenv("COLUMNS", "80")
    text = io.StringIO()
    with redirect_stdout(text):
        draw(REPORT)
    lines = [line.rstrip() for line in text.getvalue().splitlines() if line.strip()]

    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["replica", "address", "streams"]
    assert lines[2].split() == ["other-1", "10.0.0.8", "waits"]
    assert any("not in the file" in line for line in lines)
    assert "replica other-1: waits: it runs on web-1; the same streams, otherwise defined" in " ".join(lines)
    assert f"events: {UNOWNED}" in " ".join(lines)


async def test_a_changed_file_that_waits_for_others_is_told() -> None:
    """Who has changed the ConfigMap asks why nothing happens. It is no problem: everything runs."""
    async with Broker() as broker:
        config = config_of(broker)
        async with replicas(config, "a", "b") as (a, b):
            await asyncio.sleep(5)
            changed = config_of(broker, "[{resource: pods}, {resource: events, labelSelector: a=b}]")
            a.member.offer(changed)
            await asyncio.sleep(5)
            during = await look(config, "bridge.yaml")
            b.member.offer(changed)
            await asyncio.sleep(5)
            after = await look(changed, "bridge.yaml")

    waiting = "it waits until b has it, too; all go on with the one before"
    assert [(each.host, each.waits, each.pending) for each in during.replicas] == [("a", "", waiting), ("b", "", "")]
    assert f"replica a: has a new file: {waiting}" in " ".join(drawn(during).split())
    assert [(each.waits, each.pending) for each in after.replicas] == [("", ""), ("", "")]
    assert {state.owner for state in after.streams} <= {"a", "b"}


async def test_a_stream_that_only_a_changed_file_has_is_not_said_to_lack_replicas() -> None:
    """They are there and well, and wait to have that file: whoever is told to start one looks in the wrong place."""
    async with Broker() as broker:
        config = config_of(broker, "[{resource: pods}]")
        async with replicas(config, "a", "b") as (a, _):
            await asyncio.sleep(5)
            changed = config_of(broker, "[{resource: pods}, {resource: nodes}]")
            a.member.offer(changed)
            await asyncio.sleep(5)
            report = await look(changed, "bridge.yaml")

    assert {state.name: state.problem for state in report.streams} == {"pods": UNKNOWN, "nodes": NOT_YET}
    assert "replica a: has a new file: it waits until b has it, too" in " ".join(drawn(report).split())
