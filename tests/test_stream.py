"""One stream on the sandbox: what ends it, and what must not."""

import asyncio
from collections.abc import Callable
from math import inf

import aiohttp
import pytest

from bridge.ownership.seat import Seat
from bridge.sandbox import ApiServer, Broker
from bridge.sink import covers, requests
from bridge.source.buffer import Pool
from bridge.source.connections import Params
from bridge.source.credentials import Fixed
from bridge.source.faults import Fault, Phase
from bridge.source.kubeconfig import Login
from bridge.source.session import JSON, Session
from bridge.stream import Stream
from tests.properties.world import World
from tests.sink.stage import stage


class GivenUp(Session):
    """Gives up now and then what is asked of it, as a library does whose own task was cancelled."""

    questions = streams = 0

    async def get(self, path: str, params: Params, phase: Phase = Phase.PROBE, accept: str = JSON) -> bytes | Fault:
        self.questions -= 1
        if self.questions == 0:
            raise asyncio.CancelledError
        return await super().get(path, params, phase, accept)

    async def stream(self, path: str, params: Params, phase: Phase) -> aiohttp.ClientResponse | Fault:
        self.streams -= 1
        if self.streams == 0:
            raise asyncio.CancelledError
        return await super().stream(path, params, phase)


@pytest.mark.parametrize("what", [*(f"question {number}" for number in range(1, 6)), "stream"])
async def test_a_stream_outlives_what_a_library_gives_up(what: str) -> None:
    """Wherever it was: on the way to its resource it would have ended without a word, and forever."""
    async with ApiServer() as api, Broker() as broker:
        session = GivenUp(Login("test", api.url, Fixed("")))
        word, _, number = what.partition(" ")
        session.questions, session.streams = int(number or 0), int(word == "stream")
        try:
            outcome = await World(api, broker, session, "exactly-once").live(
                [("touch a", 5.0), ("cut watches", 5.0), ("touch b", 5.0)]
            )
        finally:
            await session.close()

    assert outcome.report.ok, str(outcome.report)
    assert outcome.follower == outcome.cluster


class Told:
    """A claim on what nobody shares. Passes a request on when it is told to."""

    def __init__(self, seat: Seat) -> None:
        self._seat = seat
        self.heard, self.passed_on = asyncio.Event(), asyncio.Event()

    def left(self) -> float:
        return inf

    async def held(self) -> None:
        await self._seat.held()

    async def asked(self, known: str) -> None:
        await self._seat.asked(known)
        self.heard.set()
        await self.passed_on.wait()


PATIENCE = 3000
"""Changes that a busy stream may get until it follows a request: some ten come while one transaction is committed."""


async def test_a_request_to_a_busy_stream_is_followed() -> None:
    """More comes while each transaction is committed: a stream that first takes all that it has read never ends."""
    async with ApiServer() as api, Broker() as broker:
        session = Session(Login("test", api.url, Fixed("")))
        at = stage(broker.bootstrap, partitions=1)
        broker.create(at.topic, 1)
        hearing = requests.Requests(at.config)
        place = covers.target_of(at.config.checkpoint_topic, at.config.checkpoints.partitions, at.spec.name).partition
        claim = Told(Seat(at.spec.name, place, None, hearing))
        stream = Stream(at.spec, at.config, session, Pool(64 << 20), claim)
        tasks = [asyncio.create_task(hearing.run()), asyncio.create_task(stream.run())]
        api.create("pods", {"metadata": {"name": "a"}})
        await asyncio.sleep(30)
        await requests.ask(at.config, at.spec.name, "me")
        await claim.heard.wait()
        await _busy_until(api, lambda: False, 100)
        claim.passed_on.set()
        busy = await _busy_until(api, lambda: api.open_watches == 0, PATIENCE)
        await asyncio.sleep(60)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await session.close()
        reasons = [value.get("reason") for value in (await at.values())[0] if value["type"] == "RESTARTED"]

    assert busy < PATIENCE
    assert reasons == ["initial", "requested"]


async def _busy_until(api: ApiServer, over: Callable[[], bool], most: int) -> int:
    """Change an object as often as anything else happens at all; how often it was."""
    for times in range(most):
        if over():
            return times
        api.update("pods", {"metadata": {"name": "a", "labels": {"times": str(times)}}})
        await asyncio.sleep(0)
    return most
