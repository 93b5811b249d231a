import pytest

from bridge.config.topics import known_topic
from tests.config.reading import KAFKA, problems, read


def test_a_topic_is_known_when_its_placeholders_are() -> None:
    """What `check` and the checkpoint rule can say before the API server was asked."""
    assert known_topic("k8s.events", None, None) == "k8s.events"
    assert known_topic("{cluster}.{namespace}", "shop", "eu") == "eu.shop"
    assert known_topic("{namespace}", None, "eu") is None
    assert known_topic("k8s.{resource}", "shop", "eu") is None


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("k8s.{resourc}", "{resourc} is not a placeholder. Did you mean {resource}?"),
        ("{xyz}", "{xyz} is not a placeholder. Possible are {resource} {group} {version} {namespace} {cluster}."),
        ("k8s/x", "a topic name cannot hold '/'. Use letters, digits, '.', '_' and '-'."),
        (
            "k8s.{resource",
            (
                "a topic name cannot hold '{'. Use letters, digits, '.', '_' and '-'."
                " Placeholders are {resource} {group} {version} {namespace} {cluster}."
            ),
        ),
        ("..", "Kafka does not take .. as a topic name. Give it another."),
        ("x" * 250, "becomes a topic name of 250 characters or more. Kafka takes 249 at most."),
        ("{resource}" + "x" * 250, "becomes a topic name of 250 characters or more. Kafka takes 249 at most."),
    ],
)
def test_a_topic_that_cannot_be_is_refused(topic: str, message: str) -> None:
    """Kafka would refuse it only when the first change arrives, in the middle of the night."""
    text = f"{KAFKA}watches:\n  - resource: pods\n    topic: '{topic}'\n"

    assert problems(text) == [f"etc/bridge.yaml:4: watches[0].topic: {message}"]


def test_what_placeholders_bring_is_judged_too() -> None:
    """The cluster's name is free text everywhere but in a topic."""
    watch = "watches: [{resource: pods, topic: '{cluster}.{resource}'}]"

    assert read(f"cluster: prod eu\n{KAFKA}watches: [{{resource: pods}}]").cluster == "prod eu"
    assert problems(f"cluster: prod eu\n{KAFKA}{watch}") == [
        (
            "etc/bridge.yaml:3: watches[0].topic: {cluster} puts ' ' into the topic name."
            " Use letters, digits, '.', '_' and '-'. Change cluster, or the topic."
        )
    ]


def test_a_stream_of_all_namespaces_may_spread_over_topics() -> None:
    """One topic per namespace, whichever namespaces come: routing is per record."""
    config = read(f"{KAFKA}watches: [{{resource: pods, topic: 'k8s.{{namespace}}'}}]")

    assert config.watches[0].topic == "k8s.{namespace}"
