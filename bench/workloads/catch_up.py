"""catch-up: Kafka hangs for 60 s (SIGSTOP: connections stay, nobody answers) while 200 changes come each second.

Measured from the moment at which Kafka answers again to the arrival of the last of the changes. CPU is that of the
whole time, outage included, divided by the changes; memory is the most of it. *Gaps* are those that the topic tells of;
*alive* is 0 for a program that gave up.

What may be concluded: whether an outage of the brokers loses or repeats anything, how much of it waits in memory, and
how long consumers are behind afterwards. The API server remembers 75 s: who is slow to come back must begin anew.
"""

import re
import time
from collections.abc import Iterable

from bench.contestants.contestant import Contestant
from bench.lab import Lab
from bench.reader import Reader
from bench.workloads.trickle import OBJECTS, READY, SIZE, wait_for, wait_for_life
from bench.workloads.workload import ARRIVED, CPU, REPEATED, RSS, Case, Column, Figures
from bench.writing.running import Writer, at_rate, furnished

OUTAGE = 60.0
EPOCH = re.compile(rb'"epoch":(\d+)')
ARRIVAL = 120.0
"""Seconds for everything to arrive: clients wait up to 30 s between tries."""


class CatchUp:
    name = "catch-up"
    columns = (
        Column("seconds", "seconds behind"),
        CPU,
        RSS,
        ARRIVED,
        Column("gaps", "gaps told", 0),
        REPEATED,
        Column("alive", "alive at the end", 0),
    )
    cases = (Case("60 s of 200 changes/s", 200, SIZE),)
    quick: tuple[Case, ...] = ()

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        """*count* of the case is the rate."""
        cluster, objects = furnished(lab, "catch-up", OBJECTS, case.size)
        with lab.job(cluster, "configmaps") as (job, topic), Reader(job.brokers, job.topic, topic.partitions) as reader:
            with lab.running(contestant, job, topic) as running:
                wait_for_life(running, reader, objects)
                before = running.settle(READY)
                lab.broker.pause()
                try:
                    written = Writer(at_rate(objects, case.count, OUTAGE)).written(OUTAGE + ARRIVAL)
                finally:
                    lab.broker.resume()
                back = time.monotonic()
                wait_for(reader, written, ARRIVAL, ARRIVAL / 3)
                after, alive = running.usage(), running.is_alive()
            first, last = written[0].version, written[-1].version
            gaps = epochs(topic.values()) - 1
            arrived = topic.arrived(min(first, last), abs(last - first) + 1)
        seen = [reader.seen[one.version] for one in written if one.version in reader.seen]
        return {
            "seconds": max(seen, default=back) - back,
            "cpu_us": (after.cpu - before.cpu) / len(written) * 1e6,
            "rss_mib": max(before.peak_rss, after.peak_rss) / (1 << 20),
            "arrived": len(seen) / len(written) * 100,
            "gaps": max(0, gaps),
            "repeated": arrived.repeated,
            "alive": alive,
        }


def epochs(values: Iterable[bytes]) -> int:
    """How often the bridge's stream began anew: each epoch says so once in every partition."""
    found = (EPOCH.search(value) for value in values if value.startswith(b'{"type":"RESTARTED"'))
    return len({match[1] for match in found if match is not None})
