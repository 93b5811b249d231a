"""The metrics, in the registry of prometheus_client, which only this file knows. `telemetry` counts them.

What only grows is counted here and now. What goes up and down is read off the board when somebody asks: of the streams
that run here, and of no others. A stream that has moved to another replica would look stale for ever otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    Metric,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.model.event import RestartReason

disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the lines, of which nobody makes anything

STREAM = ("stream",)

RECORDS = Counter("bridge_records", "Records committed to Kafka, by type.", ["stream", "type"])
BYTES = Counter("bridge_record_bytes", "Bytes of keys and values committed to Kafka, before compression.", STREAM)
COMMITS = Counter("bridge_commits", "Transactions committed.", STREAM)
COMMIT_SECONDS = Histogram(
    "bridge_commit_seconds",
    "From the first record of a transaction handed to Kafka to its commit.",
    STREAM,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
REDELIVERED = Counter(
    "bridge_redelivered_records",
    "Records that were sent without a known end, and are sent again (at-least-once): they may be in Kafka twice.",
    STREAM,
)
RESTARTS = Counter("bridge_restarts", "New epochs begun, by reason.", ["stream", "reason"])
GAPS = Counter("bridge_gaps", "Gaps that were announced and are over.", STREAM)
GAP_SECONDS = Counter(
    "bridge_gap_seconds", "Their length: from the last position that consumers can trust to SYNCED.", STREAM
)
RELISTS = Counter("bridge_relists", "Snapshots completed.", STREAM)
RELIST_SECONDS = Histogram(
    "bridge_relist_seconds", "How long snapshots took.", STREAM, buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
)
WATCHES = Counter("bridge_watches", "Watches opened at a known position: the first, and every reconnect.", STREAM)
VERIFICATIONS = Counter("bridge_verifications", "Silent streams that found that nothing was missed.", STREAM)
DIFFERENCES = Counter("bridge_differences", "Objects of which the API server had told nothing or not all.", STREAM)
FAULTS = Counter("bridge_faults", "What went wrong with the API server, by the verdict on it.", ["stream", "verdict"])
RECOVERIES = Counter("bridge_recoveries", "Fresh starts from the checkpoint after a failure.", STREAM)
MISTAKES = Counter("bridge_mistakes", "Fresh starts of what runs beside streams, after a mistake of ours.", ["task"])
BUFFER_FULL = Counter("bridge_buffer_full", "Watches closed because the buffer was full.", STREAM)
OVERSIZE = Counter("bridge_oversize", "Objects published as metadata only: larger than maxMessageBytes.", STREAM)
RELOADS = Counter(
    "bridge_config_reloads",
    "Looks at a config file that has changed, by what came of it: applied, unchanged, rejected, needs_restart.",
    ["result"],
)

ALERTED = (REDELIVERED, GAPS, GAP_SECONDS, DIFFERENCES, RECOVERIES, BUFFER_FULL, OVERSIZE)


def expect(stream: str) -> None:
    """Let what is alerted on stand at 0: Prometheus sees no increase in a counter that begins with 1."""
    for counter in ALERTED:
        counter.labels(stream)
    for reason in RestartReason:
        RESTARTS.labels(stream, reason.value)


class Gauge(Struct, frozen=True):
    """What is read off the board."""

    name: str
    help: str
    labels: tuple[str, ...] = STREAM


STREAM_READY = Gauge("bridge_stream_ready", "1 where the committed position is not older than its limit, else 0.")
STREAM_STATE = Gauge(
    "bridge_stream_state",
    "1 for the state it is in, else 0: waiting, starting, relisting, live, verifying, delayed, failed.",
    ("stream", "state"),
)
POSITION_TIME = Gauge("bridge_position_timestamp_seconds", "When the committed position was learnt.")
STALE_AFTER = Gauge("bridge_stale_after_seconds", "How old the position may become: watches[].staleAfter.")
FRAME_TIME = Gauge(
    "bridge_last_frame_timestamp_seconds", "When the API server last told something: a change, a bookmark, a page."
)
VERIFIED = Gauge("bridge_verified_timestamp_seconds", "When a silent stream was last found to be right.")
LAG = Gauge("bridge_lag_seconds", "How long the oldest change that is not in Kafka has waited; 0 where there is none.")
BUFFERED = Gauge("bridge_buffer_bytes", "Bytes of changes that wait for Kafka.")
BUFFER_LIMIT = Gauge("bridge_buffer_limit_bytes", "Bytes that may wait now.")
OBJECTS = Gauge("bridge_objects", "Live objects, as the stream knows them.")
OWNED = Gauge("bridge_owned_streams", "Streams that this replica runs.", ())
CONFIGURED = Gauge("bridge_configured_streams", "Streams that the config file asks for, of all replicas.", ())
PARTITIONS = Gauge("bridge_owned_partitions", "Partitions of the checkpoint topic that this replica owns.", ())
MEMBER = Gauge("bridge_group_member", "1 where this replica is a member of its group, else 0.", ())
LOOP_LAG = Gauge("bridge_loop_lag_seconds", "How late the event loop's last heartbeat was.", ())
CONFIG_SUCCESSFUL = Gauge(
    "bridge_config_last_reload_successful",
    "1: the config file can be used; 0: it cannot, and the one before rules.",
    (),
)
CONFIG_TIME = Gauge(
    "bridge_config_last_reload_success_timestamp_seconds", "When the config file was last found to be right.", ()
)
CONFIG_PENDING = Gauge("bridge_config_pending", "1: a changed config file waits until all replicas have it.", ())
BUILD = Gauge("bridge_build_info", "What runs, as labels.", ("version", "python", "aiokafka"))

GAUGES = (
    *(STREAM_READY, STREAM_STATE, POSITION_TIME, STALE_AFTER, FRAME_TIME, VERIFIED, LAG, BUFFERED, BUFFER_LIMIT),
    *(OBJECTS, OWNED, CONFIGURED, PARTITIONS, MEMBER, LOOP_LAG, BUILD),
    *(CONFIG_SUCCESSFUL, CONFIG_TIME, CONFIG_PENDING),
)

Readings = Mapping[Gauge, list[tuple[tuple[str, ...], float]]]
"""Values by their labels."""


class _Read(Collector):
    """What was counted, and what was read."""

    def __init__(self, counted: CollectorRegistry, readings: Readings) -> None:
        self._counted = counted
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        for gauge, values in self._readings.items():
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=gauge.labels)
            for labels, value in values:
                family.add_metric(labels, value)
            yield family
        yield from self._counted.collect()


def exposition(accept: str, readings: Readings) -> tuple[bytes, str]:
    """All metrics in the format that *accept* (the header) asks for, and its content type."""
    encode, kind = choose_encoder(accept)
    return encode(_Read(REGISTRY, readings)), kind


class Description(Struct, frozen=True):
    """A metric as people look it up."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


def described() -> Iterable[Description]:
    """All of ours: those that are read, then those that are counted."""
    for gauge in GAUGES:
        yield Description(gauge.name, "gauge", gauge.labels, gauge.help)
    for counted in _COUNTED:
        (family,) = counted.describe()
        name = f"{family.name}_total" if family.type == "counter" else family.name
        yield Description(name, family.type, tuple(counted._labelnames), family.documentation)  # noqa: SLF001 - told nowhere else


_COUNTED: tuple[Counter | Histogram, ...] = tuple(
    each for each in list(globals().values()) if isinstance(each, Counter | Histogram)
)
