"""`event-bridge materialize` on a real broker: killed, restarted, given garbage, and right in the end, row by row."""

import asyncio
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from bridge.config.kafka import Sasl
from bridge.config.secret import Secret
from bridge.model.event import ChangeType, Event
from bridge.sink.route import partition_of
from bridge.sink.writer import Writer
from tests.audit.topics import read_topic
from tests.bridge_process import ROOT
from tests.integration.materializing import Materialize, audited, found, pour, snapshot, until
from tests.integration.test_sink_security import RULES
from tests.load import KINDS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.sink.stage import change, delete, fresh, grow, listed, make, restarted, stage, synced
from tests.trial import trial

ADDED, MODIFIED, DELETED = ChangeType.ADDED, ChangeType.MODIFIED, ChangeType.DELETED

Made = Callable[..., Materialize]


@pytest.fixture
def materialize(broker: Broker, tmp_path: Path) -> Iterator[Callable[..., Materialize]]:
    """For the topics that are given, on the shared broker. What still runs in the end is killed."""
    with ExitStack() as stack:

        def make_one(*topics: str, more: tuple[str, ...] = (), bootstrap: str = broker.bootstrap) -> Materialize:
            run = Materialize(bootstrap, list(topics), tmp_path, *more)
            stack.callback(run.close)
            return run

        yield make_one


