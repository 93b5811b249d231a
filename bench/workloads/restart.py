"""restart: a bridge that knows 100,000 objects is ended in good order, an object changes, and it is started again.

Measured from the start of the process to the first record that a reader of committed records may see: Python's start,
discovery, joining the group, fencing, reading checkpoint and index, resuming the watch, one transaction.

What may be concluded: how long an upgrade is silent. After a crash the group's session comes on top (10 s by default).
A program without checkpoints has nothing to compare: it begins anew, which is `snapshot`.
"""

import time

from bench.contestants.contestant import Contestant
from bench.lab import Lab, Running
from bench.proc import Usage
from bench.workloads.snapshot import NAMESPACES, STUCK
from bench.workloads.stream import Sample, watch_until_quiet
from bench.workloads.workload import RSS, Case, Column, Figures
from bench.writing.running import Writer, at_rate, furnished

LOOK = 0.01
PATIENCE = 120.0
STOP = 15.0


class Restart:
    name = "restart"
    columns = (Column("seconds", "seconds to the first record", 2), Column("cpu_s", "CPU s", 2), RSS)
    cases = (Case("an index of 100,000", 100_000, 1700),)
    quick: tuple[Case, ...] = ()

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        cluster, objects = furnished(lab, "crowd", case.count, case.size, NAMESPACES)
        with lab.job(cluster, "configmaps") as (job, topic):
            with lab.running(contestant, job, topic) as running:
                watch_until_quiet(running, Sample(running.started, 0, Usage(0.0, 0)), case.count, STUCK)
                running.process.stop(STOP)
            before = topic.end()
            Writer(at_rate(objects, 10.0, 0.1)).written(PATIENCE)
            with lab.running(contestant, job, topic) as running:
                at = _first_record(running, before)
                usage = running.usage()
        return {"seconds": at - running.started, "cpu_s": usage.cpu, "rss_mib": usage.peak_rss / (1 << 20)}


def _first_record(running: Running, before: int) -> float:
    until = time.monotonic() + PATIENCE
    while running.topic.end() == before:
        if time.monotonic() > until:
            raise TimeoutError(f"no record within {PATIENCE} s")
        time.sleep(LOOK)
    return time.monotonic()
