"""Who takes part in what."""

from bench.contestants.bridge import AT_LEAST_ONCE, EXACTLY_ONCE
from bench.contestants.collector import COLLECTOR, COLLECTOR_PLAIN
from bench.contestants.contestant import Contestant
from bench.contestants.handwritten import HANDWRITTEN
from bench.contestants.pipe import PIPE
from bench.contestants.rust import RUST, RUST_PLAIN
from bench.workloads.catch_up import CatchUp
from bench.workloads.many import Many
from bench.workloads.restart import Restart
from bench.workloads.snapshot import Snapshot
from bench.workloads.stream import Stream
from bench.workloads.trickle import Trickle
from bench.workloads.workload import Workload

EVERYONE: list[Contestant] = [
    EXACTLY_ONCE,
    AT_LEAST_ONCE,
    PIPE,
    RUST,
    RUST_PLAIN,
    HANDWRITTEN,
    COLLECTOR,
    COLLECTOR_PLAIN,
]
OURS: list[Contestant] = [EXACTLY_ONCE]
LISTING: list[Contestant] = [EXACTLY_ONCE, PIPE, RUST, HANDWRITTEN]
"""The collector tells no objects that are there already, unless it polls."""
COMPRESSED: list[Contestant] = [EXACTLY_ONCE, AT_LEAST_ONCE, PIPE, RUST, HANDWRITTEN, COLLECTOR]
ENDURING: list[Contestant] = [EXACTLY_ONCE, RUST, HANDWRITTEN, COLLECTOR]
"""An outage takes minutes: those that mean to survive it."""


def workloads() -> list[Workload]:
    """In the order in which they run. `snapshot` and `restart` share a cluster that takes minutes to fill."""
    return [
        Stream(EVERYONE),
        Trickle(COMPRESSED),
        Snapshot(LISTING),
        Restart(OURS),
        Many(OURS),
        CatchUp(ENDURING),
    ]