async def storm(writer: Writer, dice: random.Random, rounds: int) -> None:
    """Changes in many transactions, with two gaps in which objects vanish."""
    alive = {f"pod-{n}": n + 1 for n in range(200)}
    version = 300
    await snapshot(writer, 1000, alive, version)
    for number in range(rounds):
        events: list[Event] = []
        for _ in range(20):
            version += 1
            name = f"pod-{dice.randrange(300)}"
            if name not in alive:
                events.append(change(name, version, ADDED, fresh=True))
            elif dice.random() < 0.3:
                events.append(change(name, version, DELETED))
                del alive[name]
                continue
            else:
                events.append(change(name, version, MODIFIED))
            alive[name] = version
        await writer.write(events)
        if number in (rounds // 3, 2 * rounds // 3):
            gone = dice.sample(sorted(alive), 30)
            for name in gone:
                del alive[name]
            version += 100
            await snapshot(writer, 1001 + number, alive, version, *gone)


@pytest.mark.integration(timeout=300)
async def test_killed_again_and_again_it_equals_the_audit(broker: Broker, materialize: Made) -> None:
    """State and offsets are one: no kill loses a change, or takes one twice."""
    at = stage(broker.bootstrap)
    run = materialize(at.topic)
    dice = random.Random(7)
    opened = await at.open()
    await storm(opened.writer, dice, 3)  # so that the topic is there
    kills = 0
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(storm_later(opened.writer, dice))
        while not writing.done() or kills < 6:
            process = run.start()
            before = run.offsets()
            await until(lambda before=before: run.offsets() > before or writing.done(), run)  # type: ignore[misc]
            await asyncio.sleep(dice.uniform(0, 0.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1

    code, said = await run.once()

    assert code == 0, said
    found = run.rows()
    assert len(found) > 50
    assert found == await audited(broker.bootstrap, at.topic)
    await opened.writer.close()


@pytest.mark.integration(timeout=400)
async def test_killed_in_a_storm_with_two_gaps_it_equals_the_cluster(
    new_cluster: Callable[[], Cluster], new_broker: Callable[[], Broker], materialize: Made, tmp_path: Path
) -> None:
    """From the API server to the row, with the bridge itself between, and every position expired twice."""
    broker = new_broker()
    watches = [{"resource": "configmaps", "topic": "k8s.things"}, {"resource": "pods", "topic": "k8s.pods"}]
    async with trial(new_cluster(), broker, tmp_path, watches) as bridged:
        writer = await bridged.writer(*KINDS, namespaces=["team-a", "team-b"], seed=11)
        bridged.bridge.start()
        await bridged.synced()
        run = materialize("k8s.things", "k8s.pods", bootstrap=broker.bootstrap)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(writer.work(40, 60.0))
            for number in range(10):
                process, before = run.start(), run.offsets()
                if number in (3, 6):
                    bridged.bridge.kill()
                    await asyncio.to_thread(bridged.cluster.expire_everything)
                    bridged.bridge.start()
                await until(lambda before=before: run.offsets() > before or writing.done(), run)  # type: ignore[misc]
                await asyncio.sleep(random.Random(number).uniform(0, 1))
                process.send_signal(signal.SIGKILL)
                process.wait()
        await bridged.caught_up(writer)
        ledger = await writer.ledger()

        code, said = await run.once()

        assert code == 0, said
        owed = {live.key: (live.uid, live.version) for live in ledger.final if live.resource in ("configmaps", "pods")}
        assert {key: state for (_, key), state in run.rows().items()} == owed
        assert len(owed) > 20
        report = await bridged.verdict(ledger)
        assert report.ok
        assert report.restarts["pods expired"] >= 1


async def storm_later(writer: Writer, dice: random.Random) -> None:
    """Epochs only grow: a second storm in the same stream begins where the first ended."""
    alive = {f"pod-{n}": 2000 + n for n in range(150)}
    await snapshot(writer, 5000, alive, 9000, *[f"pod-{n}" for n in range(150, 300)])
    version = 9000
    for number in range(60):
        events: list[Event] = []
        for _ in range(10):
            version += 1
            name = f"pod-{dice.randrange(150)}"
            events.append(change(name, version, MODIFIED))
            alive[name] = version
        await writer.write(events)
        await asyncio.sleep(0.1)
        if number in (20, 40):
            gone = dice.sample(sorted(alive), 5)
            version += 50
            await snapshot(writer, 5001 + number, {n: v for n, v in alive.items() if n not in gone}, version, *gone)
            await writer.write([change(name, version + 1, ADDED, fresh=True) for name in gone])
            version += 1
            alive |= dict.fromkeys(gone, version)


async def test_sigterm_ends_it_in_order_and_it_goes_on(broker: Broker, materialize: Made) -> None:
    """What a service manager does with it all day; the records are read once in all."""
    at = stage(broker.bootstrap)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1, "y": 2}, 10)
    run = materialize(at.topic)

    process = run.start()
    await until(lambda: run.offsets() > 0 and "synced" in run.log.read_text(), run)
    process.send_signal(signal.SIGTERM)

    assert await asyncio.to_thread(process.wait, 20) == 0, run.log.read_text()
    await opened.writer.write([change("x", 11)])
    code, said = await run.once()
    assert (code, said.splitlines()[-1]) == (0, "1 changes taken; the database holds 2 pods")
    assert run.rows() == await audited(broker.bootstrap, at.topic)
    await opened.writer.close()


async def test_the_topics_of_the_config_file_are_found(broker: Broker, tmp_path: Path) -> None:
    """With the bridge's own file nothing else needs to be typed; a topic of its that comes later is followed too."""
    prefix = fresh("cluster")
    config = tmp_path / "bridge.yaml"
    watch = f"{{resource: pods, topic: '{prefix}.{{resource}}.{{namespace}}'}}"
    config.write_text(f"kafka: {{bootstrapServers: '{broker.bootstrap}'}}\nwatches: [{watch}]\n")
    arguments = ["--db", str(tmp_path / "state.db"), "-c", str(config), "--once"]

    async def once() -> tuple[int, str]:
        command = [sys.executable, "-m", "bridge", "materialize", *arguments]
        ended = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stdout + ended.stderr

    code, said = await once()
    assert code == 1
    assert f"there is no topic {prefix}." in said

    opened = await stage(broker.bootstrap, f"{prefix}.{{resource}}.{{namespace}}", partitions=1).open()
    for epoch, namespace in ((1000, "a"), (2000, "b")):
        some = listed("x", 1, namespace="a"), listed("y", 2, namespace=namespace)
        await opened.writer.write([restarted(epoch), *some, synced(epoch, epoch)])
        code, said = await once()
        assert code == 0, said

    assert said.splitlines()[-1].endswith("the database holds 2 pods")
    await opened.writer.close()


async def test_new_partitions_are_followed(broker: Broker, materialize: Made) -> None:
    """Keys move when a topic grows: each object is in one place in the end, the new one."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {f"pod-{n}": n + 1 for n in range(20)}, 100)
    await opened.writer.close()
    run = materialize(at.topic)
    assert (await run.once())[0] == 0
    await grow(broker.bootstrap, at.topic, 3)
    opened = await at.open()
    await snapshot(opened.writer, 2000, {f"pod-{n}": n + 1 for n in range(20)}, 200)

    code, said = await run.once()

    assert code == 0, said
    found = run.rows()
    assert found == await audited(broker.bootstrap, at.topic)
    assert len({key for _, key in found}) == len(found) == 20
    await opened.writer.close()


async def test_members_of_a_group_share_the_partitions(broker: Broker, materialize: Made) -> None:
    """One more is started, one is killed: with one file on one machine nothing is taken twice or lost."""
    at = stage(broker.bootstrap, partitions=4)
    opened = await at.open()
    versions = {f"pod-{n}": n + 1 for n in range(40)}
    await snapshot(opened.writer, 1000, versions, 100)
    run = materialize(at.topic, more=("--group", fresh("group")))
    first = run.start()
    await until(lambda: run.offsets() > 0, run)
    second = run.start()
    wanted = await audited(broker.bootstrap, at.topic)
    await until(lambda: found(run) == wanted, run)
    first.send_signal(signal.SIGKILL)
    first.wait()

    await opened.writer.write([change(name, 101 + n) for n, name in enumerate(versions)])

    wanted = await audited(broker.bootstrap, at.topic)
    await until(lambda: found(run) == wanted, run)
    second.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(second.wait, 20) == 0, run.log.read_text()
    await opened.writer.close()


async def test_garbage_is_passed_over_and_told(broker: Broker, materialize: Made) -> None:
    """Nothing of the state is lost by what others write into the topic."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1}, 10)
    await pour(broker.bootstrap, at.topic, [b"hello", b'{"kind":"Pod"}', b"\xff", *[b"[]"] * 300])
    await opened.writer.write([change("x", 11)])
    run = materialize(at.topic)

    code, said = await run.once()

    assert code == 0, said
    assert "passed over: JSON is malformed" in said
    assert "passed over: it is a bare Kubernetes object, without the envelope" in said
    assert f"{at.topic}: 303 records passed over: none of the protocol's" in said
    assert said.count("at offset") == 5
    assert run.rows() == {(0, "pods/a/x"): ("uid-x", "11")}
    await opened.writer.close()


async def test_a_topic_of_another_format_is_refused(broker: Broker, materialize: Made) -> None:
    """Not taken for a cluster without objects. What the file held of other topics stays."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1}, 10)
    assert (await materialize(at.topic).once())[0] == 0
    many, few = fresh("foreign"), fresh("foreign")
    for topic, count in ((many, 150), (few, 3)):
        await make(broker.bootstrap, topic, 1)
        await pour(broker.bootstrap, topic, [b'{"specversion":"1.0"}'] * count)

    code, said = await materialize(many).once()
    assert code == 1
    assert f"topic {many} holds nothing of the bridge's: 100 records were read, and none is of the protocol" in said
    assert "it is a CloudEvent" in said

    code, said = await materialize(few).once()
    assert code == 1
    assert f"nothing in {few} is a record of the bridge's" in said

    assert materialize().rows() == {(0, "pods/a/x"): ("uid-x", "1")}
    await opened.writer.close()


async def test_a_topic_that_does_not_exist_is_named_and_not_made(broker: Broker, materialize: Made) -> None:
    """A typing error must not leave a topic behind."""
    name = fresh("nowhere")

    code, said = await materialize(name).once()

    assert code == 1
    assert said.startswith(f"event-bridge materialize: there is no topic {name}, or no permission")
    with pytest.raises(LookupError):
        await asyncio.wait_for(read_topic(broker.bootstrap, name), 20)


async def test_a_login_by_flags(new_broker: Callable[..., Broker], materialize: Made, tmp_path: Path) -> None:
    """Consumers are seldom those who have the bridge's config file. A refusal is told at once, and not waited out."""
    broker = new_broker(RULES)
    at = stage(broker.bootstrap, sasl=Sasl(mechanism="PLAIN", username="admin", password=Secret("a")))
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1}, 10)
    await opened.writer.close()

    async def run_as(login: str, password: str) -> tuple[int, str]:
        (tmp_path / "password").write_text(f"{password}\n")
        flags = ("--sasl", login, "--password-file", str(tmp_path / "password"))
        return await materialize(at.topic, more=flags, bootstrap=broker.bootstrap).once()

    code, said = await run_as("PLAIN:admin", "wrong")
    assert (code, "refused the login of admin" in said) == (1, True), said
    code, said = await run_as("PLAIN:bob", "b")
    assert (code, "or no permission to see it" in said) == (1, True), said
    code, said = await run_as("PLAIN:admin", "a")
    assert (code, said.splitlines()[-1]) == (0, "1 changes taken; the database holds 1 pods"), said


