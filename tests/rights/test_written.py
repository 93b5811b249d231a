"""Rights as they are written down."""

import shlex
from typing import Any

import pytest
import yaml

from bridge.rights import acls, kafka
from bridge.rights.kubernetes import identity, watched
from bridge.rights.meaning import Meant, Pattern
from bridge.rights.rbac import Account, manifest
from bridge.rights.text import comment, scalar
from tests.rights.reading import config

PODS = Meant("", "pods", "v1", namespaced=True)
EVENTS = Meant("", "events", "v1", namespaced=True)
WIDGETS = Meant("example.com", "widgets", doubt="nobody was asked")
RIGHTS = kafka.rights(config("- {resource: pods}"), [Pattern("k8s.pods"), Pattern("x.", prefixed=True)], reading=True)
TARGET = acls.Target("kafka:9092", "User:CN=my bridge")


def test_roles_and_bindings_are_whole_and_least() -> None:
    """`kubectl apply` takes them as they are: rules of one kind stand together, each says why."""
    rules = [
        identity(),
        watched(PODS, None, "stream pods"),
        watched(EVENTS, None, "stream ev"),
        watched(WIDGETS, "on", "s"),
    ]
    text = manifest(rules, Account("guarded", "bridge", "team"), "a head")

    everywhere, bound, local, bound_there = yaml.safe_load_all(text)
    assert (everywhere["kind"], everywhere["metadata"]) == ("ClusterRole", {"name": "guarded"})
    assert everywhere["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "resourceNames": ["kube-system"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "events"], "verbs": ["list", "watch"]},
    ]
    assert (local["kind"], local["metadata"]) == ("Role", {"name": "guarded", "namespace": "on"})
    assert local["rules"] == [{"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["list", "watch"]}]
    for binding, role in ((bound, everywhere), (bound_there, local)):
        assert binding["kind"] == f"{role['kind']}Binding"
        assert binding["metadata"] == role["metadata"]
        assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": role["kind"], "name": "guarded"}
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "bridge", "namespace": "team"}]
    assert "# a head\n" in text
    assert "  # pods: stream pods\n  # events: stream ev\n" in text
    assert "  # widgets.example.com: s\n  #   nobody was asked\n" in text


def test_commands_and_strimzi_say_the_same() -> None:
    """Which of the two a company uses must not change what the bridge may."""
    user = yaml.safe_load(acls.user(RIGHTS, "bridge", "main", "tls", "a head"))
    lines = [line for line in acls.script(RIGHTS, TARGET, "a head").splitlines() if line and not line.startswith("#")]

    assert sorted(map(_of_command, lines)) == sorted(
        _of_entry(entry) for entry in user["spec"]["authorization"]["acls"]
    )
    assert lines == acls.commands(RIGHTS, TARGET)
    assert user["metadata"] == {"name": "bridge", "labels": {"strimzi.io/cluster": "main"}}
    assert user["spec"]["authentication"] == {"type": "tls"}


def test_all_topics_are_a_star_and_told_as_such() -> None:
    """Kafka knows no empty prefix. A template that begins with a placeholder opens everything: that must be seen."""
    rights = kafka.rights(config("- {resource: pods}"), [Pattern("", prefixed=True)])
    text = acls.script(rights, TARGET, "")

    assert " --topic '*'\n" in text
    assert "# all topics: the name begins with a placeholder. Begin it with a fixed part" in text


@pytest.mark.parametrize("text", ["on", "123", "1e3", "a: b", "*", "null", "x.y-z", "", "#", "ja'\""])
def test_a_text_stays_a_text_in_yaml(text: str) -> None:
    """A namespace may be called 123, and a deployment 1e3."""
    assert yaml.safe_load(f"name: {scalar(text)}") == {"name": text}


def test_no_line_of_a_comment_ends_it() -> None:
    """What a server has said stands in it."""
    assert comment("one\ntwo", "  ") == "  # one\n  # two"


def _of_command(line: str) -> tuple[str, str, bool, list[str]]:
    words = shlex.split(line)
    assert words[:4] == ["kafka-acls.sh", "--bootstrap-server", "kafka:9092", "--add"]
    assert words[4:6] == ["--allow-principal", "User:CN=my bridge"]
    operations = sorted(words[at + 1] for at, word in enumerate(words) if word == "--operation")
    kind = next(kind for kind in ("topic", "group", "transactional-id") if f"--{kind}" in words)
    return kind, words[words.index(f"--{kind}") + 1], "prefixed" in words, operations


def _of_entry(entry: dict[str, Any]) -> tuple[str, str, bool, list[str]]:
    resource = entry["resource"]
    kind = {"transactionalId": "transactional-id"}.get(resource["type"], resource["type"])
    return kind, resource["name"], resource["patternType"] == "prefix", sorted(entry["operations"])
