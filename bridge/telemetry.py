"""Everything we tell operators, one type each: log line, metric and status page cannot drift apart.

A name is a noun and a past verb. The only importer of structlog. Logic does not log; the doors tell what events and
verdicts say. Per batch, never per record.
"""

import logging
import sys
from typing import ClassVar, Literal

import structlog
from msgspec import Struct
from msgspec.structs import asdict

from bridge import audience, metrics

Level = Literal["debug", "info", "warning", "error"]

log: structlog.stdlib.BoundLogger = structlog.get_logger("bridge")


def configure_logging(level: str, console: bool) -> None:
    """Log to standard error: lines for people (*console*) or JSON for machines."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
        if console
        else [structlog.processors.dict_tracebacks, _first_things_first, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,  # the level and the form may change while we run; lines are few
    )
    # The libraries' own logs repeat, line by line, what we report once: only their worst comes through.
    logging.basicConfig(level=logging.CRITICAL, force=True)


def _first_things_first(_: object, __: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """When, how bad and what stand at the beginning of a line, where people look."""
    first = {name: fields.pop(name) for name in ("timestamp", "level", "event") if name in fields}
    return {**first, **fields}


class Told(Struct, frozen=True):
    """What is told once: logged, counted, and heard by the audience."""

    line: ClassVar[str] = ""
    """What the log calls it; empty: it is not logged."""
    levels: ClassVar[tuple[Level, ...]] = ("debug",)
    """The usual one first."""

    @property
    def level(self) -> Level:
        return self.levels[0]

    def emit(self) -> None:
        self.count()
        if self.line:
            getattr(log, self.level)(self.line, **asdict(self))
        audience.tell(self)

    def count(self) -> None:
        """Where it is a number, too."""


class StreamAcquired(Told, frozen=True):
    """A stream is to run here. Until it `StreamStarted` it looks for its resource, and for proof that it is ours."""

    stream: str
    resource: str
    """As the config file has it."""
    stale_after: float
    """How old its position may become, in seconds."""

    def count(self) -> None:
        metrics.expect(self.stream)


class StreamReleased(Told, frozen=True):
    """It has ended here. Another replica may run it now."""

    stream: str


class TakeoverBegun(Told, frozen=True):
    """Its resource is found and it is ours: its producer starts, its checkpoint is read."""

    stream: str


class CheckpointRead(Told, frozen=True):
    """Where a stream goes on from, and why its epoch began, as Kafka has it. Times in seconds since 1970, 0: none."""

    stream: str
    epoch: int
    resource_version: str
    position_time: float
    relisting: bool
    reason: str
    """Empty where nobody knows: before the first epoch."""
    message: str
    began: float


class StreamStarted(Told, frozen=True):
    """A stream is ours: its producer is fenced in, its checkpoint is read."""

    line: ClassVar[str] = "stream started"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str
    resource: str
    topics: dict[str, int]
    epoch: int
    resource_version: str
    indexed: int


class StreamStopped(Told, frozen=True):
    """In good order, with its last position."""

    line: ClassVar[str] = "stream stopped"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str
    epoch: int
    resource_version: str


class StreamDelayed(Told, frozen=True):
    """A stream cannot proceed. Emitted once when it begins, then once a minute, not once a try."""

    line: ClassVar[str] = "stream delayed"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    stream: str
    what: str
    """The object, the permission or the setting, and the mend."""
    seconds: float
    """Since when."""
    tries: int


class StreamRecovered(Told, frozen=True):
    """An attempt failed; the stream starts over from its checkpoint. Said once: `StreamDelayed` says that it lasts."""

    line: ClassVar[str] = "stream recovers"
    levels: ClassVar[tuple[Level, ...]] = ("warning", "debug")

    stream: str
    error: str
    wait: float
    first: bool
    """Since the last commit."""

    def count(self) -> None:
        metrics.RECOVERIES.labels(self.stream).inc()

    @property
    def level(self) -> Level:
        return "warning" if self.first else "debug"


class TaskFailed(Told, frozen=True):
    """What runs beside the streams has failed by a mistake of ours: it begins anew. Said each time."""

    line: ClassVar[str] = "task failed"
    levels: ClassVar[tuple[Level, ...]] = ("error",)

    task: str
    error: str
    wait: float

    def count(self) -> None:
        metrics.MISTAKES.labels(self.task).inc()


class StreamFailed(Told, frozen=True):
    """A stream has ended for good: its configuration cannot work. The others go on. Said again every minute."""

    line: ClassVar[str] = "stream failed"
    levels: ClassVar[tuple[Level, ...]] = ("error",)

    stream: str
    what: str


class BufferChanged(Told, frozen=True):
    """What waits for Kafka, of how much that may; the oldest of it for so many seconds."""

    stream: str
    bytes: int
    limit: int
    waited: float


class HttpListening(Told, frozen=True):
    """The probes, the metrics and the status page are served there."""

    line: ClassVar[str] = "http listening"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    url: str


class HttpRefused(Told, frozen=True):
    """`http.listen` names an address that another has, or that is none of ours: the bridge does not start."""

    line: ClassVar[str] = "http refused"
    levels: ClassVar[tuple[Level, ...]] = ("error",)

    what: str


class SecretsUnmasked(Told, frozen=True):
    """The watch says `mask: none`: who may read the topic reads every value of every Secret. Said at every start."""

    line: ClassVar[str] = "secrets are published unmasked"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    stream: str


class BridgeStarted(Told, frozen=True):
    """The config is read, and the kubeconfig; nothing has been asked yet."""

    line: ClassVar[str] = "bridge started"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    version: str
    config: str
    server: str
    streams: int


class StreamsCut(Told, frozen=True):
    """They did not end in time: what they had not committed is told in the next life, from the last checkpoint on."""

    line: ClassVar[str] = "streams cut off"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    streams: list[str]


class BridgeStopped(Told, frozen=True):
    """Nothing of it is left. *why* names the signal."""

    line: ClassVar[str] = "bridge stopped"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    why: str
    seconds: float
