import json

import msgspec
import pytest

from bridge.consumer.records import Added, Deleted, Foreign, Keyed, Progress, Restarted, Synced, read
from bridge.model.event import Change, ChangeType, RestartReason
from bridge.model.event import Progress as Said
from bridge.model.event import Restarted as Began
from bridge.model.event import Synced as Ended
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.sink.formats import Envelope
from tests.consumer.test_vectors import validate
from tests.sink.reading import whole
from tests.sink.stage import PODS

KEY = b"pods/a/x"
BODY = b'{"kind":"Pod","metadata":{"name":"x","namespace":"a","uid":"u1","resourceVersion":"7"}}'
AT = Position(Epoch(10), ResourceVersion("7"), 1_763_886_600_123)


def envelope() -> Envelope:
    made = Envelope("prod", "pods", PODS)
    made.begin(Epoch(10))
    made.stamp(1_763_886_600_123)
    return made


def told(value: bytes, key: bytes = b"pods") -> object:
    """What the consumer reads of what the bridge wrote, which must be what the schema says."""
    validate(json.loads(value))
    found = read(key, value)
    assert isinstance(found, Keyed), found
    return found.record


def test_what_the_bridge_writes_of_an_object_is_read_byte_by_byte() -> None:
    """The two halves share no line of code: this is where they meet."""
    change = Change(ChangeType.ADDED, "pods/a/x", "u1", ResourceVersion("7"), BODY)

    record = told(whole(envelope().change(change)), KEY)

    assert isinstance(record, Added)
    assert (record.cluster, record.stream, record.epoch, record.resource_version) == ("prod", "pods", 10, "7")
    assert (bytes(record.object), record.time) == (BODY, "2025-11-23T08:30:00.123Z")


def test_what_the_bridge_writes_of_an_oversize_object_is_read() -> None:
    change = Change(ChangeType.ADDED, "pods/a/x", "u1", ResourceVersion("7"), BODY)

    record = told(envelope().oversize(change, 1 << 20), KEY)

    assert isinstance(record, Added)
    assert record.oversize == len(BODY)


def test_what_the_bridge_writes_of_a_delete_that_nobody_saw_is_read() -> None:
    change = Change(ChangeType.DELETED, "pods/a/x", "u1", ResourceVersion(""), b"", inferred=True)

    record = told(whole(envelope().change(change)), KEY)

    assert isinstance(record, Deleted)
    assert record.inferred


def test_what_the_bridge_writes_of_markers_is_read() -> None:
    restarted = told(envelope().restarted(Began(Epoch(11), RestartReason.EXPIRED, "too old", AT), 1, 3))
    synced = told(envelope().synced(AT, 5, 1, 3))
    progress = told(envelope().progress(Said(AT).position, 1, 3))

    assert isinstance(restarted, Restarted)
    assert restarted.previous is not None
    assert (restarted.reason, restarted.message, restarted.previous.resource_version) == ("expired", "too old", "7")
    assert isinstance(synced, Synced)
    assert (synced.objects, synced.partition, synced.partitions, synced.resource_version) == (5, 1, 3, "7")
    assert isinstance(progress, Progress)
    assert Ended(AT).position.version == progress.resource_version


def test_every_reason_of_the_bridge_is_in_the_schema() -> None:
    """The set is closed, so it is written at two places, and may not differ."""
    for reason in RestartReason:
        told(envelope().restarted(Began(Epoch(11), reason, "", None), 0, 1))


