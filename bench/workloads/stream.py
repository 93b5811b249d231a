"""stream: 200,000 changes of pods, as fast as the client takes them, from a server that costs nothing.

The client has listed 875 pods, waits on its watch, and is at rest; then everything is sent. Measured from the first
byte sent to the last record that a reader of committed records may see. CPU is that of the client alone and without its
start; memory is the most it ever held, with its start.

Contestants known to be slow get a tenth of the changes. The JSON also has the CPU of the server and of the broker.

What may be concluded: what an event costs a client that is never idle, the price of parsing, keying, compressing and
sending. Events per second say more about the machine: client, server and broker share its cores. What an event costs at
ordinary rates is another question: `trickle`.
"""

import time

from msgspec import Struct

from bench.contestants.contestant import Contestant
from bench.firehose.changes import FIRST
from bench.lab import Lab, Running
from bench.proc import Usage, usage
from bench.topics import stored
from bench.workloads.workload import ARRIVED, BYTES, CPU, RATE, REPEATED, REQUESTS, RSS, Case, Column, Figures

READY = 60.0
"""Seconds to start, to list and to watch."""
LOOK = 0.05
"""Seconds between looks at the broker."""
QUIET, STUCK = 1.0, 8.0
"""Seconds without a new record: everything is there, or nothing more will come."""
PATIENCE = 900.0


class Sample(Struct, frozen=True):
    """*end* is that of the topic, *at* the machine's monotonic clock."""

    at: float
    end: int
    usage: Usage


class Stream:
    name = "stream"
    columns = (CPU, RATE, RSS, BYTES, REQUESTS, ARRIVED, REPEATED, Column("count", "changes", 0))
    cases = tuple(
        Case(title, 200_000, size)
        for title, size in (("1 KB", 1000), ("2.2 KB", 2200), ("5 KB", 5000), ("20 KB", 20_000))
    )
    quick = (Case("2.2 KB, 40,000 changes", 40_000, 2200),)

    def __init__(self, contestants: list[Contestant]) -> None:
        self.contestants = contestants

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        count = case.count // 10 if contestant.slow else case.count
        lab.firehose.load(case.size, count)
        with lab.job(lab.firehose, "pods") as (job, topic):
            with lab.running(contestant, job, topic) as running:
                running.wait_until("a watch", lambda: lab.firehose.report().watching > 0, READY)
                ready = running.settle(READY)
                before = Sample(time.monotonic(), topic.end(), ready)
                others = _others(lab)
                lab.firehose.go()
                last = watch_until_quiet(running, before, count)
                report = lab.firehose.report()
                server, broker = (now - then for now, then in zip(_others(lab), others, strict=True))
            arrived = topic.arrived(FIRST, count)
            written = stored(lab.broker.directory, contestant.topics(job))
        return {
            "cpu_us": (last.usage.cpu - ready.cpu) / count * 1e6,
            "rate": count / (last.at - report.began),
            "rss_mib": last.usage.peak_rss / (1 << 20),
            "bytes": written / arrived.records if arrived.records else 0.0,
            "requests": len(report.requests),
            "arrived": arrived.changes / count * 100,
            "repeated": arrived.repeated,
            "start_cpu_s": ready.cpu,
            "count": count,
            "server_cpu_us": server / count * 1e6,
            "broker_cpu_us": broker / count * 1e6,
        }


def _others(lab: Lab) -> tuple[float, float]:
    """CPU seconds of the firehose and of the broker until now: they share the machine."""
    pids = lab.firehose.process.pid, lab.broker.process.pid
    server, broker = (usage([pid]).cpu for pid in pids if pid is not None)
    return server, broker


def watch_until_quiet(running: Running, before: Sample, count: int, stuck: float = STUCK) -> Sample:
    """The moment of the last record: *count* offsets are awaited (a pipe keeps its last line), or a long silence."""
    last, until = before, time.monotonic() + PATIENCE
    while time.monotonic() < until:
        time.sleep(LOOK)
        end = running.topic.end()
        now = Sample(time.monotonic(), end, running.usage())
        if end != last.end:
            last = now
        elif now.at - last.at > (QUIET if end - before.end >= count - 1 else stuck):
            return last
    raise TimeoutError(f"{running.process.name} was not done within {PATIENCE} s")
