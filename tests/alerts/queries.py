"""PromQL, read as far as it takes to see which metrics and labels it speaks of."""

import json
import re
from collections.abc import Iterator

from bridge.metrics import described
from tests.tools.kustomize import K8S

DASHBOARD = K8S / "monitoring" / "dashboard.json"
METRIC = re.compile(r"\b((?:bridge|process|python)_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
VARIABLE = re.compile(r"label_values\((.*),\s*(\w+)\)")
TARGET = {"namespace", "job", "pod"}
"""What the PodMonitor gives to every series."""
OTHERS = {"process_resident_memory_bytes": set[str]()}
"""The Prometheus client's own, that we use."""


def known() -> dict[str, set[str]]:
    """Every series that the bridge serves, with its labels."""
    series = {}
    for metric in described():
        labels = {*metric.labels, *TARGET}
        if metric.kind == "histogram":
            series[f"{metric.name}_bucket"] = {*labels, "le"}
            series.update({f"{metric.name}_{part}": labels for part in ("sum", "count")})
        else:
            series[metric.name] = labels
    return series | {name: labels | TARGET for name, labels in OTHERS.items()}


def faults(query: str) -> Iterator[str]:
    """What *query* speaks of and nobody serves. Silent about a query without any metric: there is none."""
    series = known()
    used = METRIC.findall(query)
    if not used:
        yield f"no metric in {query}"
    for name, matchers in used:
        if name not in series:
            yield f"no metric {name}"
        else:
            unknown = [label for label in MATCHER.findall(matchers) if label not in series[name]]
            yield from (f"no label {label} of {name}" for label in unknown)
    allowed = set[str]().union(*(series.get(name, set()) for name, _ in used))
    for group in GROUPING.findall(query):
        yield from (f"no label {label} in {query}" for label in re.findall(r"\w+", group) if label not in allowed)


def dashboard_queries() -> list[str]:
    """All that Grafana would ask, as PromQL: of panels, variables and annotations."""
    board = json.loads(DASHBOARD.read_text())
    panels = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    notes = [note["expr"] for note in board["annotations"]["list"]]
    variables = [each["definition"] for each in board["templating"]["list"] if each["type"] == "query"]
    listed = [f"count by ({match[2]}) ({match[1]})" for match in map(VARIABLE.fullmatch, variables) if match]
    assert len(listed) == len(variables)
    return [*panels, *notes, *listed]
