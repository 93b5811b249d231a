"""What servers write, byte by byte, and what it says. The API server's are as etcd and its cache make them."""

import pytest

from bridge.model.position import ResourceVersion
from bridge.model.resource import Resource
from bridge.source.frames import (
    Cause,
    Details,
    Frame,
    Page,
    Status,
    Undecodable,
    decode,
    decode_page,
    status_of,
)
from tests.source.words import PODS, added, body, deleted, line, listed, mark, modified

NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
WIDGETS = Resource("example.com", "v1", "widgets", "Widget", namespaced=True)


def frame(text: str | bytes, resource: Resource = PODS) -> Frame:
    (only,) = decode([text if isinstance(text, bytes) else text.encode()], resource)
    return only


def test_a_change_is_what_the_api_server_wrote() -> None:
    """Consumers get the object's own bytes: a parse and a new dump would lose the order and cost half the speed."""
    lines = [line("ADDED", "a", "5"), line("MODIFIED", "a", "6"), line("DELETED", "a", "7")]

    assert decode(lines, PODS) == [added("a", "5"), modified("a", "6"), deleted("a", "7")]


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "ADDED", "object": %s}',
        '{"object":%s,"type":"ADDED"}',
        ' {"type":"ADDED","object":%s} ',
        '{"object":%s,"more":1,"type":"ADDED"}',
        '{\t"object" : %s ,\r "type" : "ADDED" }',
    ],
)
def test_the_order_and_the_spaces_of_a_line_mean_nothing(text: str) -> None:
    """Aggregated servers are not written in Go, and JSON promises neither: an undecodable line would cost a relist."""

    assert frame(text % body("a", "5").decode()) == added("a", "5")


def _with_body(text: bytes) -> Frame:
    change = added("a", "5")
    return type(change)(change.type, change.key, change.uid, change.version, text)


def test_an_objects_own_spaces_and_order_are_kept() -> None:
    """The bytes are the server's own also where the server is not written in Go."""
    text = (
        '{ "metadata": {"uid": "uid-a", "resourceVersion": "5", "name": "a", "namespace": "default"}, "kind": "Pod" }'
    )

    assert frame('{"type":"ADDED","object":' + text + "}") == _with_body(text.encode())


def test_the_name_of_a_field_in_an_object_is_not_the_lines_own() -> None:
    """An object may hold anything, also what looks like an event (a ConfigMap with a recorded watch)."""
    inner = '{"type":"DELETED","object":{"metadata":{"name":"b"}}}'
    text = '{"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"5"},"data":' + inner + "}"

    assert frame('{"type":"ADDED","object":' + text + "}") == _with_body(text.encode())
    assert frame('{"object":' + text + ',"type":"ADDED"}') == _with_body(text.encode())


def test_a_cluster_scoped_object_has_no_namespace_in_its_key() -> None:
    """`nodes/n1`, as kubectl writes it."""
    text = '{"metadata":{"name":"n1","uid":"u","resourceVersion":"5"}}'
    (change,) = decode([b'{"type":"ADDED","object":' + text.encode() + b"}"], NODES)

    assert getattr(change, "key", None) == "nodes/n1"


def test_a_custom_resource_is_keyed_by_its_group() -> None:
    """Two groups may have a plural in common; in one topic they must not share a key."""
    change = frame(line("ADDED", "a", "5"), WIDGETS)

    assert getattr(change, "key", None) == "widgets.example.com/default/a"


@pytest.mark.parametrize("letter", ["a", "é", "€", "😀", "\\u00e9", "\\ud83d\\ude00", '\\"', "\\\\"])
def test_text_of_every_width_is_kept(letter: str) -> None:
    """Annotations hold what people write, in all languages."""
    meta = '"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"5"}'
    text = '{"note":"' + letter + '",' + meta + ',"' + letter + '":1}'

    assert frame('{"type":"ADDED","object":' + text + "}") == _with_body(text.encode())


