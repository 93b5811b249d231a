"""Requests for a new epoch, on the sandbox's broker: heard by who runs the stream, followed once by its next owner."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.model.checkpoint import Restart, Resume
from bridge.model.event import RestartReason
from bridge.sandbox.broker.server import Broker
from bridge.sink.covers import decode_request, target_of
from bridge.sink.requests import Requests, ask
from bridge.supervisor import lasting
from tests.sink.stage import Stage, change, delete, listed, restarted, stage, synced


@asynccontextmanager
async def listening(at: Stage) -> AsyncIterator[tuple[Requests, int]]:
    """Requests that follow the stream's partition."""
    requests = Requests(at.config)
    partition = target_of("", at.config.checkpoints.partitions, "pods").partition
    async with asyncio.TaskGroup() as group:
        running = group.create_task(requests.run())
        await requests.follow(partition)
        yield requests, partition
        running.cancel()


async def test_a_request_reaches_who_runs_the_stream() -> None:
    """Within seconds: an operator waits for it."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        async with listening(at) as (requests, _):
            waiting = asyncio.ensure_future(requests.asked("pods", ""))
            other = asyncio.ensure_future(requests.asked("events", ""))
            await asyncio.sleep(5)
            assert not waiting.done()
            await ask(at.config, "pods", "me")
            await asyncio.wait_for(waiting, 5)
            assert not other.done()
            other.cancel()


async def test_a_request_that_is_known_is_not_heard_again() -> None:
    """It was read with the checkpoint while it was on its way here: once is enough."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        async with listening(at) as (requests, _):
            known = await ask(at.config, "pods", "me")
            waiting = asyncio.ensure_future(requests.asked("pods", known.id))
            await asyncio.sleep(5)
            assert not waiting.done()
            await ask(at.config, "pods", "me")
            await asyncio.wait_for(waiting, 5)


async def test_a_request_that_cannot_be_read_is_passed_over() -> None:
    """One odd record, by whatever hand, must not end every replica that follows the partition."""
    assert decode_request(b'{"id":"\xff"}') is None


async def test_a_broker_that_was_away_costs_no_request() -> None:
    """What is asked for while we look for it is in the log."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        async with listening(at) as (requests, partition):
            waiting = asyncio.ensure_future(requests.asked("pods", ""))
            await broker.stop()
            await asyncio.sleep(30)
            await broker.start()
            await ask(at.config, "pods", "me")
            await asyncio.wait_for(waiting, 30)
            await requests.follow(partition)


async def test_a_topic_that_is_made_anew_is_followed_again() -> None:
    """Who deletes the checkpoint topic begins anew; to ask for a new epoch must not need a restart on top of that."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        async with listening(at) as (requests, _):
            await ask(at.config, "pods", "me")
            await asyncio.wait_for(requests.asked("pods", ""), 5)
            await delete(broker.bootstrap, at.config.checkpoint_topic)
            await asyncio.sleep(30)
            waiting = asyncio.ensure_future(requests.asked("pods", ""))
            await ask(at.config, "pods", "me")
            await asyncio.wait_for(waiting, 30)


async def test_a_mistake_of_ours_leaves_no_stream_deaf() -> None:
    """It must end neither the replica nor the hearing: what was followed before is followed on."""
    async with Broker() as broker:
        at, mistakes = stage(broker.bootstrap), 3
        partition = target_of("", at.config.checkpoints.partitions, "pods").partition

        def ours(number: int) -> bool:
            nonlocal mistakes
            mistakes -= 1
            if mistakes >= 0:
                raise LookupError("a mistake")
            return number == partition

        requests = Requests(at.config, ours)
        running = asyncio.ensure_future(lasting("requests", requests.run))
        await requests.follow(partition)
        waiting = asyncio.ensure_future(requests.asked("pods", ""))
        await ask(at.config, "pods", "me")
        await asyncio.wait_for(waiting, 60)
        running.cancel()
        await asyncio.wait({running})


async def test_a_request_begins_an_epoch_at_the_next_take_over_and_once() -> None:
    """Also if nobody ran the stream when it was asked for, and whoever takes it over again afterwards."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        first = await at.open()
        await first.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        await first.writer.close()
        request = await ask(at.config, "pods", "me")

        second = await at.open()
        assert isinstance(second.start, Restart)
        assert (second.start.reason, second.start.message) == (RestartReason.REQUESTED, "asked for by me")
        await second.writer.kill()
        third = await at.open()
        assert third.start == second.start, "the one that died had said nothing of it"
        reason, previous = RestartReason.REQUESTED, third.start.previous
        await third.writer.write([restarted(2000, reason, previous), listed("x", 1, fresh=False), synced(2000, 200)])
        assert third.writer.checkpoint.honoured == request.id
        await third.writer.write([change("x", 201)])
        await third.writer.close()

        fourth = await at.open()
        await fourth.writer.close()
        assert isinstance(fourth.start, Resume)
        assert fourth.writer.checkpoint.honoured == request.id


async def test_an_epoch_for_another_reason_is_what_was_asked_for_too() -> None:
    """One gap, not two."""
    async with Broker() as broker:
        at = stage(broker.bootstrap)
        await ask(at.config, "pods", "me")
        first = await at.open()
        assert isinstance(first.start, Restart)
        assert first.start.reason is RestartReason.INITIAL
        await first.writer.write([restarted(1000), listed("x", 1), synced(1000, 100)])
        await first.writer.close()

        second = await at.open()
        await second.writer.close()
        assert isinstance(second.start, Resume)
