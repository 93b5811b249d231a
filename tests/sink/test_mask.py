"""`bridge.sink.mask`: no value of a Secret leaves the bridge, whatever it looks like; keys do, and changes are seen."""

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.event import Change, ChangeType
from bridge.model.position import Epoch, ResourceVersion
from bridge.model.resource import Resource
from bridge.sink.formats import Envelope, showing
from bridge.sink.mask import APPLIED, Mask, is_secret, masking
from tests.sink.reading import whole

SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)
PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
KUBECTL = APPLIED[0]
DIGEST = re.compile(r"masked:[0-9a-f]{32}")
SALT = "0" * 64

Object = dict[str, Any]


def secret(**fields: Any) -> Object:  # noqa: ANN401 - JSON
    metadata = {"namespace": "shop", "name": "login", "uid": "u", "resourceVersion": "7", **fields.pop("metadata", {})}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", **fields}


def masked(value: Object, salt: str = SALT) -> Object:
    shown: Object = json.loads(Mask(salt)(json.dumps(value).encode()))
    return shown


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_keys_stay_and_values_go() -> None:
    """What a consumer may know: that there is a password, and whether it changed."""
    annotations = {KUBECTL: '{"data":{"password":"aHVudGVyMg=="}}', "team": "shop"}
    shown = masked(secret(data={"password": "aHVudGVyMg==", "user": "bWU="}, metadata={"annotations": annotations}))

    data, applied = shown.pop("data"), shown["metadata"].pop("annotations")
    assert shown == secret()
    assert list(data) == ["password", "user"]
    assert all(DIGEST.fullmatch(digest) for digest in [*data.values(), applied[KUBECTL]])
    assert applied["team"] == "shop"


def test_a_change_is_seen_and_nothing_else_changes() -> None:
    """A rotated password must restart who uses it; an unchanged one must not."""
    before = masked(secret(data={"a": "MQ==", "b": "Mg=="}))["data"]
    after = masked(secret(data={"b": "Mg==", "a": "Mw=="}, metadata={"resourceVersion": "8"}))["data"]

    assert before["b"] == after["b"]
    assert before["a"] != after["a"]


@pytest.mark.parametrize(
    "other",
    [
        {"data": {"a": "MQ=="}, "metadata": {"name": "other"}},
        {"data": {"a": "MQ=="}, "metadata": {"namespace": "other"}},
        {"stringData": {"a": "MQ=="}},
    ],
)
def test_equal_values_of_other_places_do_not_look_equal(other: Object) -> None:
    """Else who knows one password knows where it is used again."""
    place = "stringData" if "stringData" in other else "data"

    assert masked(secret(data={"a": "MQ=="}))["data"]["a"] != masked(secret(**other))[place]["a"]
    assert len(set(masked(secret(data={"a": "MQ==", "b": "MQ=="}))["data"].values())) == 2


def test_another_salt_makes_other_digests() -> None:
    """A table of common passwords made for one stream is worth nothing for another."""
    value = secret(data={"a": "MQ=="})

    assert masked(value)["data"] != masked(value, "1" * 64)["data"]


def test_a_text_is_the_same_however_it_is_escaped() -> None:
    """API servers of two versions escape differently: that is no change."""
    one, two = (Mask(SALT)(b'{"metadata":{"name":"a"},"stringData":{"a":"%b"}}' % text) for text in (b"<", b"\\u003c"))

    assert one == two


@pytest.mark.parametrize(
    "odd", ["hunter2", ["hunter2"], [{"a": "hunter2"}], {"a": ["hunter2"]}, {"a": {"b": "hunter2"}}]
)
@pytest.mark.parametrize("field", ["data", "stringData", "future"])
def test_what_is_not_as_expected_is_masked(odd: object, field: str) -> None:
    """It fails closed: a field that Kubernetes adds, or a shape that none has thought of, is not let through."""
    assert "hunter2" not in json.dumps(masked(secret(**{field: odd})))


@pytest.mark.parametrize("odd", [["hunter2"], {"a": "hunter2"}])
@pytest.mark.parametrize("field", ["type", "immutable", "kind", "apiVersion"])
def test_what_is_more_than_a_word_is_masked(odd: object, field: str) -> None:
    """As above, where a word is let through."""
    assert "hunter2" not in json.dumps(masked(secret() | {field: odd}))


