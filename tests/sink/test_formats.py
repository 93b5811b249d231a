"""`bridge.sink.formats`: the envelope, to the byte."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.event import Change, ChangeType, Restarted, RestartReason
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.model.resource import Resource
from bridge.sink.formats import Envelope, drop_tree, showing, time_text, without
from tests.sink.reading import whole

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
TIME = 1795422600123
AT = Position(Epoch(7), ResourceVersion("813000"), TIME)


def envelope(*drop: str, cluster: str = "prod-eu") -> Envelope:
    made = Envelope(cluster, "pods", PODS, showing(drop, None))
    made.begin(Epoch(7))
    made.stamp(TIME)
    return made


def change(body: bytes, kind: ChangeType = ChangeType.MODIFIED) -> Change:
    return Change(kind, "pods/default/web-1", "u1", ResourceVersion("812345"), body)


def test_an_objects_bytes_are_the_servers_own() -> None:
    """Spaces, escapes and the order of fields survive: consumers may verify, diff or store what the server said."""
    body = b'{ "kind":"Pod", "a":"\\u003c", "big":12345678901234567890.0 }'

    value = whole(envelope().change(change(body)))

    assert value == (
        b'{"type":"MODIFIED","cluster":"prod-eu","stream":"pods","epoch":7,"resourceVersion":"812345",'
        b'"time":"2026-11-23T08:30:00.123Z","object":' + body + b"}"
    )


@pytest.mark.parametrize("kind", list(ChangeType))
def test_every_type_says_its_name(kind: ChangeType) -> None:
    assert json.loads(whole(envelope().change(change(b"{}", kind))))["type"] == kind.value


def test_an_inferred_delete_has_no_version() -> None:
    """Nobody saw it, so nobody knows when it happened. What is said is what consumers need to remove the object."""
    unseen = Change(ChangeType.DELETED, "pods/default/web-1", "u1", ResourceVersion(""), b"", inferred=True)

    assert whole(envelope().change(unseen)) == (
        b'{"type":"DELETED","cluster":"prod-eu","stream":"pods","epoch":7,"inferred":true,'
        b'"time":"2026-11-23T08:30:00.123Z","object":{"apiVersion":"v1","kind":"Pod",'
        b'"metadata":{"namespace":"default","name":"web-1","uid":"u1"}}}'
    )


def test_an_inferred_delete_of_another_resource_says_that_resource() -> None:
    """After the watch's resource was changed, the objects of the old one are deleted by what they were."""
    nodes = Resource("metal.example.com", "v2", "hosts", "Host", namespaced=False)

    value = json.loads(envelope().inferred("hosts.metal.example.com/n1", "u9", nodes))

    assert value["object"] == {
        "apiVersion": "metal.example.com/v2",
        "kind": "Host",
        "metadata": {"name": "n1", "uid": "u9"},
    }


def test_restarted_names_the_gap() -> None:
    marker = Restarted(Epoch(7), RestartReason.EXPIRED, 'too "old"', Position(Epoch(5), ResourceVersion("812000"), 0))

    assert envelope().restarted(marker, 3, 12) == (
        b'{"type":"RESTARTED","cluster":"prod-eu","stream":"pods","epoch":7,"reason":"expired",'
        b'"message":"too \\"old\\"",'
        b'"previous":{"epoch":5,"resourceVersion":"812000","time":"1970-01-01T00:00:00.000Z"},'
        b'"partition":3,"partitions":12,"time":"2026-11-23T08:30:00.123Z"}'
    )


def test_the_first_epoch_has_no_previous_one() -> None:
    value = json.loads(envelope().restarted(Restarted(Epoch(7), RestartReason.INITIAL), 0, 1))

    assert value["previous"] is None


def test_synced_and_progress() -> None:
    assert envelope().synced(AT, 417, 3, 12) == (
        b'{"type":"SYNCED","cluster":"prod-eu","stream":"pods","epoch":7,"resourceVersion":"813000","objects":417,'
        b'"partition":3,"partitions":12,"time":"2026-11-23T08:30:00.123Z"}'
    )
    assert envelope().progress(AT, 3, 12) == (
        b'{"type":"PROGRESS","cluster":"prod-eu","stream":"pods","epoch":7,"resourceVersion":"813000",'
        b'"partition":3,"partitions":12,"time":"2026-11-23T08:30:00.123Z"}'
    )


def test_a_new_epoch_and_a_new_time_are_in_every_record_after_them() -> None:
    made = envelope()
    made.begin(Epoch(8))
    made.stamp(TIME + 1000)

    values = [whole(made.change(change(b"{}"))), made.synced(AT, 0, 0, 1), made.inferred("pods/a/b", "u", PODS)]

    for value in map(json.loads, values):
        assert (value["epoch"], value["time"]) == (8, "2026-11-23T08:30:01.123Z")


@given(st.text(), st.text())
def test_any_text_leaves_the_json_whole(cluster: str, message: str) -> None:
    """A quote in a cluster's name or in the server's message must not break a consumer's parser."""
    made = envelope(cluster=cluster)

    value = json.loads(made.restarted(Restarted(Epoch(7), RestartReason.EXPIRED, message), 0, 1))

    assert (value["cluster"], value["message"]) == (cluster, message)


