"""What a watch's resource and topic are, without an API server."""

import pytest

from bridge.rights.meaning import Meant, Pattern, read, topics_of

PODS = Meant("", "pods", "v1", namespaced=True)
DEPLOYMENTS = Meant("apps", "deployments", "v1", namespaced=True)
NODES = Meant("", "nodes", "v1", namespaced=False)
GUESS = "no API server was asked: widgets is taken for the plural's name"


@pytest.mark.parametrize("name", ["pods", "pod", "po", "Pod", "PO", "pods.v1"])
def test_every_spelling_of_a_built_in_resource_is_known(name: str) -> None:
    """A pipeline has no cluster, and the file says what kubectl takes."""
    assert read(name) == PODS


@pytest.mark.parametrize("name", ["deployments", "deploy", "deployments.apps", "deploy.v1.apps", "deployment.ap"])
def test_a_group_may_stand_behind_it_or_be_cut_short(name: str) -> None:
    """As kubectl takes it."""
    assert read(name) == DEPLOYMENTS


def test_events_are_those_of_the_core_group_unless_the_group_is_named() -> None:
    """A role for the other ones would not let the bridge watch."""
    assert read("ev") == Meant("", "events", "v1", namespaced=True)
    assert read("events.events.k8s.io") == Meant("events.k8s.io", "events", "v1", namespaced=True)


@pytest.mark.parametrize(
    ("name", "version"),
    [("widgets.example.com", None), ("widgets.v1.example.com", "v1"), ("Widgets.example.com", None)],
)
def test_a_custom_resource_needs_its_group_and_stays_in_doubt(name: str, version: str | None) -> None:
    """It may be a singular or a short name; who applies the role must see that nobody looked."""
    assert read(name) == Meant("example.com", "widgets", version, doubt=GUESS)


def test_what_is_neither_built_in_nor_has_a_group_is_not_guessed() -> None:
    """A role for a resource that does not exist allows nothing, and says nothing."""
    assert read("widgets") is None


@pytest.mark.parametrize(
    ("template", "meaning", "namespace", "cluster", "pattern"),
    [
        ("k8s.all", None, None, None, Pattern("k8s.all")),
        ("k8s.{resource}", PODS, None, None, Pattern("k8s.pods")),
        ("k8s.{resource}", DEPLOYMENTS, None, None, Pattern("k8s.deployments.apps")),
        ("k8s.{resource}", None, None, None, Pattern("k8s.", prefixed=True)),
        ("{group}.{version}", DEPLOYMENTS, None, None, Pattern("apps.v1")),
        ("{group}.{version}", PODS, None, None, Pattern("core.v1")),
        ("{group}.{version}", Meant("example.com", "widgets"), None, None, Pattern("example.com.", prefixed=True)),
        ("{cluster}.{namespace}.{resource}", PODS, "a", "prod", Pattern("prod.a.pods")),
        ("{cluster}.{namespace}.{resource}", PODS, None, "prod", Pattern("prod.", prefixed=True)),
        ("{cluster}.{namespace}.{resource}", NODES, None, "prod", Pattern("prod._cluster.nodes")),
        ("{cluster}.x", PODS, None, None, Pattern("", prefixed=True)),
        ("x.{resource}", Meant("example.com", "w", doubt="?"), None, None, Pattern("x.", prefixed=True)),
    ],
)
def test_a_topic_is_known_as_far_as_its_placeholders_are(
    template: str, meaning: Meant | None, namespace: str | None, cluster: str | None, pattern: Pattern
) -> None:
    """A rule for one topic where that is enough, for a prefix where it must be."""
    assert topics_of(template, meaning, namespace, cluster) == pattern
