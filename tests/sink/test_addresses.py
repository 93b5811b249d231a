"""`bridge.sink.addresses`: several of them, of which some are dead."""

import asyncio

from bridge.sandbox.broker.server import Broker
from bridge.sink.topics import ensure_checkpoints
from tests.blackhole import blackhole
from tests.config.reading import read


async def test_an_address_that_has_failed_is_asked_last() -> None:
    """A stream that starts makes a dozen clients: each would lose seconds to an address that nobody has removed."""
    loop = asyncio.get_running_loop()
    with blackhole(3) as dead:
        async with Broker() as broker:
            servers = ", ".join([*dead, broker.bootstrap])
            config = read(f"kafka: {{bootstrapServers: '{servers}'}}\nwatches: [{{resource: pods}}]\n")
            began = loop.time()
            for _ in range(20):
                await ensure_checkpoints(config)

    assert loop.time() - began < 10
