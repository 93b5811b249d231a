"""Short ways to say what servers send and what consumers are told. Objects are pods of namespace default."""

import json

from bridge.model.event import Change, ChangeType
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.model.resource import Resource
from bridge.source.frames import Bookmark

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
NOW = 7
"""What the clock says (ms), so the first epoch that is begun is 7 too."""


def at(epoch: int, version: str, time: int = NOW) -> Position:
    return Position(Epoch(epoch), ResourceVersion(version), time)


def body(name: str, version: str, uid: str = "") -> bytes:
    """An object as the API server writes it: no spaces, kind and apiVersion first."""
    metadata = {"name": name, "namespace": "default", "uid": uid or f"uid-{name}", "resourceVersion": version}
    return compact({"kind": "Pod", "apiVersion": "v1", "metadata": metadata})


def line(kind: str, name: str, version: str, uid: str = "") -> bytes:
    """A watch event as the API server writes it, without the line's end."""
    return b'{"type":"%b","object":%b}' % (kind.encode(), body(name, version, uid))


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _change(kind: ChangeType, name: str, version: str, uid: str, fresh: bool) -> Change:
    key, text = f"pods/default/{name}", body(name, version, uid)
    return Change(kind, key, uid or f"uid-{name}", ResourceVersion(version), text, fresh)


def added(name: str, version: str, uid: str = "", *, fresh: bool = False) -> Change:
    return _change(ChangeType.ADDED, name, version, uid, fresh)


def modified(name: str, version: str, uid: str = "", *, fresh: bool = False) -> Change:
    return _change(ChangeType.MODIFIED, name, version, uid, fresh)


def deleted(name: str, version: str, uid: str = "") -> Change:
    return _change(ChangeType.DELETED, name, version, uid, fresh=False)


def listed(name: str, version: str, uid: str = "", *, fresh: bool = False) -> Change:
    return _change(ChangeType.LISTED, name, version, uid, fresh)


def inferred(name: str, uid: str = "") -> Change:
    """The delete of an object that is known before a gap, and absent from the snapshot after it."""
    key = f"pods/default/{name}"
    return Change(ChangeType.DELETED, key, uid or f"uid-{name}", ResourceVersion(""), b"", inferred=True)


def mark(version: str, *, ends_initial: bool = False) -> Bookmark:
    return Bookmark(ResourceVersion(version), ends_initial)