async def test_a_topic_made_anew_is_read_anew(broker: Broker, materialize: Made) -> None:
    """Its offsets mean nothing any more, and partitions that it no longer has will never be swept by a marker."""
    topic = fresh("again")
    await make(broker.bootstrap, topic, 3)
    first = stage(broker.bootstrap, topic)
    opened = await first.open()
    await snapshot(opened.writer, 1000, {f"pod-{n}": n + 1 for n in range(30)}, 100)
    await opened.writer.close()
    run = materialize(topic)
    assert (await run.once())[0] == 0
    assert len(run.rows()) == 30
    await delete(broker.bootstrap, topic)
    await make(broker.bootstrap, topic, 1)
    opened = await stage(broker.bootstrap, topic).open()
    await snapshot(opened.writer, 2000, {"pod-1": 200}, 300)

    code, said = await run.once()

    assert code == 0, said
    assert "records are missing" in said
    assert run.rows() == {(0, "pods/a/pod-1"): ("uid-pod-1", "200")}
    await opened.writer.close()


async def test_records_deleted_by_retention_are_missed_and_told(broker: Broker, materialize: Made) -> None:
    """A consumer that was away for too long: what it holds may be gone, and is swept by the next epoch."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1, "y": 2}, 10)
    run = materialize(at.topic)
    assert (await run.once())[0] == 0
    await opened.writer.write([change("y", 11, DELETED), change("z", 12, ADDED, fresh=True)])
    await truncate(broker.bootstrap, at.topic)
    await opened.writer.write([change("x", 13)])

    code, said = await run.once()
    assert code == 0, said
    assert f"{at.topic}[0] from offset " in said
    assert f"{at.topic}[0] pods: incomplete: its last snapshot was not read whole" in said

    await snapshot(opened.writer, 2000, {"x": 13, "z": 12}, 20)
    code, said = await run.once()
    assert (code, "incomplete" in said) == (0, False)
    assert run.rows() == {(0, "pods/a/x"): ("uid-x", "13"), (0, "pods/a/z"): ("uid-z", "12")}
    await opened.writer.close()


async def truncate(bootstrap: str, topic: str) -> None:
    """Delete all records of partition 0, as retention does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(before_offset=-1)})
    finally:
        await admin.close()


