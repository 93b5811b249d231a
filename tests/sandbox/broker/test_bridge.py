"""The bridge's own sink on the sandbox's broker: demos and the bridge's tests without a Kafka rest on it."""

from typing import Any

from bridge.model.checkpoint import Resume
from bridge.model.event import ChangeType
from bridge.sandbox.broker.server import Broker, Options
from bridge.sink.batch import Batches
from bridge.sink.covers import target_of
from bridge.sink.route import Target
from tests.integration.test_sink_hanging import hide
from tests.sink.stage import change, listed, restarted, stage, synced


def types(values: list[dict[str, Any]]) -> list[str]:
    return [value["type"] for value in values]


async def test_a_killed_writer_is_taken_over_exactly_where_it_was() -> None:
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1)
        first = await at.open()
        await first.writer.write([restarted(1000), listed("x", 1), listed("y", 2), synced(1000, 100)])
        await first.writer.write([change("x", 101), change("y", 102, ChangeType.DELETED)])
        await first.writer.kill()

        second = await at.open()
        await second.writer.write([change("x", 103)])
        await second.writer.close()
        values = (await at.values())[0]

    assert isinstance(second.start, Resume)  # a position stays before a delete
    assert (second.start.position.epoch, second.start.position.version) == (1000, "101")
    assert second.index == {"pods/a/x": "uid-x"}
    assert types(values) == ["RESTARTED", "LISTED", "LISTED", "SYNCED", "MODIFIED", "DELETED", "MODIFIED"]


async def test_what_a_killed_writer_left_open_is_seen_by_nobody() -> None:
    async with Broker() as broker:
        at = stage(broker.bootstrap, partitions=1)
        first = await at.open()
        await first.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        left = Batches({})
        left.add(Target(at.topic, 0), b"open", b"{}")
        await first.writer._producer._open(left.runs, 1)
        await first.writer.kill()

        second = await at.open()
        await second.writer.write([change("x", 101)])
        await second.writer.close()
        values = (await at.values())[0]

    assert types(values) == ["RESTARTED", "LISTED", "SYNCED", "MODIFIED"]


async def test_a_transaction_whose_end_was_lost_is_settled() -> None:
    """As on the real one, in tests/integration/test_sink_hanging.py."""
    async with Broker(options=Options(verify=False)) as broker:
        at = stage(broker.bootstrap, partitions=2)
        opened = await at.open()
        await opened.writer.write([restarted(1000), listed("a", 1), listed("b", 2), synced(1000, 100)])
        checkpoint = target_of(at.config.checkpoint_topic, at.config.checkpoints.partitions, at.spec.name)
        hide(opened.writer._producer, checkpoint, *(Target(at.topic, partition) for partition in (0, 1)))
        await opened.writer.write(
            [change("a", 101), change("b", 102, ChangeType.DELETED), change("c", 103, fresh=True)]
        )
        await opened.writer.kill()

        opened = await at.open()
        await opened.writer.close()
        values = [value for told in (await at.values()).values() for value in told]

    assert opened.index == {"pods/a/a": "uid-a", "pods/a/c": "uid-c"}
    told = sorted((value["resourceVersion"], value["type"]) for value in values if "object" in value)
    assert told == [("1", "LISTED"), ("101", "MODIFIED"), ("102", "DELETED"), ("103", "MODIFIED"), ("2", "LISTED")]
