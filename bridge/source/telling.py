"""What is told to operators of the API server's side alone, as `bridge.telemetry` has it of all else: one type each."""

from msgspec import Struct
from msgspec.structs import asdict

from bridge import metrics
from bridge.telemetry import log


class RelistProgressed(Struct, frozen=True):
    """A long snapshot is still under way."""

    stream: str
    objects: int
    seconds: float
    objects_per_second: float

    def emit(self) -> None:
        log.info("relist progressed", **asdict(self))


class WatchOpened(Struct, frozen=True):
    stream: str

    def emit(self) -> None:
        metrics.WATCHES.labels(self.stream).inc()
        log.debug("watch opened", **asdict(self))


class StreamVerified(Struct, frozen=True):
    """A silent stream has found that nothing was missed. Mostly of interest for how long ago it was."""

    stream: str
    resource_version: str
    objects: int

    def emit(self) -> None:
        metrics.VERIFICATIONS.labels(self.stream).inc()
        metrics.VERIFIED.labels(self.stream).set_to_current_time()
        log.debug("stream verified", **asdict(self))


class DifferencesFound(Struct, frozen=True):
    """The cluster has objects otherwise than consumers were told. Mostly on its way, unless it is *lasting*."""

    stream: str
    objects: int
    what: str
    lasting: bool

    def emit(self) -> None:
        if self.lasting:
            metrics.DIFFERENCES.labels(self.stream).inc(self.objects)
        (log.warning if self.lasting else log.debug)("differences found", **asdict(self))


class FaultMet(Struct, frozen=True):
    """Something went wrong with the API server. Counted; said aloud by `StreamDelayed` when it lasts."""

    stream: str
    verdict: str
    what: str

    def emit(self) -> None:
        metrics.FAULTS.labels(self.stream, self.verdict).inc()
        log.debug("fault met", **asdict(self))


class TlsUnverified(Struct, frozen=True):
    """The kubeconfig says insecure-skip-tls-verify: whoever answers is believed to be the API server."""

    server: str

    def emit(self) -> None:
        log.warning("the API server's certificate is not verified", **asdict(self))


class PluginFailed(Struct, frozen=True):
    """An exec plugin gave no new credential; the one before still holds."""

    plugin: str
    error: str

    def emit(self) -> None:
        log.warning("exec plugin failed", **asdict(self))


class BufferFilled(Struct, frozen=True):
    """Kafka is slower than the API server: the watch was closed at a known position and resumes later."""

    stream: str
    bytes: int

    def emit(self) -> None:
        metrics.BUFFER_FULL.labels(self.stream).inc()
        log.warning("buffer filled, watch closed", **asdict(self))
