"""The table of the rights in Kafka."""

import pytest

from bridge.rights.kafka import Right, on_topic, principal, rights
from bridge.rights.meaning import Pattern
from tests.integration.test_kafka_access import OPERATIONS, manual
from tests.rights.reading import config

ONE = [Pattern("k8s.pods")]
WATCH = "- {resource: pods, topic: k8s.pods}"


def told(found: list[Right]) -> list[tuple[str, str]]:
    return [(right.thing.words, right.operation) for right in found]


TRANSACTIONS = ("transactional ids that begin with guarded.", "Write")
GROUP = ("group guarded", "Read")
TOPIC, CHECKPOINTS = "topic k8s.pods", "topic guarded.checkpoints"
TOPICS = [
    (TOPIC, "Write"),
    (TOPIC, "Create"),
    (TOPIC, "DescribeConfigs"),
    (CHECKPOINTS, "Read"),
    (CHECKPOINTS, "Write"),
    (CHECKPOINTS, "Create"),
    (CHECKPOINTS, "DescribeConfigs"),
]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", [TRANSACTIONS, *TOPICS, GROUP]),
        ("standalone: true", [TRANSACTIONS, *TOPICS, ("group guarded", "Describe")]),
        ("topics: {create: false}", [TRANSACTIONS, *(row for row in TOPICS if row[1] != "Create"), GROUP]),
    ],
)
def test_a_right_is_asked_for_only_where_the_file_needs_it(more: str, expected: list[tuple[str, str]]) -> None:
    """The least that works, whatever the file says: nothing to explain to those who grant it."""
    assert told(rights(config(WATCH, more), ONE)) == expected


def test_without_transactions_no_right_on_their_ids_is_asked_for() -> None:
    """`at-least-once` is for those who do not get it."""
    file = config(WATCH, kafka="delivery: at-least-once")

    assert told(rights(file, ONE)) == [*TOPICS, GROUP]


def test_a_prefix_makes_rules_for_its_topics_needless() -> None:
    """Ten streams into topics of one prefix are one rule."""
    found = rights(config(WATCH), [Pattern("k8s.", prefixed=True), *ONE, Pattern("k8s.a.", prefixed=True), *ONE])

    assert [words for words, operation in told(found) if operation == "Write"] == [
        "transactional ids that begin with guarded.",
        "topics that begin with k8s.",
        CHECKPOINTS,
    ]


def test_reading_is_for_those_who_look_at_what_was_written() -> None:
    """The bridge itself never reads the topics of its watches."""
    added = set(told(rights(config(WATCH), ONE, reading=True))) - set(told(rights(config(WATCH), ONE)))

    assert added == {(TOPIC, "Read")}


def test_the_manual_says_the_same() -> None:
    """Who grants rights reads docs/operations.md, and may not run the command."""
    words = {code: word for word, code in OPERATIONS.items()}
    table = rights(config(WATCH), ONE)

    assert sorted((rule[1], words[rule[5]]) for rule in manual("guarded", "k8s.pods", "guarded.checkpoints")) == sorted(
        (right.thing.pattern.name, right.operation) for right in table
    )


def test_one_topic_is_told_apart_from_the_checkpoints() -> None:
    """`check` asks for each by the same table."""
    file = config(WATCH)

    assert told(on_topic(file, "k8s.pods")) + told(on_topic(file, "guarded.checkpoints")) == TOPICS


@pytest.mark.parametrize(
    ("kafka", "expected"),
    [
        ("sasl: {mechanism: PLAIN, username: me, password: x}", "User:me"),
        ("sasl: {mechanism: OAUTHBEARER, token: {file: /token}}", None),
        ("tls: {cert: /c, key: /k}", None),
        ("tls: {}", "User:ANONYMOUS"),
    ],
)
def test_whom_the_brokers_see_is_known_by_the_login(kafka: str, expected: str | None) -> None:
    """Guessing a name from a certificate would allow somebody else."""
    assert principal(config(WATCH, kafka=kafka)) == expected