async def test_a_broker_that_restarts_is_waited_for(new_broker: Callable[[], Broker], materialize: Made) -> None:
    """Kafka is restarted all the time; nobody restarts its consumers then."""
    broker = new_broker()
    at = stage(broker.bootstrap)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1, "y": 2}, 10)
    await opened.writer.close()
    run = materialize(at.topic, bootstrap=broker.bootstrap)
    process = run.start()
    await until(lambda: bool(found(run)), run)
    await asyncio.to_thread(broker.kill)
    late = materialize(at.topic, bootstrap=broker.bootstrap).start()  # it is not there when Kafka is not: it waits too
    await until(lambda: "waiting" in run.log.read_text(), run)
    await asyncio.to_thread(broker.start)
    opened = await at.open()
    await opened.writer.write([change("x", 11)])

    wanted = await audited(broker.bootstrap, at.topic)
    await until(lambda: found(run) == wanted, run)

    assert Counter(version for _, version in wanted.values()) == {"11": 1, "2": 1}
    for one in (process, late):
        one.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(one.wait, 10) == 0, run.log.read_text()
    await opened.writer.close()


async def test_sigterm_ends_it_while_kafka_is_away(new_broker: Callable[[], Broker], materialize: Made) -> None:
    """A machine is shut down in any order."""
    broker = new_broker()
    at = stage(broker.bootstrap)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {"x": 1}, 10)
    await opened.writer.close()
    run = materialize(at.topic, bootstrap=broker.bootstrap)
    process = run.start()
    await until(lambda: bool(found(run)), run)
    await asyncio.to_thread(broker.kill)
    late = run.start()
    await until(lambda: "waiting" in run.log.read_text(), run)

    for one in (process, late):
        one.send_signal(signal.SIGTERM)

        assert await asyncio.to_thread(one.wait, 10) == 0, run.log.read_text()
    assert found(run) == {(partition_of(b"pods/a/x", 3), "pods/a/x"): ("uid-x", "1")}


async def test_a_full_disk_is_told_and_loses_nothing(broker: Broker, materialize: Made) -> None:
    """With room again it goes on where it was."""
    at = stage(broker.bootstrap, partitions=1)
    opened = await at.open()
    await snapshot(opened.writer, 1000, {f"pod-{n}": n + 1 for n in range(50)}, 100)
    run = materialize(at.topic)
    assert (await run.once())[0] == 0
    before = run.rows()
    await opened.writer.write([change("large", 101, ADDED, size=400_000, fresh=True)])
    command = 'ulimit -f 200; exec "$@" --once'  # of 1,024 bytes
    ended = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-c", command, "limited", sys.executable, "-m", "bridge", "materialize", *run.arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert "What was committed before is whole, state and offsets: free space on the disk" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert run.rows() == before

    assert (await run.once())[0] == 0
    assert run.rows() == await audited(broker.bootstrap, at.topic)
    await opened.writer.close()
