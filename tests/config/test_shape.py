import pytest

from tests.config.reading import KAFKA, REST, WATCHES, problems, read

FIELDS_OF_HTTP = "Indent its fields under it: listen."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("http:", "http: is empty. Give it fields, or remove the line."),
        ("http: 8080", f"http: must be a mapping, but is a number. {FIELDS_OF_HTTP}"),
        ("http: [8080]", f"http: must be a mapping, but is a list. {FIELDS_OF_HTTP}"),
        ("http: !!omap {}", "http: has a YAML tag, which means nothing here. Remove the tag."),
        (
            "topics: {config: x}",
            ("topics.config: must be a mapping, but is text. Write name: value pairs, indented under it."),
        ),
        ("htpp: {}", "htpp: unknown field. Did you mean 'http'?"),
        ("Buffer: 1MiB", "Buffer: unknown field. Did you mean 'buffer'?"),
    ],
)
def test_the_wrong_form_is_named(line: str, message: str) -> None:
    """A lost indent turns a mapping into something else; the user is told which fields belong under it."""
    assert problems(f"{line}\n{REST}") == [f"etc/bridge.yaml:1: {message}"]


def test_what_is_missing_is_shown_how_to_write() -> None:
    """The shortest way from an error to a running bridge is a line to copy."""
    assert problems("name: x\n") == [
        "etc/bridge.yaml:1: kafka: is missing. Add it: see kafka in config/example.yaml.",
        "etc/bridge.yaml:1: watches: is missing. Add it: see watches in config/example.yaml.",
    ]
    assert problems("kafka:\n  sasl: {}\nwatches:\n  - topic: x\n") == [
        "etc/bridge.yaml:2: kafka.bootstrapServers: is missing. Add it: bootstrapServers: kafka:9092",
        "etc/bridge.yaml:2: kafka.sasl.mechanism: is missing. Add it: mechanism: SCRAM-SHA-512",
        "etc/bridge.yaml:4: watches[0].resource: is missing. Add it: resource: pods",
    ]


def test_lists_must_be_lists() -> None:
    """`namespaces: team-a` could be taken for a list of one; but then `team-a, team-b` would be one odd namespace."""
    mend = "Write [] for none, or begin each entry on a line of its own with '- '."
    watches = "watches:\n  - resource: pods\n    namespaces: team-a\n    types: []\n    drop:\n"

    assert problems(f"{KAFKA}{watches}") == [
        f"etc/bridge.yaml:4: watches[0].namespaces: must be a list, but is text. {mend}",
        "etc/bridge.yaml:5: watches[0].types: is an empty list. Give it at least one entry.",
        f"etc/bridge.yaml:6: watches[0].drop: must be a list, but is empty. {mend}",
    ]
    assert problems(f"{KAFKA}watches: []\n") == [
        "etc/bridge.yaml:2: watches: is an empty list. Give it at least one entry."
    ]


def test_brokers_are_a_list_or_one_text() -> None:
    """Helm charts and operators hand them over as one text with commas."""
    expected = ("a:1", "[::1]:2")

    assert read(f"kafka: {{bootstrapServers: ['a:1', '[::1]:2']}}\n{WATCHES}").kafka.bootstrap_servers == expected
    assert read(f"kafka: {{bootstrapServers: 'a:1, [::1]:2'}}\n{WATCHES}").kafka.bootstrap_servers == expected
    assert problems(f"kafka: {{bootstrapServers: 'a:1,b'}}\n{WATCHES}") == [
        (
            "etc/bridge.yaml:1: kafka.bootstrapServers: 'b' is not a broker's address."
            " Write host:port, for example kafka:9092."
        )
    ]
    assert problems(f"kafka: {{bootstrapServers: }}\n{WATCHES}") == [
        ("etc/bridge.yaml:1: kafka.bootstrapServers: is empty. Write a value, or remove the line if it has a default.")
    ]


def test_entries_of_a_list_have_their_own_lines() -> None:
    """In a list of forty namespaces the line is what helps."""
    text = f"{KAFKA}watches:\n  - resource: pods\n    namespaces:\n      - team-a\n      - Team_B\n      - 7\n"

    assert problems(text) == [
        (
            "etc/bridge.yaml:6: watches[0].namespaces[1]: 'Team_B' is not a namespace."
            " Use lower-case letters, digits and '-', at most 63 of them."
        ),
        'etc/bridge.yaml:7: watches[0].namespaces[2]: must be text, but YAML takes 7 for a number. Quote it: "7".',
    ]
