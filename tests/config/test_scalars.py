import re

import pytest

from tests.config.reading import REST, problems, read

ADDRESS = "Write address:port, for example 0.0.0.0:8080."
DIGITS = "Write plain digits, for example 12."
LEVELS = "Possible are debug, error, info, warning."
SIZES = "Write a number and a unit (KB, MB, GB, KiB, MiB or GiB), for example 1MiB."
SECONDS = "Write 60s for seconds or 60ms for milliseconds."
TAG = "Remove it; quote a text that begins with '!'."


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cluster: 123", 'cluster: must be text, but YAML takes 123 for a number. Quote it: "123".'),
        ("cluster: 1e3", None),
        ("cluster: on", 'cluster: must be text, but YAML takes on for true or false. Quote it: "on".'),
        ("cluster: 2026-11-23", 'cluster: must be text, but YAML takes 2026-11-23 for a date. Quote it: "2026-11-23".'),
        ("cluster: 12:30", 'cluster: must be text, but YAML takes 12:30 for a number. Quote it: "12:30".'),
        ("http: {listen: 8080}", f"http.listen: must be text, but YAML takes 8080 for a number. {ADDRESS}"),
        ("http: {listen: '8080'}", f"http.listen: '8080' is not an address to listen on. {ADDRESS}"),
        ("cluster: !!binary aGk=", "cluster: has a YAML tag, which means nothing here. " + TAG),
        ("cluster: [a]", "cluster: must be a single value, not a list. Write it on the same line as the field's name."),
        ("cluster: ''", "cluster: is empty. Write a value, or remove the line if it has a default."),
        ("name:", "name: is empty. Write a value, or remove the line if it has a default."),
        ("buffer: 1Mb", "buffer: '1Mb': not a size. " + SIZES),
        ("buffer: 1", "buffer: 1 is too small. Write a value from 1MiB to 64GiB."),
        ("progressInterval: 60", "progressInterval: 60: a duration needs a unit. " + SECONDS),
        ("progressInterval: 0", "progressInterval: 0 is too small. Write a value from 1s to 24h."),
        ("topics: {partitions: 0}", "topics.partitions: 0 is too small. Write a value from 1 to 10000."),
        ("topics: {partitions: 1.5}", f"topics.partitions: 1.5 is not a whole number. {DIGITS}"),
        ("topics: {partitions: 010}", f"topics.partitions: 010 is not a whole number. {DIGITS}"),
        ("topics: {partitions: 1:30}", f"topics.partitions: 1:30 is not a whole number. {DIGITS}"),
        ("topics: {partitions: '6'}", "topics.partitions: must be a whole number, but '6' is text. Remove the quotes."),
        ("standalone: 'true'", "standalone: must be true or false, but 'true' is text. Remove the quotes."),
        ("standalone: 1", "standalone: 1 is neither true nor false. Write true or false."),
        ("log: {level: warn}", f"log.level: 'warn' is not possible here. Did you mean warning? {LEVELS}"),
        ("log: {level: INFO}", f"log.level: 'INFO' is not possible here. Did you mean info? {LEVELS}"),
        ("log: {level: x}", f"log.level: 'x' is not possible here. {LEVELS}"),
        ("name: a/b", "name: 'a/b' is not a name for Kafka. Use letters, digits, '.', '_' and '-' only."),
        ('name: "a\\n"', "name: 'a\\n' is not a name for Kafka. Use letters, digits, '.', '_' and '-' only."),
    ],
)
def test_each_mistake_has_its_words(line: str, message: str | None) -> None:
    """YAML guesses types; where it guesses wrongly the user is told what it took the text for, and what to write."""
    text = f"{line}\n{REST}"

    if message is None:
        assert read(text).cluster == "1e3"
    else:
        assert problems(text) == [f"etc/bridge.yaml:1: {message}"]


@pytest.mark.parametrize("written", ["8080", '"8080"', ":8080", "1:30", "2026-11-23", "on"])
def test_what_is_proposed_for_an_address_works_when_it_is_typed_in(written: str) -> None:
    """Whoever types a mend as it stands and gets the next error believes no message any more."""
    (message,) = problems(f"http:\n  listen: {written}\n{REST}")
    proposed = re.findall(r"(?:Quote it: |for example )(.+)\.$", message)[0]

    assert read(f"http:\n  listen: {proposed}\n{REST}").http.listen == proposed.strip('"')


def test_a_huge_number_is_too_long_not_a_crash() -> None:
    """Python refuses to convert 5000 digits: that must not surface as a traceback, nor the digits as a wall of text."""
    (message,) = problems(f"topics: {{partitions: {'9' * 5000}}}\n{REST}")

    assert message == (
        f"etc/bridge.yaml:1: topics.partitions: {'9' * 60}... is not a whole number."
        " Write plain digits, for example 12."
    )


def test_switches_are_read_as_yaml_writes_them() -> None:
    """`yes` and `off` are YAML 1.1's own words for it; refusing them would only be pedantic."""
    assert [read(f"standalone: {word}\n{REST}").standalone for word in ("true", "yes", "On")] == [True, True, True]
    assert [read(f"standalone: {word}\n{REST}").standalone for word in ("false", "no", "Off")] == [False, False, False]


def test_null_unsets_what_may_be_unset() -> None:
    """A default of null can be written out, as the example does."""
    assert read(f"cluster: null\nlog: {{format: ~}}\ntopics: {{replicationFactor: }}\n{REST}") == read(REST)


def test_settings_of_kafka_are_text_whatever_yaml_takes_them_for() -> None:
    """`retention.ms: 604800000` is how everybody writes it; Kafka's API wants texts."""
    config = read(f"topics: {{config: {{retention.ms: 604800000, a: on, b: false, c: '', d: x}}}}\n{REST}")

    assert config.topics.config == {"retention.ms": "604800000", "a": "true", "b": "false", "c": "", "d": "x"}
    assert problems(f"topics: {{config: {{retention.ms: }}}}\n{REST}") == [
        'etc/bridge.yaml:1: topics.config.retention.ms: is empty. Write a value; for an empty text write "".'
    ]