def test_a_bookmark_is_a_version() -> None:
    """18: it says that everything up to it has been sent; its object is empty and is nobody's."""
    meta = '{"resourceVersion":"812","creationTimestamp":null}'
    text = '{"kind":"Pod","apiVersion":"v1","metadata":' + meta + ',"spec":{"containers":null},"status":{}}'

    assert frame('{"type":"BOOKMARK","object":' + text + "}") == mark("812")


@pytest.mark.parametrize(
    ("annotations", "ends"),
    [
        ('{"k8s.io/initial-events-end":"true"}', True),
        ('{"k8s.io/initial-events-end":"false"}', False),
        ('{"other":"true"}', False),
        ("{}", False),
        ("null", False),
    ],
)
def test_only_true_ends_the_initial_events(annotations: str, ends: bool) -> None:
    """11: consumers sweep away what the snapshot did not bring, so an early end deletes what is alive."""
    text = '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"812","annotations":' + annotations + "}}}"

    assert frame(text) == mark("812", ends_initial=ends)


@pytest.mark.parametrize("text", ['{"kind":"Pod"}', '{"metadata":null}', '{"metadata":{}}'])
def test_a_bookmark_may_forget_its_version(text: str) -> None:
    """19: one project shipped such bookmarks (antrea#8124); they are worth nothing, and harm nobody."""

    assert frame('{"type":"BOOKMARK","object":' + text + "}") == mark("")


def test_an_error_is_the_servers_own_account() -> None:
    """29: the form in which the watch cache says that a position is expired."""
    said = '"message":"too old resource version: 5 (9)","reason":"Expired","code":410'
    text = '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",' + said + "}"

    assert frame('{"type":"ERROR","object":' + text + "}") == Status(
        "Status", 410, "Expired", "too old resource version: 5 (9)"
    )


def test_an_error_may_say_when_to_come_back_and_why() -> None:
    """31, 32: the hint is longer than our own back-off when a server is in trouble."""
    cause = '{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}'
    said = '"code":504,"reason":"Timeout","details":{"causes":[' + cause + '],"retryAfterSeconds":1}'

    assert frame('{"type":"ERROR","object":{"kind":"Status",' + said + "}}") == Status(
        "Status", 504, "Timeout", "", Details(1, [Cause("ResourceVersionTooLarge")])
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('{"kind":"Status","message":"m"}', Status("Status", 0, "", "m")),
        ("{}", Status()),
        ('{"kind":"Pod","metadata":{"name":"a"},"status":{"phase":"Failed"}}', Status("Pod")),
        ('{"kind":"Status","details":null}', Status("Status")),
        ('{"kind":"Status","details":{}}', Status("Status", details=Details())),
    ],
)
def test_an_error_may_leave_out_anything(text: str, status: Status) -> None:
    """Appendix 3, 5. An error that cannot be read is an error all the same."""

    assert frame('{"type":"ERROR","object":' + text + "}") == status


