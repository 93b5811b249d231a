"""The whole way, in memory: the sandbox's API server and broker, a real stream between them, and what befalls them.

Everything is on sockets and on a clock that jumps, so an hour of outage takes no time.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from bridge.consumer.intake import Intake
from bridge.consumer.records import Entry
from bridge.consumer.state import Log
from bridge.consumer.stores.memory import MemoryStore
from bridge.ownership.seat import Seat
from bridge.sandbox import ApiServer, Broker
from bridge.sandbox.apiserver import shapes
from bridge.sandbox.apiserver.store import Change
from bridge.sink import covers
from bridge.sink.requests import Requests
from bridge.source.buffer import Pool
from bridge.source.credentials import Fixed
from bridge.source.kubeconfig import Login
from bridge.source.session import Session
from bridge.stream import Stream
from tests.audit import records
from tests.audit.judge import judge
from tests.audit.ledger import Act, Ledger, Live, Scope, Write
from tests.audit.report import Report
from tests.audit.topics import read_topic
from tests.clock import JumpingLoop
from tests.sink.stage import Stage, stage

T = TypeVar("T")
PATH = "/api/v1/pods"
NAMES = ("a", "b")
ACTS = [
    *(f"touch {name}" for name in NAMES * 3),
    *(f"delete {name}" for name in NAMES),
    *(f"delete {name} unseen" for name in NAMES),
    *("expire", "close watches", "cut watches", "nothing", "gone", "busy", "half a line", "ill"),
    *("lose EndTxn", "lose Produce", "refuse Produce", "crash", "api restarts", "kafka restarts"),
]
PATIENCE = 60
"""Looks at the topic, five seconds apart: more than the longest waits on both sides."""


def jump(coroutine: Coroutine[None, None, T]) -> T:
    """Run on the clock that jumps: what `given` calls cannot be a coroutine."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(coroutine)


class Outcome(Struct, frozen=True):
    """What came of it: the judge's report, and objects (key -> uid, version) on both sides."""

    report: Report
    follower: dict[str, tuple[str, str]]
    cluster: dict[str, tuple[str, str]]