HEAD = '"stream":"pods","epoch":10'


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        (KEY, None, "it has no value: a tombstone, as topics with bare objects have them"),
        (KEY, b"\xff\xfe", "it is not UTF-8 (invalid start byte at byte 0)"),
        (b"\xff", b'{"type":"ADDED"}', "Object missing required field `stream`"),
        (b"a/\xff", f'{{"type":"DELETED",{HEAD}}}'.encode(), "its key is not UTF-8 (invalid start byte at byte 2)"),
        (KEY, b"", "Input data was truncated"),
        (KEY, b"hello", "JSON is malformed: invalid character (byte 0)"),
        (KEY, b"[1]", "Expected `object`, got `array`"),
        (KEY, b"{}", "Object missing required field `type`"),
        (KEY, f'{{"type":"RENAMED",{HEAD}}}'.encode(), "Invalid value 'RENAMED' - at `$.type`"),
        (KEY, f'{{"type":"ADDED",{HEAD}}}'.encode(), "Object missing required field `object`"),
        (KEY, f'{{"type":"ADDED",{HEAD},"object":[]}}'.encode(), "Expected `object` - at `$.object`"),
        (KEY, b'{"type":"ADDED","stream":"pods","epoch":"x","object":{}}', "Expected `int`, got `str` - at `$.epoch`"),
        (KEY, b'{"type":"ADDED","epoch":10,"object":{}}', "Object missing required field `stream`"),
        (b"", f'{{"type":"ADDED",{HEAD},"object":{{}}}}'.encode(), "its key '' is not resource/namespace/name"),
        (b"x", f'{{"type":"ADDED",{HEAD},"object":{{}}}}'.encode(), "its key 'x' is not resource/namespace/name"),
        (b"/a/x", f'{{"type":"DELETED",{HEAD}}}'.encode(), "its key '/a/x' is not resource/namespace/name"),
        (b"pods/a/", f'{{"type":"DELETED",{HEAD}}}'.encode(), "its key 'pods/a/' is not resource/namespace/name"),
        (KEY, f'{{"type":5,{HEAD}}}'.encode(), "Expected `str` - at `$.type`"),
        (KEY, b'{"specversion":"1.0","type":"dev.pod","data":{}}', "it is a CloudEvent"),
        (KEY, b'{"schema":{},"payload":{}}', "it is an envelope of Kafka Connect"),
        (KEY, b'{"before":null,"after":{},"op":"c"}', "it is a change event of Debezium"),
        (KEY, b'{"kind":"Pod","metadata":{}}', "it is a bare Kubernetes object, without the envelope"),
    ],
)
def test_what_is_none_is_told_why(key: bytes, value: bytes | None, why: str) -> None:
    """Somebody has to find out who writes into the topic, or that it is the wrong one."""
    assert read(key, value) == Foreign(why)


def test_nesting_without_end_is_refused_and_kills_nobody() -> None:
    """The reader's stack is finite."""
    deep = b'{"type":"ADDED","stream":"pods","epoch":10,"object":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"

    found = read(KEY, deep)

    assert isinstance(found, Foreign)


def test_what_no_state_is_built_from_may_be_absent() -> None:
    """Followers must not break where a writer is thrifty."""
    found = read(KEY, b'{"type":"MODIFIED","stream":"pods","epoch":10,"object":{}}')

    assert isinstance(found, Keyed)


def test_what_nobody_needs_and_is_malformed_is_taken_for_absent() -> None:
    """To refuse the record would lose the object; what is well-formed beside it stays, and the object byte by byte."""
    value = f'{{"type":"ADDED",{HEAD},"resourceVersion":7,"oversize":"big","time":"t","object":{{"a": 1.0}}}}'.encode()

    found = read(KEY, value)

    assert isinstance(found, Keyed)
    assert isinstance(found.record, Added)
    record = found.record
    assert (record.resource_version, record.oversize, record.time) == ("", msgspec.UNSET, "t")
    assert bytes(record.object) == b'{"a": 1.0}'


def test_a_count_that_is_none_is_none() -> None:
    """SYNCED sweeps all the same; nothing can be counted."""
    found = read(b"pods", b'{"type":"SYNCED","stream":"pods","epoch":10,"objects":"one","resourceVersion":"7"}')

    assert isinstance(found, Keyed)
    assert isinstance(found.record, Synced)
    assert (found.record.objects, found.record.resource_version) == (msgspec.UNSET, "7")


def test_the_key_of_a_marker_is_not_looked_at() -> None:
    """It only says where the record goes."""
    found = read(b"\xff", b'{"type":"SYNCED","stream":"pods","epoch":10}')

    assert isinstance(found, Keyed)
    assert isinstance(found.record, Synced)
