"""snapshot: 20,000 and 100,000 ConfigMaps of 2 KB that are there already, from a real API server over TLS.

Measured from the start of the process to the last record that a reader of committed records may see, so with the start
of the program. CPU is that of the whole life. Requests are those for the resource, as the API server counts them.

What may be concluded: how long a first start, or a new epoch, takes, what it costs in memory, and what it asks of the
API server. Objects of the size of pods; a pod's own kind makes no difference to who does not decode it.
"""

import time

from bench import asked
from bench.contestants.contestant import Contestant
from bench.lab import Lab
from bench.proc import Usage
from bench.topics import stored
from bench.workloads.stream import Sample, watch_until_quiet
from bench.workloads.workload import ARRIVED, BYTES, CPU, REPEATED, REQUESTS, RSS, Case, Column, Figures
from bench.writing.running import furnished

NAMESPACES = 20
STUCK = 180.0
"""Seconds without a record: who reads a whole list before it sends, and makes models of it, takes minutes."""
COUNTED = 1.0
"""Seconds for the API server to notice that a client has gone."""


class Snapshot:
    name = "snapshot"
    columns = (Column("seconds", "seconds"), CPU, RSS, BYTES, REQUESTS, ARRIVED, REPEATED)
    cases = (Case("20,000 objects", 20_000, 1700), Case("100,000 objects", 100_000, 1700))
    quick: tuple[Case, ...] = ()

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        """*size* is that of the text in an object; the rest of the 2 KB is metadata."""
        cluster, _ = furnished(lab, "crowd", case.count, case.size, NAMESPACES)
        before = asked.reads(cluster, "configmaps")
        with lab.job(cluster, "configmaps") as (job, topic):
            with lab.running(contestant, job, topic) as running:
                start = Sample(running.started, 0, Usage(0.0, 0))
                last = watch_until_quiet(running, start, case.count, STUCK)
            time.sleep(COUNTED)
            arrived = topic.arrived(1, 1 << 62)
            written = stored(lab.broker.directory, contestant.topics(job))
        return {
            "seconds": last.at - running.started,
            "cpu_us": last.usage.cpu / case.count * 1e6,
            "rss_mib": last.usage.peak_rss / (1 << 20),
            "bytes": written / arrived.records,
            "requests": asked.reads(cluster, "configmaps") - before,
            "arrived": min(100.0, arrived.changes / case.count * 100),
            "repeated": arrived.repeated,
        }
