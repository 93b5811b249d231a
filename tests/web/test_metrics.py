"""The metrics by Prometheus' conventions, as `promtool check metrics` and its documents have them."""

import re

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bridge import metrics
from bridge.audience import listening
from bridge.metrics import Description, described, exposition
from bridge.sink.telling import RelistCompleted
from bridge.web.board import Board, Setup
from bridge.web.gauges import readings
from tests.web.test_board import LIVE, SETUP, Life, restarted

BUILDS = ("0.1.0", "3.13.1", "0.14.0")
KINDS = ("counter", "gauge", "histogram", "summary", "info")
OTHER_UNITS = re.compile(r"_(milliseconds|ms|minutes|hours|days|kilobytes|kib|megabytes|mib|percent)(_|$)")
"""Not Prometheus' base units: seconds, bytes, ratios."""


def complaints(metric: Description) -> list[str]:
    """As promtool says them."""
    name, kind = metric.name, metric.kind
    rules = {
        "a name of the bridge's": re.fullmatch(r"bridge_[a-z][a-z_]*[a-z]", name) is not None,
        "counters end with _total, others do not": name.endswith("_total") == (kind == "counter"),
        "only histograms have _bucket, _count, _sum": not name.endswith(("_bucket", "_count", "_sum")),
        "the type is not in the name": not any(f"_{word}" in name for word in KINDS if word != "info"),
        "base units": OTHER_UNITS.search(name) is None,
        "a time is a _timestamp_seconds": ("timestamp" in name) == name.endswith("_timestamp_seconds"),
        "a help text is a sentence": metric.help.endswith(".") and metric.help[0].isupper() | metric.help[0].isdigit(),
        "labels are words of ours": set(metric.labels)
        <= {"stream", "type", "reason", "verdict", "task", "state", "version", "python", "aiokafka", "result"},
    }
    return [rule for rule, holds in rules.items() if not holds]


@pytest.mark.parametrize("metric", list(described()), ids=lambda metric: metric.name)
def test_a_metric_keeps_the_conventions(metric: Description) -> None:
    """Dashboards and alerts are written by people who know them."""
    assert complaints(metric) == []


def test_names_are_given_once() -> None:
    """A second one would hide the first in a scrape."""
    names = [metric.name for metric in described()]

    assert sorted(set(names)) == sorted(names)


def test_what_is_wrong_is_found() -> None:
    """A lint that passes everything is none."""
    wrong = Description("bridge_lag_gauge_ms", "counter", ("pod",), "lag")

    assert len(complaints(wrong)) == 5


def scraped(life: Life, accept: str) -> tuple[dict[str, dict[str, float]], str]:
    """Sample name -> its labels' values, joined -> value; of our own alone."""
    text, kind = exposition(accept, readings(life.board.read(), BUILDS, 0.25))
    parse = parse_openmetrics if "openmetrics" in kind else parse_text
    found: dict[str, dict[str, float]] = {}
    for family in parse(text.decode()):
        for sample in family.samples:
            if sample.name.startswith("bridge_"):
                found.setdefault(sample.name, {})[",".join(sorted(sample.labels.values()))] = sample.value
    return found, kind


@pytest.mark.parametrize("accept", ["", "text/plain", "application/openmetrics-text; version=1.0.0"])
def test_a_scrape_is_parsed_by_prometheus_own_parsers(accept: str) -> None:
    """In both formats, and with the same values."""
    life = Life(now=1000.0)
    life.hears(*LIVE)
    found, kind = scraped(life, accept)

    assert kind.startswith("application/openmetrics-text" if "openmetrics" in accept else "text/plain")
    assert found["bridge_position_timestamp_seconds"] == {"pods": 990.0}
    assert found["bridge_stale_after_seconds"] == {"pods": 300.0}
    assert found["bridge_stream_ready"] == {"pods": 1.0}
    assert {key for key, value in found["bridge_stream_state"].items() if value} == {"live,pods"}
    assert len(found["bridge_stream_state"]) == 7
    assert found["bridge_build_info"] == {"0.1.0,0.14.0,3.13.1": 1.0}
    assert (found["bridge_owned_streams"], found["bridge_configured_streams"]) == ({"": 1.0}, {"": 2.0})


def test_the_gauges_of_a_stream_go_with_it() -> None:
    """It runs elsewhere now: here it would be stale, and alert, for ever."""
    life = Life()
    life.hears(*LIVE)
    before, _ = scraped(life, "")
    life.board = Board(SETUP, lambda: False, lambda: life.now)
    after, _ = scraped(life, "")
    gauges = {gauge.name for gauge in metrics.GAUGES if gauge.labels[:1] == ("stream",)}

    assert gauges & set(before) == gauges - {
        "bridge_last_frame_timestamp_seconds",
        "bridge_verified_timestamp_seconds",
        "bridge_objects",
    }
    assert gauges & set(after) == set()


def test_counters_that_are_alerted_on_begin_at_nothing() -> None:
    """`increase` sees none in a counter whose first value is 1: the first restart would be missed."""
    life = Life()
    metrics.expect("begins-at-nothing")
    found, _ = scraped(life, "")
    mine = {
        name: {key: value for key, value in values.items() if "begins-at-nothing" in key}
        for name, values in found.items()
    }

    assert len(mine["bridge_restarts_total"]) == 10
    assert {name: sum(values.values()) for name, values in mine.items() if values} == {
        "bridge_restarts_total": 0.0,
        "bridge_redelivered_records_total": 0.0,
        "bridge_gaps_total": 0.0,
        "bridge_gap_seconds_total": 0.0,
        "bridge_differences_total": 0.0,
        "bridge_recoveries_total": 0.0,
        "bridge_buffer_full_total": 0.0,
        "bridge_oversize_total": 0.0,
    }


def test_a_gap_is_counted_with_its_length_when_it_is_over() -> None:
    """The number that a platform team is asked for: how long could consumers not know."""
    life, name = Life(), "gap-is-counted"
    RelistCompleted(name, 8, "200", 5, 1, 2.0, 30.5).emit()
    RelistCompleted(name, 9, "200", 5, 1, 2.0, 0.0).emit()
    found, _ = scraped(life, "")

    assert (found["bridge_gaps_total"][name], found["bridge_gap_seconds_total"][name]) == (1.0, 30.5)
    assert found["bridge_relists_total"][name] == 2.0, "a first snapshot ends no gap"


def test_a_standalone_bridge_tells_nothing_of_a_group() -> None:
    """A 0 would alert for a member that was thrown out."""
    life = Life()
    life.board = Board(Setup("0.1.0", "bridge", None, "host", standalone=True, streams=()), lambda: False)
    found, _ = scraped(life, "")

    assert {"bridge_group_member", "bridge_owned_partitions"} & set(found) == set()


def test_the_document_of_a_restart_is_the_metrics(capsys: pytest.CaptureFixture[str]) -> None:
    """Told once: the log, the counter and the board cannot disagree."""
    life = Life()
    life.hears(*LIVE)
    with listening(life.board.hear):
        restarted("rewound", epoch=9).emit()
    found, _ = scraped(life, "")

    assert found["bridge_restarts_total"]["pods,rewound"] >= 1.0
    assert [each.reason for each in life.pods.restarts] == ["initial", "rewound"]
    assert capsys.readouterr().out.count("stream restarted") == 1