def test_a_bare_status_is_an_error() -> None:
    """44: some servers answer 200 with the Status of a 410 as the only line (kubernetes-client/python-base#231)."""
    text = '{"kind":"Status","apiVersion":"v1","status":"Failure","message":"gone","reason":"Expired","code":410}'

    assert frame(text) == Status("Status", 410, "Expired", "gone")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"type":"DELETED","object":null}', "Expected `object`, got `null`"),
        ('{"type":"BOOKMARK","object":null}', "Expected `object`, got `null`"),
        ('{"type":"ERROR","object":null}', "Expected `object`, got `null`"),
        ('{"type":"ADDED"}', "Object missing required field `object`"),
        ('{"object":{}}', "Object missing required field `type`"),
        ('{"type":"ADDED","object":{"kind":"Pod"}}', "Object missing required field `metadata`"),
        ('{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u"}}}', "no name, uid or resourceVersion"),
        (
            '{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"5"}}}',
            "no name, uid or resourceVersion",
        ),
        ('{"type":"ADDED","object":{"metadata":{"uid":"u","resourceVersion":"5"}}}', "no name, uid or resourceVersion"),
        ('{"type":"RENAMED","object":{}}', "unknown type RENAMED"),
        ('{"type":"","object":{}}', "unknown type "),
        ('{"type":"added","object":{}}', "unknown type added"),
        ('{"kind":"Pod","metadata":{"name":"a"}}', "Object missing required field `type`"),
        ("<html>", "JSON is malformed: invalid character (byte 0)"),
        ("{", "Input data was truncated"),
        ('{"type":"ADDED","object":{"metadata":{"name":"a"', "Input data was truncated"),
    ],
)
def test_what_cannot_be_used_is_kept_to_be_shown(text: str, why: str) -> None:
    """25, 46: its version is unknown, so passing over it would lose a change in silence."""
    found = frame(text)

    assert isinstance(found, Undecodable)
    assert (found.why.split(" - at ")[0], found.line) == (why, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        b'{"type":"ADDED","object":{"metadata":{"name":"\xff","uid":"u","resourceVersion":"5"}}}',
        b'{"type":"\xff","object":{}}',
        b'{"object":{},"type":"\xff"}',
        b"\xff",
    ],
)
def test_bytes_that_are_no_text_are_undecodable(text: bytes) -> None:
    """One spoilt byte must not kill the stream (kopf's task dies of it)."""
    found = frame(text)

    assert isinstance(found, Undecodable)
    assert found.line == text


def test_a_line_that_cannot_be_used_does_not_take_others_along() -> None:
    """What was said before it is published; only what follows must be asked for again."""
    lines = [line("ADDED", "a", "5"), b"{", line("ADDED", "b", "6")]

    assert decode(lines, PODS) == [added("a", "5"), Undecodable("Input data was truncated", b"{"), added("b", "6")]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b'{"kind":"Status","code":410}', Status("Status", 410)),
        (b'{\n  "kind": "Status",\n  "code": 410\n}\n', Status("Status", 410)),
        (b"", None),
        (b"<html>503</html>", None),
        (b'{"code":"410"}', None),
        (b'{"message":"\xff"}', None),
    ],
)
def test_the_body_of_an_error_may_be_a_status(text: bytes, status: Status | None) -> None:
    """44: pretty-printed by some servers, HTML from a proxy, or nothing at all."""

    assert status_of(text) == status


def page(items: str, meta: str = '"resourceVersion":"100"') -> Page | Undecodable:
    text = '{"kind":"PodList","apiVersion":"v1","metadata":{' + meta + '},"items":' + items + "}"
    return decode_page(text.encode(), PODS)


BARE = '{"metadata":{"name":"a","namespace":"default","uid":"uid-a","resourceVersion":"98"},"spec":{}}'


def test_the_objects_of_a_list_get_their_kind_back() -> None:
    """15: in a list the API server leaves it out; a consumer must not need to know how an object was learnt."""
    text = '{"kind":"Pod","apiVersion":"v1",' + BARE[1:]
    change = listed("a", "98")
    want = type(change)(change.type, change.key, change.uid, change.version, text.encode())

    assert page(f"[{BARE}]") == Page([want], ResourceVersion("100"))


def test_the_kind_of_a_group_is_given_with_its_group() -> None:
    text = '{"metadata":{"resourceVersion":"100"},"items":[' + BARE + "]}"
    found = decode_page(text.encode(), WIDGETS)

    assert isinstance(found, Page)
    assert found.changes[0].body == b'{"kind":"Widget","apiVersion":"example.com/v1",' + BARE[1:].encode()


def test_objects_that_say_their_kind_are_left_as_they_are() -> None:
    """Lists of custom resources have it, and have the items before the metadata."""
    text = b'{"items":[%b,%b],"kind":"PodList","metadata":{"resourceVersion":"100"}}' % (
        body("a", "98"),
        body("b", "9"),
    )

    assert decode_page(text, PODS) == Page([listed("a", "98"), listed("b", "9")], ResourceVersion("100"))


