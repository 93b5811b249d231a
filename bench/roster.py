"""Who takes part in what."""

from bench.contestants.bridge import AT_LEAST_ONCE, EXACTLY_ONCE
from bench.contestants.contestant import Contestant
from bench.contestants.handwritten import HANDWRITTEN
from bench.contestants.pipe import PIPE
from bench.workloads.stream import Stream
from bench.workloads.workload import Workload

EVERYONE: list[Contestant] = [EXACTLY_ONCE, AT_LEAST_ONCE, PIPE, HANDWRITTEN]


def workloads() -> list[Workload]:
    return [Stream(EVERYONE)]
