"""What is too much, too long or out of time: memory, requests and epochs stay within their bounds all the same."""

import time
import tracemalloc
from collections.abc import Iterator

import pytest

from bridge.model.event import Change
from bridge.model.position import ResourceVersion
from bridge.model.resource import Selection
from bridge.source.api import Api
from bridge.source.faults import Fault, Kind, RetryOnce, classify
from bridge.source.lines import LINE_CAP
from bridge.source.states import Frames, Opened, Quiet
from tests.properties.world import world
from tests.scenarios import wire
from tests.source.scripted import END, HEAD, Script, Server, Step, chunk, in_turn
from tests.source.words import PODS

V5 = ResourceVersion("5")
PIECE = b"x" * (1 << 20)
BEGIN = b'{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"6"},"data":"'
HOUR = 3600.0


async def heard(script: Script) -> tuple[list[Frames | Quiet | Fault], int]:
    """What a watch says to its end, and the most that our side held meanwhile, in bytes (the library's included)."""
    async with Server(in_turn(script)) as server:
        session = server.session()
        asked = Api(session, Selection(PODS))
        assert await asked.open(V5) == Opened()
        tracemalloc.start()
        replies: list[Frames | Quiet | Fault] = []
        while not (replies and isinstance(replies[-1], Fault)):
            replies.append(await asked.frames())
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await session.close()
    return replies, most


async def test_a_line_of_thirty_megabytes() -> None:
    """47: below the cap it is an object like others, and costs its size three times: pieces, line, object."""
    pieces: list[Step] = [chunk(PIECE)] * 30
    replies, most = await heard([HEAD, chunk(BEGIN), *pieces, chunk(b'"}}\n'), END])

    assert isinstance(replies[0], Frames)
    (change,) = replies[0].frames
    assert isinstance(change, Change)
    assert (change.key, len(change.body) > 30 << 20) == ("pods/a", True)
    assert most < 4 * LINE_CAP


async def test_a_line_without_an_end() -> None:
    """47: given up at the cap, and tried once more before the objects are listed: the server may be another one."""
    pieces: list[Step] = [chunk(PIECE)] * 100
    replies, most = await heard([HEAD, chunk(BEGIN), *pieces])

    fault = replies[0]
    assert isinstance(fault, Fault)
    assert fault.kind is Kind.UNDECODABLE
    assert isinstance(classify(fault), RetryOnce)
    assert most < 2 * LINE_CAP


async def test_a_million_empty_lines() -> None:
    """Nobody must hear of them, nor pay for them."""
    lines: list[Step] = [chunk(b"\n" * 10_000)] * 100
    began = time.process_time()
    replies, most = await heard([HEAD, *lines, END])

    assert [fault.kind for fault in replies if isinstance(fault, Fault)] == [Kind.END]
    assert len(replies) == 1
    assert most < 4 << 20
    assert time.process_time() - began < 5


@pytest.mark.parametrize("hint", ["answer 429", "answer 429 after=1", "answer 429 hint=5 TooManyRequests busy"])
async def test_an_hour_of_429(hint: str) -> None:
    """32: an overloaded server is asked twice a minute, and afterwards for what is new, not for everything."""
    busy = [f"< {what} {hint}" for what in ("watch", "list") for _ in range(1000)]
    async with wire.conversation("\n".join(["@ has a b", "@ resume", *busy, f"! wait {HOUR}"])) as talk:
        outcome = await talk.outcome()
        asked = [request for request in talk.requests if request.time < HOUR]

    assert "RESTARTED" not in outcome
    assert outcome.splitlines()[-1] == wire.LIVES
    assert 100 < len(asked) < HOUR / 10


async def test_a_storm_of_410() -> None:
    """29, 43: each position is refused at once, and each snapshot is whole: a relist may be gigabytes, so wait."""
    gone = ["< watch answer 410 Expired too old"] * 1000
    async with wire.conversation("\n".join(["@ has a b", "@ resume", *gone, f"! wait {HOUR}"])) as talk:
        outcome = await talk.outcome()
        lists = [request for request in talk.requests if request.time < HOUR and wire.said(request).startswith("list")]

    assert outcome.splitlines()[-1] == wire.LIVES
    assert 10 < len(lists) < HOUR / 10


class Wall:
    """A clock on the wall that can be set."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self._real = time.time, time.time_ns

    def set(self, ahead: float) -> None:
        self.ahead = ahead

    def time(self) -> float:
        return self._real[0]() + self.ahead

    def time_ns(self) -> int:
        return self._real[1]() + int(self.ahead * 1e9)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wall]:
    clock = Wall()
    monkeypatch.setattr(time, "time", clock.time)
    monkeypatch.setattr(time, "time_ns", clock.time_ns)
    yield clock
    monkeypatch.undo()


async def test_clocks_that_jump(wall: Wall) -> None:
    """55: a day back, a day ahead, across crashes too: consumers tell newer epochs from older ones."""
    async with world() as here:
        times = iter([0.0, -86_400.0, 86_400.0, -1.0])
        here.own["set"] = lambda: wall.set(next(times))
        outcome = await here.live(
            [
                ("touch a", 1.0),
                *[(act, 5.0) for _ in range(4) for act in ("set", "expire", "touch b", "crash", "delete b")],
            ]
        )

    assert outcome.report.ok, str(outcome.report)
    assert outcome.follower == outcome.cluster
    assert outcome.report.restarts["pods expired"] >= 4