def test_times_are_written_as_the_server_writes_them() -> None:
    assert [time_text(ms) for ms in (0, 999, 1795422600007)] == [
        "1970-01-01T00:00:00.000Z",
        "1970-01-01T00:00:00.999Z",
        "2026-11-23T08:30:00.007Z",
    ]


BIG: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "big",
        "namespace": "default",
        "uid": "u1",
        "resourceVersion": "812345",
        "labels": {"a": "b"},
        "annotations": {"c": "d" * 100},
        "managedFields": [{"manager": "m" * 100}],
    },
    "data": {"x": "y" * 1000},
}


def test_an_object_that_is_too_large_goes_as_its_metadata() -> None:
    """A consumer learns that it changed, and how large it is, and can fetch it by itself."""
    body = json.dumps(BIG).encode()

    value = json.loads(envelope().oversize(change(body), 10_000))

    kept = {k: v for k, v in BIG["metadata"].items() if k not in ("annotations", "managedFields")}
    assert value["oversize"] == len(body)
    assert list(value)[-2:] == ["oversize", "object"]
    assert value["object"] == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": kept}


def test_what_is_dropped_is_dropped_from_large_objects_too() -> None:
    """A field may be dropped because nobody must see it: the size of an object is no way round that."""
    made = envelope("metadata.labels")
    body = json.dumps(BIG | {"metadata": BIG["metadata"] | {"labels": {"secret": "x"}}}).encode()

    value = json.loads(made.oversize(change(body), 10_000))

    assert "labels" not in value["object"]["metadata"]
    assert value["oversize"] == len(body)


def test_where_even_that_is_too_large_it_goes_as_what_identifies_it() -> None:
    body = json.dumps(BIG | {"metadata": BIG["metadata"] | {"labels": {"a": "b" * 5000}}}).encode()

    value = json.loads(envelope().oversize(change(body), 1000))

    assert value["object"]["metadata"] == {
        "namespace": "default",
        "name": "big",
        "uid": "u1",
        "resourceVersion": "812345",
    }


def test_a_reduced_object_has_a_kind_even_if_the_server_left_it_out() -> None:
    value = json.loads(envelope().oversize(change(b'{"metadata":{"name":"x"}}'), 1000))

    assert value["object"] == {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}}


@pytest.mark.parametrize(
    ("drop", "body", "left"),
    [
        (["metadata.m"], b'{"metadata":{ "m":[1] ,"a":1.0}, "s" : 2}', b'{"metadata":{"a":1.0},"s":2}'),
        (["metadata.m"], b'{"metadata": {"a":1}, "s" : 2}', b'{"metadata": {"a":1}, "s" : 2}'),
        (["metadata.m"], b'{"x": "m", "m":1}', b'{"x": "m", "m":1}'),
        (["metadata.a"], b'{"metadata": null, "a" : 2}', b'{"metadata": null, "a" : 2}'),
        (["metadata.a"], b'{"metadata": "a", "a" : 2}', b'{"metadata": "a", "a" : 2}'),
        (["a", "b.c"], b'{"a":1,"b":{"c":2,"d":{ }}}', b'{"b":{"d":{ }}}'),
        (["a", "a.b"], b'{"a":{"b":1},"c":3}', b'{"c":3}'),
        (["a.b", "a"], b'{"a":{"b":1},"c":3}', b'{"c":3}'),
        (["l.env"], b'{"l":[{"env":1,"n":2},{ "n":3 }]}', b'{"l":[{"n":2},{ "n":3 }]}'),
        (["l.env"], b'{"l": [{ "n":3 }, {"env" : {}}], "k" :1}', b'{"l":[{ "n":3 },{}],"k":1}'),
        (["l.env"], b'{"l": [ "env" ]}', b'{"l": [ "env" ]}'),
        (["a[x.y/z]"], b'{"a":{"x.y/z":"1","x":2}}', b'{"a":{"x":2}}'),
        (["a[x.y].b"], b'{"a":{"x.y":{"b":1,"c":2}}}', b'{"a":{"x.y":{"c":2}}}'),
    ],
)  # fmt: skip
def test_dropped_fields_go_and_all_else_stays_byte_by_byte(drop: list[str], body: bytes, left: bytes) -> None:
    assert without(body, drop_tree(tuple(drop))) == left


def test_fields_are_dropped_from_records() -> None:
    value = envelope("metadata.managedFields").change(change(b'{"metadata":{"name":"x","managedFields":[]}}'))

    assert json.loads(whole(value))["object"] == {"metadata": {"name": "x"}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4),
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=3),
)
def test_dropping_by_bytes_is_dropping_by_meaning(tree: dict[str, Any], path: list[str]) -> None:
    left = without(json.dumps(tree).encode(), drop_tree((".".join(path),)))

    assert json.loads(left) == _dropped(tree, path)


def _dropped(node: object, path: list[str]) -> object:
    """The same, the simple way."""
    if isinstance(node, list):
        return [_dropped(item, path) for item in node]
    if not isinstance(node, dict):
        return node
    name, *rest = path
    if not rest:
        return {k: v for k, v in node.items() if k != name}
    return {k: _dropped(v, rest) if k == name else v for k, v in node.items()}
