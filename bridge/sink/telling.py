"""What is told to operators of Kafka's side alone, as `bridge.telemetry` has it of all else: one type each."""

from typing import ClassVar

from bridge import metrics
from bridge.telemetry import Level, Told


class RecordsCommitted(Told, frozen=True):
    """One transaction is in Kafka for good. Counted, not logged: it is the ordinary case."""

    stream: str
    records: dict[str, int]
    """Record type -> how many."""
    bytes: int
    seconds: float
    resource_version: str
    position_time: float
    """When the position that it commits was learnt, seconds since 1970; 0 if there is none yet."""
    topics: dict[str, int]
    """That the stream has written to, with their partitions."""

    def count(self) -> None:
        for kind, count in self.records.items():
            metrics.RECORDS.labels(self.stream, kind).inc(count)
        metrics.BYTES.labels(self.stream).inc(self.bytes)
        metrics.COMMITS.labels(self.stream).inc()
        metrics.COMMIT_SECONDS.labels(self.stream).observe(self.seconds)


class RecordsRepeated(Told, frozen=True):
    """Without transactions: these were sent, and what became of them is unknown. They are sent again."""

    stream: str
    records: int

    def count(self) -> None:
        metrics.REDELIVERED.labels(self.stream).inc(self.records)


class StreamRestarted(Told, frozen=True):
    """A new epoch began: what lies between *previous* and its `SYNCED` may be a gap."""

    line: ClassVar[str] = "stream restarted"
    levels: ClassVar[tuple[Level, ...]] = ("warning", "info")

    stream: str
    epoch: int
    reason: str
    message: str
    previous: str
    gap_began: float
    """When *previous* was learnt, seconds since 1970; 0 if there is none."""

    @property
    def level(self) -> Level:
        return "info" if self.reason == "initial" else "warning"

    def count(self) -> None:
        metrics.RESTARTS.labels(self.stream, self.reason).inc()


class RelistCompleted(Told, frozen=True):
    """The epoch is synced: any gap is over."""

    line: ClassVar[str] = "relist completed"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str
    epoch: int
    resource_version: str
    objects: int
    inferred_deletes: int
    seconds: float
    gap_seconds: float
    """From the last position that consumers can trust; 0 if there was none."""

    def count(self) -> None:
        metrics.RELISTS.labels(self.stream).inc()
        metrics.RELIST_SECONDS.labels(self.stream).observe(self.seconds)
        if self.gap_seconds:
            metrics.GAPS.labels(self.stream).inc()
            metrics.GAP_SECONDS.labels(self.stream).inc(self.gap_seconds)


class ObjectOversized(Told, frozen=True):
    """An object went out as metadata only."""

    line: ClassVar[str] = "object oversized, published as metadata only"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    stream: str
    key: str
    bytes: int
    limit: int

    def count(self) -> None:
        metrics.OVERSIZE.labels(self.stream).inc()


class CredentialKept(Told, frozen=True):
    """A certificate, password or token of Kafka's cannot be read anew; the one before is used on."""

    line: ClassVar[str] = "credential not renewed"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    setting: str
    error: str


class TopicCreated(Told, frozen=True):
    """Made by the bridge, as `topics` says."""

    line: ClassVar[str] = "topic created"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    topic: str
    partitions: int


class TopicCompacted(Told, frozen=True):
    """Kafka will remove markers from it: who follows by them cannot know where a snapshot begins and ends."""

    line: ClassVar[str] = "topic compacted, markers will go"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    stream: str
    topic: str


class TopicForgotten(Told, frozen=True):
    """A topic of the stream is gone, and no object was in it: it gets no more markers."""

    line: ClassVar[str] = "topic forgotten"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str
    topic: str
