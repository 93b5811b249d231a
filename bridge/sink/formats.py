"""What a record says: the envelope, field by field. `docs/protocol.md` tells consumers the same.

Law: an object's bytes are the API server's own. They are copied once, into the record, and read only where fields are
dropped or masked, or the object is too large.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from bridge.model.event import Change, ChangeType, Restarted
from bridge.model.position import Epoch, Position
from bridge.model.resource import Resource, split_key

Value = tuple[bytes, ...]
"""What a record says, in pieces."""
Tree = dict[str, "Tree | None"]
"""Fields to drop: name -> the fields inside it, None for the whole."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_list = msgspec.json.Decoder(list[Raw]).decode

_SEGMENT = re.compile(r"\[([^\]]+)\]|([^.\[\]]+)")

HEAVY = ("managedFields", "annotations")
"""What of an object's metadata has no bound near to a Kafka record's: left out where an object is too large."""
BARE = ("namespace", "name", "uid", "resourceVersion")


class Envelope:
    """Makes the values of one stream. Owns the beginning of each type of record in the current epoch, and the time.

    What is shown of an object is chosen once: None, all of it, costs the other streams nothing.
    """

    def __init__(self, cluster: str, stream: str, resource: Resource, show: "Show | None" = None) -> None:
        self._resource = resource
        self._show = show
        self._names = b'"cluster":%b,"stream":%b,"epoch":' % (_encode(cluster), _encode(stream))
        self._heads: dict[ChangeType, tuple[bytes, int]] = {}
        self._deleted = b""
        self._marked = b""
        self.stamp(0)

    def begin(self, epoch: Epoch) -> None:
        """Records from now on are of *epoch*."""
        self._marked = b"%b%d" % (self._names, epoch)
        heads = {kind: b'{"type":"%b",' % kind.value.encode() + self._marked for kind in ChangeType}
        self._deleted = heads[ChangeType.DELETED] + b',"inferred":true'
        fixed = len(b',"resourceVersion":' + self._middle + b"}")
        self._heads = {kind: (head + b',"resourceVersion":', len(head) + fixed) for kind, head in heads.items()}

    def stamp(self, time: int) -> None:
        """Records from now on are published at *time* (ms since 1970)."""
        self._time = b',"time":"%b"' % time_text(time).encode()
        self._middle = self._time + b',"object":'

    def change(self, change: Change) -> tuple[int, Value]:
        """How many bytes, and which: in pieces, so that an object is not copied for what stands around it."""
        if change.inferred:
            value = self.inferred(change.key, change.uid, self._resource)
            return len(value), (value,)
        body = change.body if self._show is None else self._show(change.body)
        head, fixed = self._heads[change.type]
        version = _encode(change.version)
        return fixed + len(version) + len(body), (head, version, self._middle, body, b"}")

    def oversize(self, change: Change, room: int) -> bytes:
        """The object reduced to its metadata, and to what identifies it if even that leaves no *room*."""
        head = self._heads[change.type][0] + _encode(change.version) + self._time
        head += b',"oversize":%d,"object":' % len(change.body)
        body = change.body if self._show is None else self._show(change.body)
        reduced = self._reduced(body, HEAVY)
        if len(head) + len(reduced) + 1 > room:
            reduced = self._reduced(body, ())
        return head + reduced + b"}"

    def inferred(self, key: str, uid: str, resource: Resource) -> bytes:
        """A delete that nobody saw, of an object of *resource*: not always the one that is watched now."""
        _, namespace, name = split_key(key)
        names = {"namespace": namespace, "name": name, "uid": uid}
        metadata = {field: text for field, text in names.items() if text}
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}
        return self._deleted + self._middle + _encode(body) + b"}"

    def restarted(self, marker: Restarted, partition: int, partitions: int) -> bytes:
        previous = _previous(marker.previous)
        return b'{"type":"RESTARTED",%b,"reason":"%b","message":%b,"previous":%b%b}' % (
            self._marked,
            marker.reason.value.encode(),
            _encode(marker.message),
            previous,
            self._end(partition, partitions),
        )

    def synced(self, at: Position, objects: int, partition: int, partitions: int) -> bytes:
        end = self._end(partition, partitions)
        version = _encode(at.version)
        return b'{"type":"SYNCED",%b,"resourceVersion":%b,"objects":%d%b}' % (self._marked, version, objects, end)

    def progress(self, at: Position, partition: int, partitions: int) -> bytes:
        end = self._end(partition, partitions)
        return b'{"type":"PROGRESS",%b,"resourceVersion":%b%b}' % (self._marked, _encode(at.version), end)

    def _end(self, partition: int, partitions: int) -> bytes:
        return b',"partition":%d,"partitions":%d%b' % (partition, partitions, self._time)

    def _reduced(self, body: bytes, heavy: tuple[str, ...]) -> bytes:
        """Metadata without *heavy*; without *heavy* given: what identifies the object."""
        fields = _decode(body)
        metadata = _decode(fields.get("metadata", Raw(b"{}")))
        keep = (name for name in metadata if name not in heavy) if heavy else BARE
        kept = {name: metadata[name] for name in keep if name in metadata}
        shape = {
            "apiVersion": fields.get("apiVersion") or Raw(_encode(self._resource.api_version)),
            "kind": fields.get("kind") or Raw(_encode(self._resource.kind)),
            "metadata": Raw(_joined(kept)),
        }
        return _joined(shape)


