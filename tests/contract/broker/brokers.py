"""The sandbox's broker and a real one behind the same few words."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bridge.sandbox.broker.server import Broker as Sandbox
from bridge.sandbox.broker.server import Options
from tests.contract.broker.client import Client, batch, connected, until
from tests.servers.kafka import Broker as RealBroker

CLEANED_SOON = {"log.cleaner.backoff.ms": "100"}
"""Kafka looks every 15 s for logs to clean."""
SEGMENT_MS = 50
ROLLED_SOON = {"cleanup_policy": "compact", "segment_ms": str(SEGMENT_MS), "min_cleanable_dirty_ratio": "0"}
"""Settings of a topic that is compacted at once: Kafka never cleans the segment that is written to."""


class Server(Protocol):
    @property
    def bootstrap(self) -> str: ...

    async def restart(self) -> None:
        """Down and up again: connections are cut, data is kept."""

    async def compact(self, topic: str) -> None:
        """Returns when partition 0 is compacted, all but a last record that is added."""


Kafka = Callable[[], AbstractAsyncContextManager[Server]]


class _Sandbox:
    def __init__(self, broker: Sandbox) -> None:
        self._broker = broker
        self.bootstrap = broker.bootstrap

    async def restart(self) -> None:
        await self._broker.stop()
        await self._broker.start()

    async def compact(self, topic: str) -> None:
        async with connected(self.bootstrap) as client:
            await _add_last(client, topic)
        self._broker.compact(topic)


class _Real:
    def __init__(self, broker: RealBroker) -> None:
        self._broker = broker
        self.bootstrap = broker.bootstrap

    async def restart(self) -> None:
        await asyncio.to_thread(self._broker.restart)

    async def compact(self, topic: str) -> None:
        async with connected(self.bootstrap) as client:
            await _add_last(client, topic)

            async def is_clean() -> bool:
                found = await client.read(topic)
                return len(found) == len({key for _, key, _ in found})

            await until(is_clean)


async def _add_last(client: Client, topic: str) -> None:
    """After the time that a segment lives, which is told by its records."""
    later = int(time.time() * 1000) + 10 * SEGMENT_MS
    assert (await client.produce(topic, batch(b"last", keys=[b"last"], time_ms=later)))[0] == 0


@asynccontextmanager
async def sandbox() -> AsyncIterator[Server]:
    async with Sandbox(options=Options()) as broker:
        yield _Sandbox(broker)


@asynccontextmanager
async def real(broker: RealBroker) -> AsyncIterator[Server]:
    yield _Real(broker)
