import io
import json
from contextlib import redirect_stdout

import pytest

from bridge.checks.report import (
    AllowedVerbs,
    Beginning,
    CheckpointState,
    GroupState,
    KafkaEnd,
    KubernetesEnd,
    Report,
    StreamState,
    TopicState,
    WatchedResource,
)
from bridge.cli.answer import encode
from bridge.cli.picture import draw

GRANT = "kubectl create clusterrole event-bridge-deployments.apps --verb=list,watch --resource=deployments.apps"

RUNNING = StreamState(
    "pods.a-rather-long-namespace-name",
    ok=True,
    resource=WatchedResource("pods", "v1", "Pod", "a-rather-long-namespace-name"),
    access=AllowedVerbs(list=True, watch=True),
    topics=(TopicState("k8s.pods", exists=True, partitions=12),),
    checkpoint=CheckpointState(1763886600123, "live", "812345", 3.2, 417),
    start=Beginning("resume"),
    problems=(),
)
FORBIDDEN = StreamState(
    "deployments.apps",
    ok=False,
    resource=WatchedResource("deployments.apps", "apps/v1", "Deployment", None),
    access=AllowedVerbs(list=True, watch=False),
    topics=(TopicState("k8s.deployments.apps", exists=False, partitions=12),),
    checkpoint=CheckpointState(1763886600123, "live", "812345", 90_000.0, 3),
    start=Beginning("restart", "identity_changed", "topic was a, is k8s.deployments.apps"),
    problems=(f"admin may not watch deployments.apps in all namespaces. Allow it:\n{GRANT}",),
)
REPORT = Report(
    ok=False,
    version="0.1.0",
    config="bridge.yaml",
    cluster="prod-eu",
    kubernetes=KubernetesEnd("https://10.0.0.1:6443", "admin", "3b5e"),
    kafka=KafkaEnd(("kafka:9092",)),
    checkpoints=TopicState("kube-event-bridge.checkpoints", exists=True, partitions=32),
    group=GroupState("kube-event-bridge", 3),
    streams=(RUNNING, FORBIDDEN),
)


def test_the_table_fits_into_80_columns_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Piped into a file or a ticket it must be readable; only what is to be copied may be longer."""
    monkeypatch.delenv("COLUMNS", raising=False)

    lines = drawn(REPORT).splitlines()

    assert "\x1b" not in drawn(REPORT)
    assert [line.rstrip() for line in lines if len(line.rstrip()) > 80] == [GRANT]
    assert [line.rstrip() for line in lines if line.strip()][6:11] == [
        "    stream             resource          topic               checkpoint",
        "ok  pods.a-rather-lon  pods              k8s.pods            live, 3s old",
        "    g-namespace-name   list, watch       12 partitions       resumes",
        "NO  deployments.apps   deployments.apps  k8s.deployments.ap  live, 25h old",
        "                       may not watch     ps                  new epoch:",
    ]


def test_a_command_to_copy_stands_on_a_line_of_its_own() -> None:
    """Broken by a wrap, it would be copied broken."""
    assert GRANT in drawn(REPORT).splitlines()


def test_why_a_stream_would_not_resume_is_told() -> None:
    """A new epoch means a whole snapshot to all consumers: worth knowing before the restart."""
    assert drawn(REPORT).endswith(
        "deployments.apps: the next start begins a new epoch, identity_changed: topic was\na, is k8s.deployments.apps\n"
    )


def test_names_with_brackets_are_no_markup() -> None:
    """An IPv6 address is one, and rich would eat it."""
    kafka = KafkaEnd(("[::1]:9092",))

    assert "[::1]:9092" in drawn(
        Report(True, "0.1.0", "b", "c", REPORT.kubernetes, kafka, REPORT.checkpoints, None, ())
    )


def test_the_json_has_the_documented_names() -> None:
    """Scripts depend on them (docs/operations.md)."""
    report = json.loads(encode(REPORT))

    assert list(report) == [
        "ok",
        "version",
        "config",
        "cluster",
        "kubernetes",
        "kafka",
        "checkpoints",
        "group",
        "streams",
    ]
    assert report["kubernetes"] == {
        "server": "https://10.0.0.1:6443",
        "account": "admin",
        "clusterUid": "3b5e",
        "problem": "",
        "note": "",
    }
    assert report["streams"][0] == {
        "name": "pods.a-rather-long-namespace-name",
        "ok": True,
        "resource": {"name": "pods", "apiVersion": "v1", "kind": "Pod", "namespace": "a-rather-long-namespace-name"},
        "access": {"list": True, "watch": True},
        "topics": [{"name": "k8s.pods", "exists": True, "partitions": 12, "problem": "", "note": ""}],
        "checkpoint": {
            "epoch": 1763886600123,
            "phase": "live",
            "resourceVersion": "812345",
            "age": 3.2,
            "objects": 417,
        },
        "start": {"how": "resume", "reason": "", "message": ""},
        "problems": [],
    }


def drawn(report: Report) -> str:
    output = io.StringIO()
    with redirect_stdout(output):
        draw(report)
    return output.getvalue()
