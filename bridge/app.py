"""The composition root: from a config to running streams, and from signals to their end."""

import asyncio
import importlib.metadata
import importlib.util
import os
import signal
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Mapping

from bridge.config.problem import ConfigError, Problem
from bridge.config.streams import StreamSpec, streams
from bridge.config.tree import Config
from bridge.ownership import words
from bridge.ownership.claims import Claims
from bridge.ownership.member import Member
from bridge.ownership.rivals import Rivals
from bridge.ownership.seat import Seat
from bridge.sink import covers
from bridge.sink.connection import KafkaFault, settings
from bridge.sink.hanging import Unsettled
from bridge.sink.producer import assert_fast
from bridge.sink.requests import Requests
from bridge.source.buffer import Pool
from bridge.source.reader import Delay
from bridge.source.session import Session, connect
from bridge.stream import Stream, cluster_uid
from bridge.supervisor import Shared, lasting, supervise, supervise_shared
from bridge.telemetry import BridgeStarted, BridgeStopped, HttpRefused, configure_logging
from bridge.web.server import Unbindable
from bridge.web.serving import serving

Tasks = Mapping[str, Callable[[], Awaitable[None]]]
"""What lasts as long as the streams, by its name."""


def run(config: Config, source: str) -> int:
    """Run the bridge until a signal ends it. Returns the exit code; *source* is the config file's name, for the log.

    Raises `ConfigError` where what the file names (a kubeconfig, a certificate) cannot work.
    """
    _refuse(config, source)
    form = config.log.format or ("console" if sys.stderr.isatty() else "json")
    configure_logging(config.log.level, console=form == "console")
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_run(config, source))


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


async def _run(config: Config, source: str) -> int:
    """The HTTP side comes first: probes must not wait for a kubeconfig, nor for a login that takes its time."""
    stopping = asyncio.Event()
    try:
        async with serving(config, stopping.is_set):
            return await _bridge(config, source, stopping)
    except Unbindable as error:
        HttpRefused(f"{error}").emit()
        return 1


async def _bridge(config: Config, source: str, stopping: asyncio.Event) -> int:
    began = time.monotonic()
    received = _listen(stopping)
    specs = streams(config)
    pool = Pool(config.buffer, len(specs))
    session = await connect(config.kubernetes)
    try:
        version = importlib.metadata.version("kube-event-bridge")
        BridgeStarted(version, source, session.server, len(specs)).emit()
        worked = await (_alone if config.standalone else _shared)(config, session, pool, stopping)
    finally:
        await session.close()
    BridgeStopped(", ".join(received) or "all streams failed", round(time.monotonic() - began, 1)).emit()
    return 0 if worked else 1


async def _alone(config: Config, session: Session, pool: Pool, stopping: asyncio.Event) -> bool:
    """As the only one: all streams are ours."""
    requests, rivals = Requests(config), Rivals(config)
    ours = [
        Stream(spec, config, session, pool, Seat(spec.name, place, rivals, requests))
        for place, specs in _places(config).items()
        for spec in specs
    ]
    beside = {"requests": requests.run, "rivals": rivals.run}
    return await _beside(beside, stopping, supervise(ours, stopping))


async def _shared(config: Config, session: Session, pool: Pool, stopping: asyncio.Event) -> bool:
    """As one replica of several."""
    claims = Claims(config.group.session_timeout)
    requests = Requests(config, lambda place: place in claims.held)
    places = _places(config)
    unsettled = defaultdict[str, Unsettled](Unsettled)  # outlives streams: a partition may come back to us

    def make(place: int) -> list[Stream]:
        specs = places.get(place, [])
        return [
            Stream(spec, config, session, pool, Seat(spec.name, place, claims, requests), unsettled[spec.name])
            for spec in specs
        ]

    async def introduce() -> words.Said:
        """Only once the API server answers: who cannot reach it should own no streams."""
        host = os.environ.get("HOSTNAME") or socket.gethostname()  # as containers have it: the pod's name
        return words.introduce(config, await cluster_uid(session, Delay("all streams")), host)

    def join(shared: Shared) -> Member:
        return Member(config, claims, shared, introduce)

    running = supervise_shared(len(streams(config)), make, join, stopping)
    return await _beside({"requests": requests.run}, stopping, running)


async def _beside(tasks: Tasks, stopping: asyncio.Event, running: Coroutine[None, None, bool]) -> bool:
    """Requests are heard, and rivals seen, as long as streams may begin for them: they end at once, not after those."""
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(lasting(name, run), name=name) for name, run in tasks.items()]
        stop = group.create_task(stopping.wait(), name="stop what is beside")
        stop.add_done_callback(lambda _: [task.cancel() for task in others])
        worked = await running
        stop.cancel()
    return worked


def _places(config: Config) -> dict[int, list[StreamSpec]]:
    """The streams by their partition of the checkpoint topic, whose owner runs them."""
    places: defaultdict[int, list[StreamSpec]] = defaultdict(list)
    for spec in streams(config):
        target = covers.target_of(config.checkpoint_topic, config.checkpoints.partitions, spec.name)
        places[target.partition].append(spec)
    return dict(places)


def _listen(stopping: asyncio.Event) -> list[str]:
    """SIGTERM and SIGINT end the bridge in good order; SIGHUP, which a lost terminal sends, is ignored."""
    loop, received = asyncio.get_running_loop(), list[str]()

    def stop(name: str) -> None:
        received.append(name)
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number.name)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return received
