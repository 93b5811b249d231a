"""many: 200 streams, one for each of 200 namespaces, on a real API server: idle, and with a change a second somewhere.

All have told their snapshot before the minute that is measured begins. CPU is a share of one core.

What may be concluded: what a stream costs that has nothing to say: its connection, its bookmarks, its producer, its
share of the group. The peers have no such thing as a stream, so the bridge is alone here.
"""

import time

from bench import asked
from bench.contestants.contestant import Contestant
from bench.lab import Lab, Running
from bench.workloads.workload import RSS, Case, Column, Figures
from bench.writing.running import Writer, at_rate, furnished

STREAMS = 200
OBJECTS = 5
"""In each namespace."""
SECONDS = 60.0
"""Bookmarks come once in it."""
REST = 5.0
"""Seconds without a record after which all are taken to have told everything."""
READY = 300.0
ENDING = 30.0


class Many:
    name = "many"
    columns = (
        Column("cpu_percent", "CPU % of a core", 2),
        RSS,
        Column("ready_s", "seconds to all snapshots"),
        Column("requests", "API requests in all", 0),
    )
    cases = (Case("200 idle streams", 0), Case("200 streams, 1 change/s", 1))
    quick: tuple[Case, ...] = ()

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        """*count* of the case is changes per second."""
        cluster, objects = furnished(lab, "many", STREAMS * OBJECTS, 600, STREAMS)
        requests = asked.reads(cluster, "configmaps")
        namespaces = tuple(f"bench-{number}" for number in range(STREAMS))
        with lab.job(cluster, "configmaps", namespaces) as (job, topic):
            with lab.running(contestant, job, topic) as running:
                ready = _all_told(running)
                began, before = time.monotonic(), running.usage()
                if case.count:
                    Writer(at_rate(objects, case.count, SECONDS)).written(SECONDS + ENDING)
                else:
                    time.sleep(SECONDS)
                seconds, after = time.monotonic() - began, running.usage()
            time.sleep(1.0)  # watches are counted when they have ended
        return {
            "cpu_percent": (after.cpu - before.cpu) / seconds * 100,
            "rss_mib": after.peak_rss / (1 << 20),
            "ready_s": ready,
            "requests": asked.reads(cluster, "configmaps") - requests,
        }


def _all_told(running: Running) -> float:
    """Seconds from the start to the last record of the snapshots."""
    last, at, until = 0, time.monotonic(), time.monotonic() + READY
    while time.monotonic() < until:
        end = running.topic.end()
        if end != last:
            last, at = end, time.monotonic()
        elif end >= STREAMS * OBJECTS and time.monotonic() - at > REST:
            return at - running.started
        time.sleep(0.2)
    raise TimeoutError(f"snapshots were not told within {READY} s")
