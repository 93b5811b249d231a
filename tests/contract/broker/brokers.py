"""The sandbox's broker and a real one behind the same few words."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from bridge.sandbox.broker.server import Broker as Sandbox
from bridge.sandbox.broker.server import Options
from tests.contract.broker.client import Client, batch, connected
from tests.servers.kafka import Broker as RealBroker

CLEANED_SOON = {"log.cleaner.backoff.ms": "100"}
"""Kafka looks every 15 s for logs to clean."""
ROLLED_SOON = {"cleanup.policy": "compact", "segment.ms": "50", "min.cleanable.dirty.ratio": "0"}
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
            before = await client.read(topic)
            await asyncio.sleep(0.2)  # longer than a segment lives
            await _add_last(client, topic)
            while await client.read(topic) in (before, [*before, (len(before), b"last", b"last")]):
                await asyncio.sleep(0.1)


async def _add_last(client: Client, topic: str) -> None:
    assert (await client.produce(topic, batch(b"last", keys=[b"last"])))[0] == 0


@asynccontextmanager
async def sandbox() -> AsyncIterator[Server]:
    async with Sandbox(options=Options()) as broker:
        yield _Sandbox(broker)


@asynccontextmanager
async def real(broker: RealBroker) -> AsyncIterator[Server]:
    yield _Real(broker)
