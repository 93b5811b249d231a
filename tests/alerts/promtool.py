"""The alerts, as promtool takes them, and what it says."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.tools.kustomize import K8S

ALERTS = K8S / "monitoring" / "alerts.yaml"


def groups() -> dict[str, Any]:
    """A rules file as Prometheus itself reads it: what the operator makes of the PrometheusRule."""
    spec: dict[str, Any] = yaml.safe_load(ALERTS.read_text())["spec"]
    return spec


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for group in groups()["groups"] for rule in group["rules"]}


def check(tools: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    """`promtool check rules`, with its lints."""
    (directory / "rules.yaml").write_text(yaml.safe_dump(groups()))
    return _promtool(tools, ["check", "rules", "--lint=all", "--lint-fatal", str(directory / "rules.yaml")])


def parse(tools: Path, directory: Path, queries: list[str]) -> subprocess.CompletedProcess[str]:
    """Whether Prometheus would take them: as recording rules, for which it needs to run none."""
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries)]
    (directory / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    return _promtool(tools, ["check", "rules", str(directory / "queries.yaml")])


def run(tools: Path, directory: Path, tests: list[dict[str, Any]]) -> None:
    """`promtool test rules`. Each of *tests* is one entry of a unit test file."""
    (directory / "rules.yaml").write_text(yaml.safe_dump(groups()))
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "15s", "tests": tests}
    (directory / "tests.yaml").write_text(yaml.safe_dump(document, width=10**9))
    told = _promtool(tools, ["test", "rules", str(directory / "tests.yaml")])
    assert told.returncode == 0, told.stdout + told.stderr


def _promtool(tools: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([tools / "bin" / "promtool", *arguments], capture_output=True, text=True, check=False)


def firing(second: int, expected: dict[str, set[str]]) -> dict[str, Any]:
    """That at *second* just these alerts fire, each for these streams (an empty one: for the bridge as a whole)."""
    severities = {name: rule["labels"]["severity"] for name, rule in alerts().items()}
    samples = [
        {"labels": _labels(name, stream, severities[name]), "value": 1}
        for name, streams in expected.items()
        for stream in streams
    ]
    query = 'sum by (alertname, severity, namespace, job, stream) (ALERTS{alertstate="firing"})'
    return {"expr": query, "eval_time": f"{second}s", "exp_samples": samples}


def _labels(name: str, stream: str, severity: str) -> str:
    told = {"alertname": name, "severity": severity, "namespace": "event-bridge", "job": "event-bridge"}
    if stream:
        told["stream"] = stream
    return "{" + ",".join(f'{label}="{value}"' for label, value in told.items()) + "}"
