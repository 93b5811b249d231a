"""k8s/monitoring against what the bridge serves: a query that finds nothing looks like a world in which all is well."""

import json
from itertools import product
from pathlib import Path

import pytest
import yaml

from tests.alerts.promtool import alerts
from tests.alerts.queries import DASHBOARD, dashboard_queries, faults
from tests.alerts.record import INTERVAL
from tests.tools.kustomize import K8S

RUNBOOK = Path(__file__).parent.parent / "docs" / "runbook.md"


@pytest.mark.parametrize("name", alerts())
def test_alerts_ask_for_what_is_served(name: str) -> None:
    assert list(faults(alerts()[name]["expr"])) == []


@pytest.mark.parametrize("query", dashboard_queries())
def test_the_dashboard_asks_for_what_is_served(query: str) -> None:
    assert list(faults(query)) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("sum(bridge_nothing)", "no metric bridge_nothing"),
        ('sum(bridge_objects{streams="pods"})', "no label streams of bridge_objects"),
        ("sum by (topic) (bridge_objects)", "no label topic in sum by (topic) (bridge_objects)"),
        ("vector(1)", "no metric in vector(1)"),
    ],
)
def test_what_nobody_serves_is_seen(query: str, fault: str) -> None:
    """Or the tests above could not fail."""
    assert list(faults(query)) == [fault]


@pytest.mark.parametrize("name", alerts())
def test_every_alert_says_how_bad_it_is_and_where_to_look(name: str) -> None:
    """At three in the morning: what, for whom, and the page to open."""
    rule = alerts()[name]

    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{name.lower()}"


@pytest.mark.skipif(not RUNBOOK.exists(), reason="there is no docs/runbook.md to be compared with")
def test_the_runbook_has_a_section_for_every_alert_and_no_other() -> None:
    headings = {line[4:] for line in RUNBOOK.read_text().splitlines() if line.startswith("### EventBridge")}

    assert headings == set(alerts())


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    """Panels have ids of their own, and none lies over another."""
    board = json.loads(DASHBOARD.read_text())
    places = [panel["gridPos"] for panel in board["panels"]]
    spans = [(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])) for at in places]
    cells = [cell for across, down in spans for cell in product(across, down)]

    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
    assert board["uid"] == "event-bridge"


def test_the_recorded_outage_was_scraped_as_the_manifest_says() -> None:
    monitor = yaml.safe_load((K8S / "monitoring" / "podmonitor.yaml").read_text())
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]

    assert endpoint["interval"] == f"{INTERVAL}s"