def test_a_printed_list_has_objects_without_the_spaces_around_them() -> None:
    """The kind is put behind the first brace: a space before it would leave half an object."""
    text = '{\n "metadata": {"resourceVersion": "100"},\n "items": [\n  ' + BARE + " ,\n " + BARE + "\n ]\n}\n"
    found = decode_page(text.encode(), PODS)

    assert isinstance(found, Page)
    assert [change.body for change in found.changes] == [b'{"kind":"Pod","apiVersion":"v1",' + BARE[1:].encode()] * 2


@pytest.mark.parametrize("items", ["null", "[]"])
def test_a_list_may_be_empty(items: str) -> None:
    """Go writes an empty slice as null."""

    assert page(items) == Page([], ResourceVersion("100"))


def test_a_list_without_items_is_empty() -> None:
    assert decode_page(b'{"metadata":{"resourceVersion":"100"}}', PODS) == Page([], ResourceVersion("100"))


def test_a_token_asks_for_the_next_page() -> None:
    found = page("[]", '"resourceVersion":"100","continue":"abc","remainingItemCount":3')

    assert found == Page([], ResourceVersion("100"), "abc")


def test_an_empty_token_is_none() -> None:
    """5: taken for a token it would ask for the first page for ever (kube-rs#1250)."""

    assert page("[]", '"resourceVersion":"100","continue":""') == Page([], ResourceVersion("100"))


def test_a_list_may_have_no_version() -> None:
    """10: aggregated servers; what that means is not for the decoder to say."""

    assert page("[]", "") == Page([], ResourceVersion(""))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"kind":"Table","metadata":{"resourceVersion":"1"},"rows":[]}', "a Table instead of a list"),
        ('{"kind":"PodList","items":[]}', "Object missing required field `metadata`"),
        ('{"metadata":{},"items":[{}]}', "Object missing required field `metadata`"),
        ('{"metadata":{},"items":[null]}', "Expected `object`, got `null`"),
        ('{"metadata":{},"items":[{"metadata":{}}]}', "an item without name, uid or resourceVersion"),
        ("<html>", "JSON is malformed: invalid character (byte 0)"),
        ("", "Input data was truncated"),
    ],
)
def test_a_list_that_cannot_be_used_is_none_of_it(text: str, why: str) -> None:
    """13, 15: consumers delete what a snapshot did not bring, so a list with a hole deletes what is alive."""
    found = decode_page(text.encode(), PODS)

    assert isinstance(found, Undecodable)
    assert (found.why.split(" - at ")[0], found.line) == (why, text.encode())


def test_of_a_large_list_only_the_beginning_is_shown() -> None:
    """It goes into a log line."""
    text = b'{"kind":"Table","metadata":{},"rows":"%b"}' % (b"x" * 1000)

    assert decode_page(text, PODS) == Undecodable("a Table instead of a list", text[:200])


@pytest.mark.parametrize("open_close", [(b"[", b"]"), (b'{"a":', b"}")])
def test_what_is_nested_too_deeply_is_told_as_undecodable(open_close: tuple[bytes, bytes]) -> None:
    """46: whoever may write a custom resource may nest it; an exception would end each attempt, for ever."""
    deep = open_close[0] * 200_000 + b"1" * (open_close[0] != b"[") + open_close[1] * 200_000
    item = b'{"kind":"Pod","metadata":{"name":"a","uid":"u","resourceVersion":"5"},"spec":%b}' % deep
    (frame,) = decode([b'{"type":"ADDED","object":%b}' % item], PODS)
    page = decode_page(b'{"metadata":{"resourceVersion":"5"},"items":[%b]}' % item, PODS)

    assert (type(frame), type(page), status_of(item)) == (Undecodable, Undecodable, None)
