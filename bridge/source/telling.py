"""What is told to operators of the API server's side alone, as `bridge.telemetry` has it of all else: one type each."""

import enum
from typing import ClassVar

from bridge import metrics
from bridge.telemetry import Level, Told


class Doing(enum.Enum):
    OPENING = "opening"
    RELISTING = "relisting"
    WATCHING = "watching"
    VERIFYING = "verifying"


class WatchMoved(Told, frozen=True):
    """What the stream is doing at the API server. *hears*: a watch of it is open."""

    stream: str
    doing: Doing
    hears: bool


class FramesHeard(Told, frozen=True):
    """The API server has told something: changes, a bookmark, a page. *objects*: how many live ones are known now."""

    stream: str
    objects: int


class RelistProgressed(Told, frozen=True):
    """A long snapshot is still under way."""

    line: ClassVar[str] = "relist progressed"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str
    objects: int
    seconds: float
    objects_per_second: float


class WatchOpened(Told, frozen=True):
    """At a known position: the first, and every reconnect."""

    line: ClassVar[str] = "watch opened"
    levels: ClassVar[tuple[Level, ...]] = ("debug",)

    stream: str

    def count(self) -> None:
        metrics.WATCHES.labels(self.stream).inc()


class StreamVerified(Told, frozen=True):
    """A silent stream has found that nothing was missed. Mostly of interest for how long ago it was."""

    line: ClassVar[str] = "stream verified"
    levels: ClassVar[tuple[Level, ...]] = ("debug",)

    stream: str
    resource_version: str
    objects: int

    def count(self) -> None:
        metrics.VERIFICATIONS.labels(self.stream).inc()


class DifferencesFound(Told, frozen=True):
    """The cluster has objects otherwise than consumers were told. Mostly on its way, unless it is *lasting*."""

    line: ClassVar[str] = "differences found"
    levels: ClassVar[tuple[Level, ...]] = ("warning", "debug")

    stream: str
    objects: int
    what: str
    lasting: bool

    def count(self) -> None:
        if self.lasting:
            metrics.DIFFERENCES.labels(self.stream).inc(self.objects)

    @property
    def level(self) -> Level:
        return "warning" if self.lasting else "debug"


class FaultMet(Told, frozen=True):
    """Something went wrong with the API server. Counted; said aloud by `StreamDelayed` when it lasts."""

    line: ClassVar[str] = "fault met"
    levels: ClassVar[tuple[Level, ...]] = ("debug",)

    stream: str
    verdict: str
    what: str

    def count(self) -> None:
        metrics.FAULTS.labels(self.stream, self.verdict).inc()


class TlsUnverified(Told, frozen=True):
    """The kubeconfig says insecure-skip-tls-verify: whoever answers is believed to be the API server."""

    line: ClassVar[str] = "the API server's certificate is not verified"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    server: str


class PluginFailed(Told, frozen=True):
    """An exec plugin gave no new credential; the one before still holds."""

    line: ClassVar[str] = "exec plugin failed"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    plugin: str
    error: str


class BufferFilled(Told, frozen=True):
    """Kafka is slower than the API server: the watch was closed at a known position and resumes later."""

    line: ClassVar[str] = "buffer filled, watch closed"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    stream: str
    bytes: int

    def count(self) -> None:
        metrics.BUFFER_FULL.labels(self.stream).inc()
