from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.config.load import RESTART, load, load_file, reload
from bridge.config.problem import ConfigError, RestartNeeded
from tests.config.reading import KAFKA, REST, WATCHES, Files, problems, read

MANY = """\
name: kube/x
kafka:
  bootstrapServers: kafka
  compressio: zstd
  commitInterval: 50
  sasl: {mechanism: PLAIN, username: "${NOPE}"}
topics: {partitions: many}
watches:
  - resource: pods
    topik: pods
    topic: "a b"
  - resource: pods
"""


def test_all_mistakes_of_a_file_are_reported_together() -> None:
    """One mistake per try is an hour of tries: here one run names unknown, missing, wrong and contradictory fields."""
    assert problems(MANY) == [
        "etc/bridge.yaml:1: name: 'kube/x' is not a name for Kafka. Use letters, digits, '.', '_' and '-' only.",
        (
            "etc/bridge.yaml:3: kafka.bootstrapServers: 'kafka' is not a broker's address."
            " Write host:port, for example kafka:9092."
        ),
        "etc/bridge.yaml:4: kafka.compressio: unknown field. Did you mean 'compression'?",
        (
            "etc/bridge.yaml:5: kafka.commitInterval: 50: a duration needs a unit."
            " Write 50s for seconds or 50ms for milliseconds."
        ),
        (
            "etc/bridge.yaml:6: kafka.sasl.username: the environment variable NOPE is not set."
            " Set NOPE, or write the value here."
        ),
        "etc/bridge.yaml:6: kafka.sasl.password: is missing: PLAIN needs it. Add it: password: {file: /path/to/it}",
        "etc/bridge.yaml:7: topics.partitions: 'many' is not a whole number. Write plain digits, for example 12.",
        "etc/bridge.yaml:10: watches[0].topik: unknown field. Did you mean 'topic'?",
        "etc/bridge.yaml:11: watches[0].topic: a topic name cannot hold ' '. Use letters, digits, '.', '_' and '-'.",
        (
            "etc/bridge.yaml:12: watches[1].resource: a stream called pods is made by watches[0] already."
            " Give one of the two another name."
        ),
    ]


def test_a_file_is_loaded_with_the_files_it_names(tmp_path: Path) -> None:
    """As in a pod: the config from a ConfigMap, the password from a Secret beside it."""
    (tmp_path / "pw").write_text("hunter2\n")
    path = tmp_path / "bridge.yaml"
    path.write_text(
        "kafka:\n  bootstrapServers: a:1\n  sasl:\n    mechanism: PLAIN\n    username: ${ME}\n"
        "    password: {file: pw}\nwatches: [{resource: pods}]\n"
    )

    sasl = load_file(path, {"ME": "me"}).kafka.sasl

    assert sasl is not None
    assert sasl.password is not None
    assert (sasl.username, sasl.password.reveal()) == ("me", "hunter2")


def test_a_file_that_cannot_be_read_is_a_problem_too(tmp_path: Path) -> None:
    """Whatever is wrong, it is said in the same form."""
    binary = tmp_path / "bridge.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    absent = tmp_path / "absent.yaml"

    with pytest.raises(ConfigError) as caught:
        load_file(binary, {})
    assert str(caught.value) == f"{binary}: not a text file. Save it as plain UTF-8 text."

    with pytest.raises(ConfigError) as caught:
        load_file(absent, {})
    assert (
        str(caught.value)
        == f"{absent}: cannot read it: No such file or directory. Correct the path or the permissions."
    )


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    """A log or a database that was named by mistake kept a core busy for minutes, and then was not valid YAML."""
    path = tmp_path / "bridge.yaml"
    path.write_text(REST + "#" * (2**20 - len(REST)))
    load_file(path, {})
    with path.open("a") as file:
        file.truncate(2**30)

    with pytest.raises(ConfigError) as caught:
        load_file(path, {})

    assert str(caught.value) == (
        f"{path}: {2**30} bytes are too large for a config file, which has at most 1MiB."
        " Correct the path, or make it smaller."
    )


