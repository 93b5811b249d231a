"""The alerts, by the real promtool: they are rules, they fire when they should, and not when they should not."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.alerts import promtool
from tests.alerts.cases import CASES, Case
from tests.alerts.queries import dashboard_queries
from tests.alerts.record import ACTS

HERE = Path(__file__).parent.parent / "alerts"
UP = {'bridge_build_info{namespace="event-bridge",job="event-bridge",pod="up"}': "1x100"}
"""A bridge that answers, so that nothing fires for its absence."""
STREAMS = {"events", "pods", "configmaps"}
VARIABLE = re.compile(r"\$(\w+)")


def test_they_are_rules_without_a_lint(tools: Path, tmp_path: Path) -> None:
    told = promtool.check(tools, tmp_path)

    assert told.returncode == 0, told.stdout + told.stderr


def test_every_alert_is_tried(tools: Path) -> None:
    """An alert that was never seen to fire is a hope."""
    assert tools.is_dir()
    assert {case.alert for case in CASES} == set(promtool.alerts())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{case.second}")
def test_it_fires_and_it_does_not(tools: Path, tmp_path: Path, case: Case) -> None:
    """Alone, and for the stream or bridge that it is about; and with what looks alike, nothing."""
    around = {} if case.alert == "EventBridgeDown" else UP
    promtool.run(
        tools,
        tmp_path,
        [
            trial(case.series | around, [promtool.firing(case.second, {case.alert: {case.stream}})]),
            trial(case.quiet | around, [promtool.firing(case.second, {})]),
        ],
    )


def test_a_recorded_outage_is_told_as_it_goes(tools: Path, tmp_path: Path) -> None:
    """Two replicas that lose Kafka for 4.5 minutes, the API server for 7, and then their lives: as record.py has it.

    Nothing fires while all is well, or while a change of replicas is under way; all that should does, and ends.
    """
    outage = json.loads((HERE / "outage.json").read_text())
    (tried,) = [trial(outage["series"], [promtool.firing(at, fires) for at, fires in STORY.items()])]
    promtool.run(tools, tmp_path, [tried])

    assert outage["interval"] == 15
    assert outage["acts"] == {what: at for at, (what, _) in ACTS.items()}


STALE = {"EventBridgeStreamStale": STREAMS}
FAILING = {"EventBridgeCommitsFailing": STREAMS}
DELAYED = {"EventBridgeStreamDelayed": STREAMS}
SILENT = {"EventBridgeWatchSilent": STREAMS}
STORY: dict[int, dict[str, set[str]]] = {
    60: {},  # all is well
    150: FAILING,  # 90: Kafka goes away
    270: FAILING | STALE,  # limits of 90 s, and a minute
    345: FAILING | STALE,
    450: {},  # 360: it is back
    540: {},  # 480: the API server goes away
    660: STALE,
    810: STALE | DELAYED,
    885: STALE | DELAYED | SILENT,
    960: {},  # 900: it is back
    1065: {},  # 1020: one of two replicas is killed, and the other has its stream
    1155: {},  # 1080: so is the other
    1245: {"EventBridgeDown": {""}},
}
"""By the second: what fires, for which streams."""


def test_no_bridge_at_all_is_told(tools: Path, tmp_path: Path) -> None:
    """Never one, or none for more than an hour."""
    query = {"alertname": "EventBridgeDown", "eval_time": "5m"}
    summary = "No replica of any event bridge answers"
    told = {"exp_labels": {"severity": "critical"}, "exp_annotations": annotations("EventBridgeDown", summary)}
    promtool.run(tools, tmp_path, [trial({}, []) | {"alert_rule_test": [{**query, "exp_alerts": [told]}]}])


def test_an_alert_says_what_is_the_matter(tools: Path, tmp_path: Path) -> None:
    """Numbers as people read them, and whose."""
    (case, *_) = [case for case in CASES if case.alert == "EventBridgeStreamStale"]
    about = {"severity": "critical", "namespace": "event-bridge", "job": "event-bridge", "stream": "pods"}
    said = annotations(
        "EventBridgeStreamStale",
        "Stream pods of event-bridge stands still",
        "The last position that was committed to Kafka is 6m 15s old, more than the stream's limit."
        " Consumers do not know what has happened in the cluster since.",
    )
    query = {"alertname": "EventBridgeStreamStale", "eval_time": f"{case.second}s"}
    told = {"exp_labels": about, "exp_annotations": said}
    shown = {"alert_rule_test": [{**query, "exp_alerts": [told]}]}
    promtool.run(tools, tmp_path, [trial(case.series | UP, []) | shown])


def test_the_dashboard_asks_in_promql(tools: Path, tmp_path: Path) -> None:
    """With Grafana's variables filled in as it does."""
    told = promtool.parse(tools, tmp_path, [VARIABLE.sub(filled, query) for query in dashboard_queries()])

    assert told.returncode == 0, told.stdout + told.stderr


def filled(variable: re.Match[str]) -> str:
    return "1m" if variable[1] == "__rate_interval" else "event-bridge|shop"


def trial(series: dict[str, str], expected: list[dict[str, Any]]) -> dict[str, Any]:
    listed = [{"series": name, "values": values} for name, values in series.items()]
    return {"interval": "15s", "input_series": listed, "promql_expr_test": expected}


def annotations(alert: str, summary: str, description: str = "") -> dict[str, str]:
    rule = promtool.alerts()[alert]["annotations"]
    return {
        "summary": summary,
        "description": description or rule["description"],
        "runbook_url": f"docs/runbook.md#{alert.lower()}",
    }
