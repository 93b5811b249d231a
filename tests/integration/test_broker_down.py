"""Kafka is away for a minute while changes keep coming: memory stays bounded, and nothing is lost."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.load import CONFIGMAPS, PODS, Writer
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import trial

DOWN = 60.0
RSS = 256 << 20
"""With a buffer of 64 MiB, which is the default."""

LARGE = {"text": "0123456789abcde\n" * 12_000}
"""192 KB: 20 a second fill the buffer in 20 s."""


@pytest.mark.integration(timeout=400)
async def test_a_minute_without_kafka(
    new_cluster: Callable[[], Cluster], new_broker: Callable[[], Broker], tmp_path: Path
) -> None:
    """Changes that do not fit into the buffer are read again later: the watch was closed at a known position."""
    watches = [{"resource": "configmaps", "topic": "away"}, {"resource": "pods", "topic": "away"}]
    async with trial(new_cluster(), new_broker(), tmp_path, watches, name="away") as run:
        writer = await run.writer(CONFIGMAPS, PODS)
        run.bridge.start()
        await run.synced()
        await asyncio.to_thread(run.broker.kill)
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.work(DOWN, rate=40))
            group.create_task(_large(writer, DOWN))
        await asyncio.to_thread(run.broker.start)
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    print(f"{run.bridge.peak_rss >> 20:>10}  MiB at most")
    assert report.ok
    assert run.bridge.lives == 1
    assert run.bridge.peak_rss <= RSS


async def _large(writer: Writer, seconds: float) -> None:
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        await writer.create(CONFIGMAPS, "team-a", f"large-{number % 50}", data=LARGE)
        await writer.delete(CONFIGMAPS, "team-a", f"large-{number % 50}")
        number += 1
        await asyncio.sleep(0.05)
