"""Everything we tell operators, one type each: the log line and the metric cannot drift apart.

A name is a noun and a past verb. The only importer of structlog. Logic does not log; the doors tell what events and
verdicts say. Per batch, never per record.
"""

import logging
import sys

import structlog
from msgspec import Struct
from msgspec.structs import asdict

from bridge import metrics

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


class RecordsCommitted(Struct, frozen=True):
    """One transaction is in Kafka for good. Counted, not logged: it is the ordinary case."""

    stream: str
    records: dict[str, int]
    """Record type -> how many."""
    bytes: int
    seconds: float
    position_time: float
    """When the position that it commits was learnt, seconds since 1970; 0 if there is none yet."""

    def emit(self) -> None:
        for kind, count in self.records.items():
            metrics.RECORDS.labels(self.stream, kind).inc(count)
        metrics.BYTES.labels(self.stream).inc(self.bytes)
        metrics.COMMITS.labels(self.stream).inc()
        metrics.COMMIT_SECONDS.labels(self.stream).observe(self.seconds)
        if self.position_time:
            metrics.POSITION_TIME.labels(self.stream).set(self.position_time)


class StreamStarted(Struct, frozen=True):
    """A stream is ours: its producer is fenced in, its checkpoint is read."""

    stream: str
    resource: str
    topics: dict[str, int]
    epoch: int
    resource_version: str
    indexed: int

    def emit(self) -> None:
        log.info("stream started", **asdict(self))


class StreamStopped(Struct, frozen=True):
    stream: str
    epoch: int
    resource_version: str

    def emit(self) -> None:
        log.info("stream stopped", **asdict(self))


class StreamRestarted(Struct, frozen=True):
    """A new epoch began: what lies between *previous* and its `SYNCED` may be a gap."""

    stream: str
    epoch: int
    reason: str
    message: str
    previous: str

    def emit(self) -> None:
        metrics.RESTARTS.labels(self.stream, self.reason).inc()
        (log.info if self.reason == "initial" else log.warning)("stream restarted", **asdict(self))


class RelistCompleted(Struct, frozen=True):
    """The epoch is synced: any gap is over."""

    stream: str
    epoch: int
    resource_version: str
    objects: int
    inferred_deletes: int
    seconds: float

    def emit(self) -> None:
        metrics.RELISTS.labels(self.stream).inc()
        metrics.RELIST_SECONDS.labels(self.stream).observe(self.seconds)
        log.info("relist completed", **asdict(self))


class CredentialKept(Struct, frozen=True):
    """A certificate, password or token of Kafka's cannot be read anew; the one before is used on."""

    setting: str
    error: str

    def emit(self) -> None:
        log.warning("credential not renewed", **asdict(self))


class StreamDelayed(Struct, frozen=True):
    """A stream cannot proceed. Emitted once when it begins, then once a minute, not once a try."""

    stream: str
    what: str
    """The object, the permission or the setting, and the mend."""
    seconds: float
    """Since when."""
    tries: int

    def emit(self) -> None:
        log.warning("stream delayed", **asdict(self))


class StreamRecovered(Struct, frozen=True):
    """An attempt failed; the stream starts over from its checkpoint. Said once: `StreamDelayed` says that it lasts."""

    stream: str
    error: str
    wait: float
    first: bool
    """Since the last commit."""

    def emit(self) -> None:
        metrics.RECOVERIES.labels(self.stream).inc()
        (log.warning if self.first else log.debug)("stream recovers", **asdict(self))


class TaskFailed(Struct, frozen=True):
    """What runs beside the streams has failed by a mistake of ours: it begins anew. Said each time."""

    task: str
    error: str
    wait: float

    def emit(self) -> None:
        metrics.MISTAKES.labels(self.task).inc()
        log.error("task failed", **asdict(self))


class StreamFailed(Struct, frozen=True):
    """A stream has ended for good: its configuration cannot work. The others go on. Said again every minute."""

    stream: str
    what: str

    def emit(self) -> None:
        log.error("stream failed", **asdict(self))


class BufferChanged(Struct, frozen=True):
    stream: str
    bytes: int

    def emit(self) -> None:
        metrics.BUFFERED.labels(self.stream).set(self.bytes)


class ObjectOversized(Struct, frozen=True):
    """An object went out as metadata only."""

    stream: str
    key: str
    bytes: int
    limit: int

    def emit(self) -> None:
        metrics.OVERSIZE.labels(self.stream).inc()
        log.warning("object oversized, published as metadata only", **asdict(self))


class TopicCreated(Struct, frozen=True):
    topic: str
    partitions: int

    def emit(self) -> None:
        log.info("topic created", **asdict(self))


class TopicCompacted(Struct, frozen=True):
    """Kafka will remove markers from it: who follows by them cannot know where a snapshot begins and ends."""

    stream: str
    topic: str

    def emit(self) -> None:
        log.warning("topic compacted, markers will go", **asdict(self))


class TopicForgotten(Struct, frozen=True):
    """A topic of the stream is gone, and no object was in it: it gets no more markers."""

    stream: str
    topic: str

    def emit(self) -> None:
        log.info("topic forgotten", **asdict(self))


class BridgeStarted(Struct, frozen=True):
    version: str
    config: str
    server: str
    streams: int

    def emit(self) -> None:
        metrics.CONFIG_SUCCESSFUL.set(1)
        metrics.CONFIG_TIME.set_to_current_time()
        log.info("bridge started", **asdict(self))


class StreamsCut(Struct, frozen=True):
    """They did not end in time: what they had not committed is told in the next life, from the last checkpoint on."""

    streams: list[str]

    def emit(self) -> None:
        log.warning("streams cut off", **asdict(self))


class BridgeStopped(Struct, frozen=True):
    why: str
    seconds: float

    def emit(self) -> None:
        log.info("bridge stopped", **asdict(self))
