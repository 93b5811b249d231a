"""Who takes part in what."""

from bench.contestants.bridge import AT_LEAST_ONCE, EXACTLY_ONCE
from bench.contestants.collector import COLLECTOR
from bench.contestants.contestant import Contestant
from bench.contestants.handwritten import HANDWRITTEN
from bench.contestants.pipe import PIPE
from bench.contestants.rust import RUST, RUST_PLAIN
from bench.workloads.stream import Stream
from bench.workloads.trickle import Trickle
from bench.workloads.workload import Workload

EVERYONE: list[Contestant] = [EXACTLY_ONCE, AT_LEAST_ONCE, PIPE, RUST, RUST_PLAIN, HANDWRITTEN, COLLECTOR]
FAIR = [one for one in EVERYONE if one is not RUST_PLAIN]


def workloads() -> list[Workload]:
    return [Stream(EVERYONE), Trickle(FAIR)]
