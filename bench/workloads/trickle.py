"""trickle: changes of ConfigMaps through a real API server over TLS, 10 and 500 each second.

A writer of its own keeps the rate. Latency is from the API server's acknowledgement, as the writer gets it, to a
consumer of committed records; both read the same clock. CPU is that of the client alone, over the whole time, idle
moments included, divided by the changes. *written/s* is the rate that the server took.

What may be concluded: what a cluster's ordinary life costs, where single wake-ups, TLS and small batches dominate, and
how late a consumer is. At 10/s CPU is counted in few steps of 10 ms: compare its medians roughly.
"""

import time

from bench.contestants.contestant import Contestant
from bench.lab import Lab, Running
from bench.reader import Reader
from bench.topics import stored
from bench.workloads.workload import ARRIVED, BYTES, CPU, RSS, Case, Column, Figures
from bench.writing.plan import Plan, Written
from bench.writing.running import Writer, at_rate, furnished

OBJECTS = 200
SIZE = 600
"""Bytes of text in each: about 1.1 KB as it is sent, with what the server adds."""
SECONDS = 20.0
READY = 60.0
ARRIVAL = 30.0
"""Seconds for the last change to arrive, and for the writer to end."""


class Trickle:
    name = "trickle"
    columns = (
        CPU,
        Column("written", "written/s"),
        Column("p50_ms", "p50 ms"),
        Column("p99_ms", "p99 ms"),
        Column("max_ms", "max ms", 0),
        RSS,
        BYTES,
        ARRIVED,
    )
    cases = (Case("10 changes/s", 10, SIZE), Case("500 changes/s", 500, SIZE))
    quick: tuple[Case, ...] = ()

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        """*count* of the case is the rate."""
        cluster, objects = furnished(lab, "trickle", OBJECTS, case.size)
        with lab.job(cluster, "configmaps") as (job, topic), Reader(job.brokers, job.topic, topic.partitions) as reader:
            with lab.running(contestant, job, topic) as running:
                wait_for_life(running, reader, objects)
                before = running.settle(READY)
                written = Writer(at_rate(objects, case.count, SECONDS)).written(SECONDS + ARRIVAL)
                wait_for(reader, written, ARRIVAL, ARRIVAL)
                after = running.usage()
            records = topic.arrived(0, 0).records
            stored_bytes = stored(lab.broker.directory, contestant.topics(job))
        late = latencies(reader, written)
        return {
            "written": len(written) / (max(one.at for one in written) - min(one.at for one in written)),
            "cpu_us": (after.cpu - before.cpu) / len(written) * 1e6,
            "p50_ms": percentile(late, 0.5) * 1e3,
            "p99_ms": percentile(late, 0.99) * 1e3,
            "max_ms": percentile(late, 1.0) * 1e3,
            "rss_mib": after.peak_rss / (1 << 20),
            "bytes": stored_bytes / records,
            "arrived": len(late) / len(written) * 100,
        }


def wait_for_life(running: Running, reader: Reader, objects: Plan) -> None:
    """Until a change comes through: it watches, whatever it did before."""
    written: list[Written] = []

    def has_come() -> bool:
        written.extend(Writer(at_rate(objects, 10.0, 0.2)).written(ARRIVAL))
        time.sleep(0.5)
        return any(one.version in reader.seen for one in written)

    running.wait_until("the first change", has_come, READY)


def wait_for(reader: Reader, written: list[Written], seconds: float, silence: float) -> None:
    """Until all is there, or nothing has come for so long: what never comes is told as not arrived."""
    last, at, until = 0, time.monotonic(), time.monotonic() + seconds
    while time.monotonic() < until and time.monotonic() - at < silence:
        found = sum(one.version in reader.seen for one in written)
        if found == len(written):
            return
        if found != last:
            last, at = found, time.monotonic()
        time.sleep(0.1)


def latencies(reader: Reader, written: list[Written]) -> list[float]:
    """Seconds, sorted. A record may be read before the writer has its answer: that counts as 0."""
    return sorted(max(0.0, reader.seen[one.version] - one.at) for one in written if one.version in reader.seen)


def percentile(values: list[float], share: float) -> float:
    """The value that this share does not exceed; *values* are sorted, and there are some."""
    if not values:
        raise LookupError("nothing arrived")
    return values[min(len(values) - 1, int(share * len(values)))]