@pytest.mark.parametrize("odd", ["hunter2", ["hunter2"], [{KUBECTL: "hunter2"}], {KUBECTL: {"a": "hunter2"}}])
def test_annotations_of_another_shape_are_masked(odd: object) -> None:
    """As above."""
    assert "hunter2" not in json.dumps(masked(secret(metadata={"annotations": odd})))


@pytest.mark.parametrize("field", ["data", "stringData"])
def test_nothing_stays_nothing(field: str) -> None:
    """A null holds no value, and a digest in its place would say that there is one."""
    assert masked(secret(**{field: None})) == secret(**{field: None})


@pytest.mark.parametrize(
    "body",
    [
        b'{"metadata":{"name":"a"},"data":{},"data":{"a":"hunter2"}}',
        b'{"metadata":{"name":"a"},"data":{"a":"hunter2"},"data":{}}',
        b'{"metadata":{"name":"a"},"d\\u0061ta":{"a":"hunter2"}}',
        b'{"metadata":{"name":"a"},"Data":{"a":"hunter2"}}',
        b'{"metadata":{"annotations":{"%b":"hunter2"}},"metadata":{"name":"a"}}' % KUBECTL.encode(),
        b'{"metadata":{"name":"a","annotations":{"%b":"hunter2","%b":1}}}' % (KUBECTL.encode(), KUBECTL.encode()),
        b' { "metadata" : { "name" : "a" } , "data" : { "a" : "hunter2" } } ',
        b'{"metadata":{"name":"a"},"data":{"a":"hunter2\xff"}}',
        b'{"metadata":{"name":"a"},"data":{"a":"hunter2\\ud800"}}',
    ],
)
def test_no_way_to_write_it_gets_through(body: bytes) -> None:
    """An aggregated server, or a proxy, may write JSON as it likes."""
    try:
        shown = Mask(SALT)(body)
    except ValueError:  # not JSON: the stream stands still rather than to say it
        return
    assert b"hunter2" not in shown


VALUES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=40).map(b"hunter2".__add__), max_size=4
)


@given(data=VALUES, texts=VALUES, kind=st.sampled_from(list(ChangeType)), oversize=st.booleans(), drop=st.booleans())
def test_no_value_is_in_any_record(
    data: dict[str, bytes], texts: dict[str, bytes], kind: ChangeType, oversize: bool, drop: bool
) -> None:
    """Neither as it is, nor as base64, in no type of record, also of an object that is too large."""
    value = secret(
        data={name: encoded(each) for name, each in data.items()},
        stringData={name: each.hex() for name, each in texts.items()},
    )
    value["metadata"]["annotations"] = dict.fromkeys(APPLIED, json.dumps(value))
    envelope = Envelope("prod", "secrets", SECRETS, showing(("metadata.managedFields",) if drop else (), Mask(SALT)))
    envelope.begin(Epoch(7))
    envelope.stamp(0)
    change = Change(kind, "secrets/shop/login", "u", ResourceVersion("7"), json.dumps(value).encode())

    record = envelope.oversize(change, 10_000) if oversize else whole(envelope.change(change))

    for each in data.values():
        assert encoded(each).encode() not in record
        assert each not in record
    for each in texts.values():
        assert each.hex().encode() not in record
    if not oversize:
        shown = json.loads(record)["object"]
        assert shown["data"].keys() == data.keys()
        assert shown["stringData"].keys() == texts.keys()
        assert set(shown["metadata"]["annotations"]) == set(APPLIED)


def test_secrets_are_masked_by_what_they_are_and_all_else_by_wish() -> None:
    """`secret`, `secrets.v1` and `secrets` are one resource, and discovery says so; a CRD called secrets is another."""
    assert masking(None, SECRETS) == "secrets"
    assert masking("none", SECRETS) == "none"
    assert masking(None, PODS) == "none"
    assert masking("secrets", PODS) == "secrets"
    assert not is_secret(Resource("example.com", "v1", "secrets", "Secret", namespaced=True))


def test_a_stream_without_a_mask_shows_objects_as_they_are() -> None:
    """Nothing is asked of each record: what is shown was chosen before."""
    assert showing((), None) is None
