import sys

import pytest

from tests.config.reading import KAFKA, REST, problems, read

EMPTY = "etc/bridge.yaml:1: the file is empty. Begin with config/minimal.yaml."
LOOK = "Look at this line and the one above; quote a text that begins with a sign or holds ': '."


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "etc/bridge.yaml:1: the file is empty. Begin with config/minimal.yaml."),
        ("# only a comment\n", EMPTY),
        ("null\n", EMPTY),
        ("- a\n- b\n", "etc/bridge.yaml:1: the file must hold fields. Begin with config/minimal.yaml."),
        ("\nhello\n", "etc/bridge.yaml:2: the file must hold fields. Begin with config/minimal.yaml."),
        ("!!set {a, b}", "etc/bridge.yaml:1: the file must hold fields. Begin with config/minimal.yaml."),
        ("a: b: c", f"etc/bridge.yaml:1: not valid YAML at column 5: mapping values are not allowed here. {LOOK}"),
        ("a: *b", f"etc/bridge.yaml:1: not valid YAML at column 4: found undefined alias. {LOOK}"),
        (
            "a:\n\tb: 1",
            (
                "etc/bridge.yaml:2: not valid YAML at column 1:"
                " found character '\\t' that cannot start any token. Indent with spaces."
            ),
        ),
        (
            "a: [${X}]",
            (
                "etc/bridge.yaml:1: not valid YAML at column 6: expected ',' or ']', but got '{'."
                ' Inside [ ] and { } a reference needs quotes: "${NAME}".'
            ),
        ),
        (
            "a: 1\n---\nb: 1",
            f"etc/bridge.yaml:2: not valid YAML at column 1: found another document. {LOOK}",
        ),
        (
            "a: 1\nb: \x00",
            "etc/bridge.yaml:2: not a text file: it holds a control character. Save it as plain UTF-8 text.",
        ),
        (
            "a:\n  " + "[" * 100_000,
            "etc/bridge.yaml:2: not a config file: nested too deeply. See config/example.yaml for the form.",
        ),
    ],
)
def test_what_is_no_config_at_all_is_one_clear_problem(text: str, message: str) -> None:
    """The commonest mistakes are indentation and quoting; a Python traceback helps nobody."""
    assert problems(text) == [message]


def test_a_field_given_twice_is_a_problem() -> None:
    """Most YAML readers take the last one in silence: half of what was written would be ignored."""
    text = f"name: a\n{REST}name: b\ntopics:\n  create: true\n  create: false\n"

    assert problems(text) == [
        "etc/bridge.yaml:4: name: given twice, first on line 1. Keep one of the two.",
        "etc/bridge.yaml:7: topics.create: given twice, first on line 6. Keep one of the two.",
    ]


def test_names_that_are_no_text_are_problems() -> None:
    """YAML allows lists as names, and a stray `?` or number; neither crashes, nor spoils the message."""
    text = f'{REST}[a, b]: 1\n123: 1\non: 1\n"a\\nb": 1\n'

    names = "name cluster kubernetes kafka topics checkpoints standalone group buffer progressInterval verifyInterval"
    possible = ", ".join([*names.split(), "watches", "http", "log"])
    assert problems(text) == [
        "etc/bridge.yaml:3: a field's name must be text. Write name: value.",
        f"etc/bridge.yaml:4: 123: unknown field. Possible are {possible}.",
        f"etc/bridge.yaml:5: on: unknown field. Possible are {possible}.",
        f"etc/bridge.yaml:6: 'a\\nb': unknown field. Possible are {possible}.",
    ]


def test_the_marks_of_windows_editors_are_no_mistake() -> None:
    """A byte order mark and CRLF are invisible to whoever saved the file."""
    assert read("\ufeff" + REST.replace("\n", "\r\n")) == read(REST)


def test_anchors_and_merges_work() -> None:
    """Many watches that differ in little are written with `<<`; what stands in the watch itself wins."""
    config = read(
        KAFKA + "watches:\n  - &w {resource: pods, topic: a, drop: [spec]}\n  - {<<: *w, name: two, topic: b}\n"
    )

    first, second = config.watches
    assert (first.topic, second.topic, second.name, second.resource, second.drop) == (
        "a",
        "b",
        "two",
        "pods",
        ("spec",),
    )


def test_a_long_chain_of_merges_is_read() -> None:
    """Each entry is made of the one before, as generated files have it: no length of it may end in a traceback."""
    length = 2 * sys.getrecursionlimit()
    chain = "".join(f"x{n}: &x{n} {{<<: *x{n - 1}}}\n" for n in range(1, length))
    found = problems(f"x0: &x0 {{resource: pods}}\n{chain}{KAFKA}watches: [{{<<: *x{length - 1}}}]\n")

    assert [each.partition(". ")[0] for each in found] == [
        f"etc/bridge.yaml:{n + 1}: x{n}: unknown field" for n in range(length)
    ]


def test_what_contains_itself_is_read_once() -> None:
    """A file may not hang the bridge, nor blow it up."""
    loop = KAFKA + "watches:\n  - &w\n    resource: pods\n    <<: [*w, *w]\n"
    deep = "topics:\n  config: &c\n    a: *c\n" + REST

    assert read(loop).watches[0].resource == "pods"
    assert problems(deep) == [
        (
            "etc/bridge.yaml:3: topics.config.a: must be a single value, not a mapping."
            " Write it on the same line as the field's name."
        )
    ]