Show = Callable[[bytes], bytes]
"""What is shown of an object: its bytes in, those to publish out."""


def showing(drop: tuple[str, ...], mask: Show | None) -> Show | None:
    """Without the fields that are dropped, and masked. None: the object as it is."""
    tree = drop_tree(drop)
    if not tree:
        return mask
    if mask is None:
        return lambda body: without(body, tree)
    return lambda body: mask(without(body, tree))


def _previous(position: Position | None) -> bytes:
    if position is None:
        return b"null"
    time = time_text(position.time)
    return _encode({"epoch": position.epoch, "resourceVersion": position.version, "time": time})


def time_text(time: int) -> str:
    """As the API server writes times, with milliseconds: 2026-11-23T08:30:00.123Z."""
    return f"{datetime.fromtimestamp(time // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{time % 1000:03d}Z"


def drop_tree(paths: tuple[str, ...]) -> Tree:
    """Dotted paths as one tree, so that each level of an object is read once. A path above another one wins.

    A name that holds dots itself stands in brackets: `metadata.annotations[example.com/note]`.
    """
    tree: Tree = {}
    for path in paths:
        *above, last = (bracketed or plain for bracketed, plain in _SEGMENT.findall(path))
        here: Tree | None = tree
        for name in above:
            here = here.setdefault(name, {}) if here is not None else None
        if here is not None:
            here[last] = None
    return tree


def without(body: bytes, drop: Tree) -> bytes:
    """*body* without the fields of *drop*; what is kept is kept byte by byte. Absent fields are no matter.

    A list stands for each of its items: `spec.containers.env` drops the env of every container.
    """
    if not any(b'"%b"' % name.encode() in body for name in drop):
        return body
    first = body.lstrip()[:1]
    if first == b"[":
        items = [bytes(item) for item in _decode_list(body)]
        kept = [without(item, drop) for item in items]
        return body if kept == items else b"[%b]" % b",".join(kept)
    if first != b"{":
        return body
    fields = _decode(body)
    left: dict[str, bytes | Raw] = {}
    for name, value in fields.items():
        if name not in drop:
            left[name] = value
        elif (inner := drop[name]) is not None:
            left[name] = without(bytes(value), inner)
    same = len(left) == len(fields) and all(left[name] == bytes(fields[name]) for name in drop if name in fields)
    return body if same else _joined(left)


def _joined(fields: "dict[str, Raw] | dict[str, bytes | Raw]") -> bytes:
    return b"{%b}" % b",".join(b"%b:%b" % (_encode(name), value) for name, value in fields.items())
