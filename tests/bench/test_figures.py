"""Figures that are published: read rightly from their sources, and told without flattery."""

from bench.asked import parse_reads
from bench.proc import TICKS, Stat, parse_peak, parse_stat
from bench.tables import Outcome, medians, table
from bench.topics import version_of
from bench.workloads.catch_up import epochs
from bench.workloads.trickle import percentile
from bench.workloads.workload import CPU, RATE


def test_cpu_is_that_of_the_process_and_of_the_children_it_has_waited_for() -> None:
    """Also where a program's name holds spaces and parentheses, as the kernel lets it."""
    text = "17 (a ) b (c) S 1 16 16 0 -1 4194560 9 8 7 6 " + "300 45 20 5 " + "20 0 1 0 100 0 0"

    assert parse_stat(text) == Stat("S", 16, 345 / TICKS, 25 / TICKS)


def test_memory_is_the_most_that_was_held() -> None:
    """And a process that has just ended has none."""
    assert parse_peak("Name:\tx\nVmPeak:\t  900 kB\nVmHWM:\t  120 kB\nVmRSS:\t  80 kB\n") == 120 << 10
    assert parse_peak("Name:\tx\nState:\tZ (zombie)\n") == 0


def test_a_median_is_taken_of_each_figure_by_itself() -> None:
    """One disturbed run must not decide."""
    runs = [{"cpu_us": 10.0, "rate": 5.0}, {"cpu_us": 90.0, "rate": 6.0}, {"cpu_us": 12.0, "rate": 1.0}]

    assert medians(runs) == {"cpu_us": 12.0, "rate": 5.0}


def test_ratios_come_first_and_failures_are_told() -> None:
    """Who reads only the first column has read what matters; a peer that failed is not left out silently."""
    ours = Outcome("stream", "2 KB", "bridge", "", "", [{"cpu_us": 10.0, "rate": 20000.0}], [])
    pipe = Outcome("stream", "2 KB", "curl | kcat", "", "no key", [{"cpu_us": 15.0, "rate": 30000.0}], [])
    failed = Outcome("stream", "2 KB", "other", "", "", [], ["it ended", "it ended"])

    assert table([CPU, RATE], [ours, pipe, failed]).splitlines() == [
        "|  | CPU µs per event, times the bridge's | CPU µs per event | events/s | cannot |",
        "| --- | --- | --- | --- | --- |",
        "| bridge | **1.00** | 10.0 | 20,000 |  |",
        "| curl \\| kcat | **1.50** | 15.0 | 30,000 | no key |",
        "| other |  |  |  | **failed: it ended** |",
    ]


def test_requests_are_reads_of_the_resource_alone() -> None:
    """Other clients of the API server, and the writer, must not count."""
    metrics = """# TYPE apiserver_request_total counter
apiserver_request_total{code="200",resource="configmaps",scope="cluster",subresource="",verb="LIST",version="v1"} 3
apiserver_request_total{code="200",resource="configmaps",scope="cluster",subresource="",verb="WATCH",version="v1"} 2
apiserver_request_total{code="201",resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} 1e+03
apiserver_request_total{code="200",resource="pods",scope="cluster",subresource="",verb="LIST",version="v1"} 7
"""

    assert parse_reads(metrics, "configmaps") == 5


def test_a_record_counts_by_the_version_of_its_object() -> None:
    """A marker has the version of the list, in every partition: it is no change that came twice."""
    assert version_of(b'{"type":"MODIFIED","object":{"metadata":{"resourceVersion":"17"}}}') == 17
    assert version_of(b'{"type":"SYNCED","resourceVersion":"17","objects":3}') is None


def test_a_gap_is_counted_once_and_not_for_every_partition() -> None:
    """Nor are objects whose text happens to speak of one."""
    restarted = [b'{"type":"RESTARTED","stream":"a","epoch":%d}' % epoch for epoch in (7, 7, 9, 9)]

    assert epochs([*restarted, b'{"type":"ADDED","object":{"a":"RESTARTED","epoch":11}}']) == 2


def test_percentiles_are_values_that_were_measured() -> None:
    """The greatest is no average."""
    values = [float(number) for number in range(1, 101)]

    assert [percentile(values, share) for share in (0.5, 0.99, 1.0)] == [51.0, 100.0, 100.0]
