"""What has come to a topic: waited for, as long as the bridge runs that should bring it."""

import asyncio
from collections.abc import Callable

from tests.audit.records import Record, parse
from tests.audit.topics import read_topics
from tests.bridge_process import BridgeProcess
from tests.servers.kafka import Broker

PATIENCE = 60.0
"""Seconds: the bridge starts within two on an idle machine."""


async def delivered(broker: Broker, topic: str, key: str, process: BridgeProcess) -> Record:
    """The last record of *key*, as soon as there is one."""
    return await until(lambda record: record.key == key, broker, topic, process)


async def synced(broker: Broker, topic: str, stream: str, process: BridgeProcess) -> Record:
    """From now on changes are live ones."""
    return await until(lambda record: (record.key, record.value.type) == (stream, "SYNCED"), broker, topic, process)


async def until(wanted: Callable[[Record], bool], broker: Broker, topic: str, process: BridgeProcess) -> Record:
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [record for record in await records(broker, topic) if wanted(record)]
            if found:
                return found[-1]
            assert process.is_running, process.tail()
            await asyncio.sleep(0.3)


async def keys_in(broker: Broker, topic: str) -> list[str]:
    return [record.key for record in await records(broker, topic)]


async def records(broker: Broker, topic: str) -> list[Record]:
    try:
        (log,) = await read_topics(broker.bootstrap, [topic])
    except LookupError:  # the bridge makes it when it needs it
        return []
    return [record for record in map(parse, log.entries) if isinstance(record, Record)]
