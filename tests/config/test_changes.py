"""What is different between two files, and what a running bridge can take up of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import Struct, inspect
from msgspec.structs import replace

from bridge.config.changes import NOTHING, RULES, Difference, Rule, compare, rule_of
from bridge.config.fields import fields, root
from bridge.config.kafka import Sasl, Tls, Token
from bridge.config.secret import Secret
from bridge.config.tree import Config
from tests.config.reading import KAFKA, REST, read

WHOLE = read(REST)
WHOLE = replace(
    WHOLE, kafka=replace(WHOLE.kafka, tls=Tls(), sasl=Sasl(mechanism="PLAIN", password=Secret("a"), token=Token()))
)
"""With every mapping that there can be."""


def paths(info: inspect.StructType, before: str = "") -> Iterator[str]:
    """Of every field that holds no mapping of fields."""
    for field in fields(info):
        if isinstance(field.kind.type, inspect.StructType):
            yield from paths(field.kind.type, f"{before}{field.name}.")
        else:
            yield f"{before}{field.name}"


def changed(value: Struct, path: str) -> Any:  # noqa: ANN401 - of the value's type
    """With one field that is otherwise."""
    name, _, rest = path.partition(".")
    attribute = dict(zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True))[name]
    inner = getattr(value, attribute)
    return replace(value, **{attribute: changed(inner, rest) if rest else "otherwise"})


PATHS = [path for path in paths(root()) if path != "watches"]


@pytest.mark.parametrize("path", PATHS)
def test_a_field_that_differs_is_named_with_what_it_needs(path: str) -> None:
    """One that is forgotten would be said to be in force, and not be."""
    difference = compare(WHOLE, changed(WHOLE, path))

    assert difference == (
        Difference(restart=(path,)) if rule_of(path) is Rule.RESTART else Difference(settings=(path,))
    )


def test_every_field_has_its_rule() -> None:
    """A new field needs a decision, not a default."""
    assert set(RULES) == {field.name for field in fields(root())}
    assert len(PATHS) > 30
    assert [name for name, rule in RULES.items() if rule is Rule.BY_STREAMS] == ["watches"]


@pytest.mark.parametrize("name", [name for name in WHOLE.watches[0].__struct_encode_fields__ if name != "namespaces"])
def test_a_watch_that_differs_changes_its_streams(name: str) -> None:
    """Whatever is otherwise in it: the stream has to begin anew with it."""
    after = replace(WHOLE, watches=(changed(WHOLE.watches[0], name),))
    difference = compare(WHOLE, after)

    renamed = Difference(added=("otherwise",), removed=("pods",))
    assert difference == (renamed if name in {"name", "resource"} else Difference(changed=("pods",)))


def watching(text: str) -> Config:
    return read(f"{KAFKA}watches: {text}")


def test_streams_that_are_alike_are_no_difference() -> None:
    """Order, a name that is the default, others in a list: none of it may stop a stream."""
    before = watching("[{resource: pods}, {resource: jobs, namespaces: [a, b]}]")
    after = watching("[{resource: jobs, namespaces: [b, c, a]}, {resource: pods, name: pods}]")

    assert compare(before, after) == Difference(added=("jobs.c",))
    assert compare(after, before) == Difference(removed=("jobs.c",))


def test_a_list_of_one_namespace_is_not_all_of_them() -> None:
    """The names of streams say so: what ran for all is gone."""
    before = watching("[{resource: jobs}]")
    after = watching("[{resource: jobs, namespaces: [a]}]")

    assert compare(before, after) == Difference(added=("jobs.a",), removed=("jobs",))


def test_a_stream_that_moves_to_another_watch_is_changed_where_that_says_otherwise() -> None:
    before = watching("[{resource: jobs, namespaces: [a, b]}]")
    after = watching("[{resource: jobs, namespaces: [a]}, {resource: jobs, namespaces: [b], labelSelector: x=y}]")

    assert compare(before, after) == Difference(changed=("jobs.b",))


def with_password(password: Secret) -> Config:
    sasl = Sasl(mechanism="PLAIN", username="me", password=password)
    return replace(WHOLE, kafka=replace(WHOLE.kafka, sasl=sasl))


@pytest.mark.parametrize(
    ("before", "after", "differ"),
    [
        (Secret("old", "/p"), Secret("new", "/p"), False),
        (Secret("same", "/p"), Secret("same", "/q"), True),
        (Secret("same", "/p"), Secret("same"), True),
        (Secret("old"), Secret("new"), True),
        (Secret("same"), Secret("same"), False),
    ],
)
def test_a_password_that_was_renewed_in_its_file_is_no_change(before: Secret, after: Secret, differ: bool) -> None:
    """It is read anew for each connection: a file with another stream must not be refused for it."""
    difference = compare(with_password(before), with_password(after))

    assert difference == (Difference(restart=("kafka.sasl.password",)) if differ else NOTHING)


def test_what_a_command_is_given_counts() -> None:
    """Secrets in a list are secrets."""
    one, other = (
        replace(WHOLE, kafka=replace(WHOLE.kafka, sasl=Sasl(mechanism="OAUTHBEARER", token=Token(command=command))))
        for command in ((Secret("login"), Secret("a")), (Secret("login"), Secret("b")))
    )

    assert (compare(one, other), compare(one, one)) == (Difference(restart=("kafka.sasl.token.command",)), NOTHING)