class World:
    """Owns the servers, the stream between them, and the ledger of what was done."""

    def __init__(self, api: ApiServer, broker: Broker, session: Session, delivery: str) -> None:
        self._api = api
        self._broker = broker
        self._session = session
        self._stage: Stage = stage(broker.bootstrap, partitions=2, delivery=delivery)
        broker.create(self._stage.topic, 2)
        self._writes: list[Write] = []
        self._running: asyncio.Task[object] | None = None
        self.own: dict[str, Callable[[], object]] = {}
        """Acts of the caller's, by their names."""
        api.follow(self._note)

    async def live(self, acts: list[tuple[str, float]]) -> Outcome:
        """All *acts*, each followed by some seconds; then everything is well again, and all is looked at."""
        self._begin()
        known = self._acts
        for act, seconds in acts:
            await known[act]()
            await asyncio.sleep(seconds)
        await self._heal()
        try:
            log = await self._settled()
        finally:
            await self._end()
        return self._outcome(log)

    @property
    def _acts(self) -> dict[str, Callable[[], Coroutine[None, None, None]]]:
        at_once: dict[str, Callable[[], object]] = {
            **{f"touch {name}": (lambda name=name: self._touch(name)) for name in NAMES},  # type: ignore[misc]
            **{f"delete {name}": (lambda name=name: self._delete(name)) for name in NAMES},  # type: ignore[misc]
            **{f"delete {name} unseen": (lambda name=name: self._delete_unseen(name)) for name in NAMES},  # type: ignore[misc]
            "expire": self._expire,
            "close watches": self._api.close_watches,
            "cut watches": lambda: self._api.close_watches(cut=True),
            "nothing": lambda: self._api.answer(PATH, shapes.NOTHING, shapes.NOTHING, watch=True),
            "gone": lambda: self._api.answer(PATH, shapes.refused(410, "Expired"), watch=True),
            "busy": lambda: self._api.answer(PATH, shapes.refused(429, "TooManyRequests"), shapes.BEHIND_PROXY),
            "half a line": self._break,
            "ill": lambda: self._api.answer(PATH, shapes.refused(500, "InternalError"), watch=True),
            "lose EndTxn": lambda: self._broker.lose("EndTxn"),
            "lose Produce": lambda: self._broker.lose("Produce"),
            "refuse Produce": lambda: self._broker.refuse("Produce", 7),
        }
        acts = {name: _soon(act) for name, act in (at_once | self.own).items()}
        return {**acts, "crash": self._crash, "api restarts": self._restart_api, "kafka restarts": self._restart_kafka}

    def _touch(self, name: str) -> None:
        metadata = {"name": name, "labels": {"version": str(self._api.version)}}
        if self._api.get("pods", "default", name) is None:
            self._api.create("pods", {"metadata": metadata})
        else:
            self._api.update("pods", {"metadata": metadata})

    def _delete(self, name: str) -> None:
        if self._api.get("pods", "default", name) is not None:
            self._api.delete("pods", "default", name)

    def _expire(self) -> None:
        """Everything but the newest version, which a server that starts anew knows too."""
        self._touch("else")
        self._api.expire_everything()

    def _delete_unseen(self, name: str) -> None:
        """In one moment with the end of all that was remembered: no watch can have told of it."""
        self._delete(name)
        self._expire()

    def _break(self) -> None:
        self._api.say(PATH, b'{"type":"ADD')
        self._api.close_watches(cut=True)

    async def _crash(self) -> None:
        await self._end()
        self._begin()

    async def _restart_api(self) -> None:
        await self._api.close()
        await asyncio.sleep(3)
        await self._api.start()

    async def _restart_kafka(self) -> None:
        await self._broker.stop()
        await asyncio.sleep(3)
        await self._broker.start()

    def _begin(self) -> None:
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        spec, config = self._stage.spec, self._stage.config
        place = covers.target_of(config.checkpoint_topic, config.checkpoints.partitions, spec.name).partition
        requests = Requests(config)
        seat = Seat(spec.name, place, None, requests)
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(requests.run(), name="requests")
            await Stream(spec, config, self._session, Pool(1 << 20), seat).run()
            hearing.cancel()

    async def _end(self) -> None:
        """As a crash: nothing more is committed."""
        assert self._running is not None
        self._running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._running

    async def _heal(self) -> None:
        self._api.script.clear()
        self._touch("last")

    async def _settled(self) -> records.Log:
        """The topic, as soon as it has told the last thing that happened."""
        version = str(self._writes[-1].version).encode()
        for _ in range(PATIENCE):
            log = await read_topic(self._broker.bootstrap, self._stage.topic)
            if any(entry.key == b"pods/default/last" and version in entry.value for entry in log.entries):
                return log
            await asyncio.sleep(5)
        raise AssertionError("the stream is silent")

    def _outcome(self, log: records.Log) -> Outcome:
        pods = [_live(pod) for pod in self._api.list("pods")]
        scope = Scope("pods", self._stage.topic, "pods")
        repeats = self._stage.config.kafka.delivery == "at-least-once"
        report = judge([log], [scope], Ledger(self._writes, set(), pods), repeats=repeats)
        return Outcome(report, _followed(log), {pod.key: (pod.uid, pod.version) for pod in pods})

    def _note(self, change: Change) -> None:
        body = change.after or change.before
        assert body is not None
        if change.storage.plural != "pods":
            return
        before, after = change.before, change.after
        act: Act = "DELETED" if after is None else "MODIFIED" if before else "ADDED"
        meta = body["metadata"]
        self._writes.append(
            Write(
                "pods",
                meta["namespace"],
                meta["name"],
                meta["uid"],
                act,
                str(change.version) if after else "",
                before["metadata"]["resourceVersion"] if before else "",
                meta.get("labels", {}),
                0.0,
            )
        )


def _soon(act: Callable[[], object]) -> Callable[[], Coroutine[None, None, None]]:
    async def acted() -> None:
        act()

    return acted


def _live(pod: dict[str, Any]) -> Live:
    meta = pod["metadata"]
    labels = meta.get("labels", {})
    return Live("pods", meta["namespace"], meta["name"], meta["uid"], meta["resourceVersion"], labels)


def _followed(log: records.Log) -> dict[str, tuple[str, str]]:
    """What the library for consumers makes of the topic."""
    store = MemoryStore()
    intake = Intake(store)
    for entry in log.entries:
        intake.take(Log(entry.topic, entry.partition), [Entry(entry.offset, entry.key, entry.value)])
    found = {key: msgspec.json.decode(held.body, type=records.Object).metadata for _, key, held in store.objects()}
    return {key: (meta.uid, meta.resource_version) for key, meta in found.items()}


@asynccontextmanager
async def world(delivery: str = "exactly-once") -> AsyncIterator[World]:
    async with ApiServer() as api, Broker() as broker:
        session = Session(Login("test", api.url, Fixed("")))
        try:
            yield World(api, broker, session, delivery)
        finally:
            await session.close()
