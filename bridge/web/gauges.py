"""The board as gauges, for `/metrics`."""

from bridge import metrics
from bridge.metrics import Gauge, Readings
from bridge.web.document import Status, StreamState
from bridge.web.entry import STATES

Builds = tuple[str, str, str]
"""The versions of the bridge, of Python, of aiokafka."""


def readings(status: Status, builds: Builds, loop_lag: float) -> Readings:
    """What is not known is left out: a 0 would be a time long ago."""
    whole: dict[Gauge, float | None] = {
        metrics.OWNED: len(status.streams),
        metrics.CONFIGURED: len(status.streams) + len(status.elsewhere),
        metrics.PARTITIONS: status.group.partitions if status.group is not None else None,
        metrics.MEMBER: status.group.member if status.group is not None else None,
        metrics.LOOP_LAG: loop_lag,
        metrics.CONFIG_SUCCESSFUL: not status.rejected,
        metrics.CONFIG_TIME: status.config_time,
        metrics.CONFIG_PENDING: status.config_pending,
    }
    found: dict[Gauge, list[tuple[tuple[str, ...], float]]] = {gauge: [] for gauge in metrics.GAUGES}
    found |= {gauge: [((), float(value))] for gauge, value in whole.items() if value is not None}
    found[metrics.BUILD] = [(builds, 1.0)]
    for stream in status.streams:
        for gauge, value in _of(stream).items():
            if value is not None:
                found[gauge].append(((stream.name,), float(value)))
        found[metrics.STREAM_STATE] += [((stream.name, state), float(state == stream.state)) for state in STATES]
    return found


def _of(stream: StreamState) -> dict[Gauge, float | None]:
    return {
        metrics.STREAM_READY: stream.ready,
        metrics.POSITION_TIME: stream.position_time,
        metrics.STALE_AFTER: stream.stale_after,
        metrics.FRAME_TIME: stream.last_frame_time,
        metrics.VERIFIED: stream.verified_time,
        metrics.LAG: stream.lag,
        metrics.BUFFERED: stream.buffer_bytes,
        metrics.BUFFER_LIMIT: stream.buffer_limit,
        metrics.OBJECTS: stream.objects,
    }
