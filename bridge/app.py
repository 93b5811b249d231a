"""The composition root: from a config to running streams, and from signals to their end."""

import asyncio
import importlib.metadata
import importlib.util
import os
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from pathlib import Path

from bridge.config.problem import ConfigError, Problem
from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.ownership import words
from bridge.ownership.alone import Alone
from bridge.ownership.claims import Claims
from bridge.ownership.member import Member
from bridge.ownership.rivals import Rivals
from bridge.ownership.seat import Seat
from bridge.reload.current import Current, log_by, place_of
from bridge.reload.file import ConfigFile
from bridge.sink.connection import KafkaFault, settings
from bridge.sink.hanging import Unsettled
from bridge.sink.producer import assert_fast
from bridge.sink.requests import Requests
from bridge.source.cluster import cluster_uid
from bridge.source.delay import Delay
from bridge.source.session import Session, connect
from bridge.stream import Stream
from bridge.supervisor import Shared, lasting, supervise
from bridge.telemetry import BridgeStarted, BridgeStopped, HttpRefused
from bridge.web.board import Board
from bridge.web.server import Unbindable
from bridge.web.serving import host, serving, setup_of

Tasks = Mapping[str, Callable[[], Awaitable[None]]]
"""What lasts as long as the streams, by its name."""


def run(config: Config, source: str) -> int:
    """Run the bridge until a signal ends it. Returns the exit code; *source* is the config file, which may change.

    Raises `ConfigError` where what the file names (a kubeconfig, a certificate) cannot work.
    """
    _refuse(config, source)
    log_by(config.log)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(serve(config, source))


def _refuse(config: Config, source: str) -> None:
    """What no waiting mends is told before anything runs."""
    try:
        assert_fast()
        settings(config.kafka)
    except KafkaFault as fault:
        raise ConfigError([Problem(source, 0, "", f"{fault}", "")]) from fault


def _loop_factory() -> "type[asyncio.AbstractEventLoop] | None":
    """With uvloop, where it is installed, an event that comes alone over TLS costs 44 us instead of 58."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - optional

    return uvloop.Loop


async def serve(config: Config, source: str) -> int:
    """As `run`, in a loop that runs already.

    The HTTP side comes first: probes must not wait for a kubeconfig, nor for a login that takes its time.
    """
    stopping = asyncio.Event()
    try:
        async with serving(config, stopping.is_set) as board:
            return await _bridge(Current(config, source, lambda now: _show(board, now)), stopping)
    except Unbindable as error:
        HttpRefused(f"{error}").emit()
        return 1


def _show(board: Board | None, config: Config) -> None:
    if board is not None:
        board.setup = setup_of(config)


async def _bridge(current: Current, stopping: asyncio.Event) -> int:
    began, config, source = time.monotonic(), current.config, current.file
    file = ConfigFile(Path(source), os.environ, lambda: current.config)
    received = _listen(stopping, file)
    session = await connect(config.kubernetes)
    try:
        version = importlib.metadata.version("kube-event-bridge")
        BridgeStarted(version, source, session.server, current.count).emit()
        worked = await (_alone if config.standalone else _shared)(current, session, file, stopping)
    finally:
        await session.close()
    BridgeStopped(", ".join(received) or "all streams failed", round(time.monotonic() - began, 1)).emit()
    return 0 if worked else 1


async def _alone(current: Current, session: Session, file: ConfigFile, stopping: asyncio.Event) -> bool:
    """As the only one: all streams are ours."""
    config = current.config
    requests, rivals = Requests(config, lambda place: bool(current.specs(place))), Rivals(config)
    unsettled = defaultdict[str, Unsettled](Unsettled)  # outlives streams: one that is changed begins anew

    def make(spec: StreamSpec) -> Stream:
        seat = Seat(spec.name, place_of(config, spec), rivals, requests)
        return Stream(spec, current.config, session, current.pool, seat, unsettled[spec.name])

    def join(shared: Shared) -> Alone:
        membership = Alone(config.checkpoints.partitions, shared)
        file.tell(membership.offer)
        return membership

    beside = {"requests": requests.run, "rivals": rivals.run, "config file": file.run}
    return await _beside(beside, stopping, supervise(current, make, join, stopping))


async def _shared(current: Current, session: Session, file: ConfigFile, stopping: asyncio.Event) -> bool:
    """As one replica of several."""
    config = current.config
    claims = Claims(config.group.session_timeout)
    requests = Requests(config, lambda place: place in claims.held and bool(current.specs(place)))
    unsettled = defaultdict[str, Unsettled](Unsettled)  # outlives streams: a partition may come back to us

    def make(spec: StreamSpec) -> Stream:
        seat = Seat(spec.name, place_of(config, spec), claims, requests)
        return Stream(spec, current.config, session, current.pool, seat, unsettled[spec.name])

    async def introduce() -> words.Said:
        """Only once the API server answers: who cannot reach it should own no streams."""
        uid = await cluster_uid(session, Delay("all streams"))
        return words.introduce(current.config, uid, host())

    def join(shared: Shared) -> Member:
        membership = Member(config, claims, shared, introduce)
        file.tell(membership.offer)
        return membership

    beside = {"requests": requests.run, "config file": file.run}
    return await _beside(beside, stopping, supervise(current, make, join, stopping))


async def _beside(tasks: Tasks, stopping: asyncio.Event, running: Coroutine[None, None, bool]) -> bool:
    """Requests are heard, and rivals seen, as long as streams may begin for them: they end at once, not after those."""
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(lasting(name, run), name=name) for name, run in tasks.items()]
        stop = group.create_task(stopping.wait(), name="stop what is beside")
        stop.add_done_callback(lambda _: [task.cancel() for task in others])
        worked = await running
        stop.cancel()
    return worked


def _listen(stopping: asyncio.Event, file: ConfigFile) -> list[str]:
    """SIGTERM and SIGINT end the bridge in good order; SIGHUP, which a lost terminal sends too, looks at the config."""
    loop, received = asyncio.get_running_loop(), list[str]()

    def stop(name: str) -> None:
        received.append(name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    loop.add_signal_handler(signal.SIGHUP, file.reload)
    return received
