"""Both servers and a life in the cluster, together: for people who try something, and have neither."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct

from bridge.sandbox import life
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.broker.server import Broker, Options

NOTHING = 0.0


class Wish(Struct, frozen=True):
    """Ports (0: a free one), and what happens in the cluster: *rate* changes per second, the same for a *seed*.

    *auto_create*: whether topics are made that somebody asks for, as in a Kafka that nobody has configured.
    """

    api_port: int = 0
    kafka_port: int = 0
    rate: float = NOTHING
    seed: int = 1
    auto_create: bool = True


class Pair(Struct, frozen=True):
    """Both are up, as long as the context of `together` lasts."""

    api: ApiServer
    broker: Broker


@asynccontextmanager
async def together(wish: Wish) -> AsyncIterator[Pair]:
    """Raises OSError where a port is taken."""
    kafka = Broker(wish.kafka_port, Options(auto_create=wish.auto_create))
    async with ApiServer(wish.api_port) as api, kafka as broker, asyncio.TaskGroup() as group:
        living = group.create_task(_live(wish, api), name="life")
        yield Pair(api, broker)
        living.cancel()


async def _live(wish: Wish, api: ApiServer) -> None:
    if wish.rate > NOTHING:
        await life.run(life.Life(wish.seed), api, wish.rate)