def test_a_named_file_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    """A keystore in place of a password must not end in a traceback."""
    (tmp_path / "pw").write_bytes(b"\xff\xfe")
    path = tmp_path / "bridge.yaml"
    path.write_text("cluster: {file: pw}\n" + REST)

    with pytest.raises(ConfigError) as caught:
        load_file(path, {})

    assert (
        str(caught.value)
        == f"{path}:1: cluster: cannot read the file '{tmp_path / 'pw'}' as text. It must be UTF-8 text."
    )


NAMES = ["name", "cluster", "kafka", "bootstrapServers", "tls", "sasl", "password", "topics", "config", "partitions"]
NAMES += [
    "watches",
    "resource",
    "namespaces",
    "drop",
    "topic",
    "types",
    "buffer",
    "standalone",
    "file",
    "<<",
    "log",
    "?",
]
LEAVES = [
    "pods",
    "kafka:9092",
    "1MiB",
    "${A}",
    "${B}",
    "~",
    "on",
    "1",
    "0x1f",
    "9" * 5000,
    "1:30",
    "2026-11-23",
    ".inf",
]
LEAVES += [
    "!!binary aGk=",
    "!x y",
    "*a",
    "&a b",
    "'",
    '"\\u0000"',
    "{",
    "]",
    "\t",
    "|",
    "{file: x}",
    "{cluster}",
    "- -",
]
lines = st.tuples(
    st.sampled_from(["", "  ", "    ", "- ", "  - "]),
    st.sampled_from(NAMES),
    st.sampled_from(["", "&a "]),
    st.sampled_from(LEAVES),
).map(lambda parts: f"{parts[0]}{parts[1]}: {parts[2]}{parts[3]}")
LEAVES += ['"{a\\nb}"', '!!int "a\\nb"', '{file: "a\\nb"}', '{file: "a\\0b"}', "!!null x", "!!map {}", "!!str 1"]
nested = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(st.sampled_from(NAMES), inner, max_size=4).map(
            lambda items: "{" + ", ".join(f"{name}: {value}" for name, value in items.items()) + "}"
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(lines, max_size=10).map("\n".join), nested))
def test_no_text_crashes(text: str) -> None:
    """Whatever the file holds, its author gets problems with places, never a traceback, and never a password."""
    files = Files({"x": "hunter2"})
    for whole in (text, f"{REST}{text}"):
        shown = outcome(whole, files)

        assert shown
        assert not any("\n" in line or "hunter2" in line for line in shown)


def outcome(text: str, files: Files) -> list[str]:
    try:
        return [repr(load(text, "bridge.yaml", {"A": "hunter2"}, files.read).kafka)]
    except ConfigError as error:
        return [str(problem) for problem in error.problems]


def offered(text: str, files: Mapping[str, str] = {}) -> list[str]:
    """What is wrong with it for a bridge that runs by the least of files."""
    with pytest.raises(ConfigError) as caught:
        reload(text, "etc/bridge.yaml", {}, Files(files).read, read(REST))
    kind = "restart: " if isinstance(caught.value, RestartNeeded) else "invalid: "
    return [kind + str(problem) for problem in caught.value.problems]


def test_a_file_that_a_running_bridge_can_take_up_is_read_as_at_the_start() -> None:
    text = f"{REST}buffer: 8MiB\n"

    assert reload(text, "etc/bridge.yaml", {}, Files({}).read, read(REST)) == read(text)


def test_what_needs_a_restart_is_told_with_its_line() -> None:
    """All of it at once, also what is gone: such a file would be in force by half."""
    assert offered("name: other\nkafka:\n  bootstrapServers: kafka:9092\n  compression: lz4\n" + WATCHES) == [
        f"restart: etc/bridge.yaml:1: name: has changed, which needs a restart. {RESTART}",
        f"restart: etc/bridge.yaml:4: kafka.compression: has changed, which needs a restart. {RESTART}",
    ]


def test_a_mistake_comes_before_a_restart() -> None:
    """A restart with that file would not help."""
    assert offered(f"name: other\n{KAFKA}watches: []\n") == [
        "invalid: etc/bridge.yaml:3: watches: is an empty list. Give it at least one entry."
    ]
