"""A line of a watch is a frame: one msgspec pass over type and metadata, the object's bytes sliced out as they are."""

import msgspec
from msgspec import Raw, Struct

from bridge.model.event import ADDED, DELETED, LISTED, MODIFIED, Change, ChangeType
from bridge.model.position import NO_VERSION, ResourceVersion
from bridge.model.resource import Resource, object_key


class Bookmark(Struct, frozen=True):
    """The server's word that everything up to *version* has been sent; *version* is empty if it forgot to say.

    *ends_initial*: the snapshot of a WatchList is complete.
    """

    version: ResourceVersion
    ends_initial: bool = False


class Details(Struct, frozen=True, rename="camel"):
    retry_after_seconds: float = 0
    causes: list["Cause"] = []


class Cause(Struct, frozen=True):
    reason: str = ""


class Status(Struct, frozen=True):
    """The API server's own account of a failure (meta/v1 Status). All of it may be missing."""

    kind: str = ""
    code: int = 0
    reason: str = ""
    message: str = ""
    details: Details | None = None


class Undecodable(Struct, frozen=True):
    """A whole line that cannot be used. Its version is unknown, so it must not be skipped."""

    why: str
    line: bytes


Frame = Change | Bookmark | Status | Undecodable


class _Meta(Struct, gc=False):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: ResourceVersion = NO_VERSION  # noqa: N815 - the wire's word; a rename costs on the hot path


class _Head(Struct, gc=False):
    metadata: _Meta
    kind: str = ""


class _Changed(Struct, gc=False):
    """What a change needs of its object."""

    metadata: _Meta


class _Envelope(Struct, gc=False):
    type: str
    object: Raw


class _BookmarkMeta(Struct, gc=False):
    resourceVersion: str = ""  # noqa: N815 - the wire's word
    annotations: dict[str, str] | None = None


class _Bookmark(Struct, gc=False):
    metadata: _BookmarkMeta | None = None


class _ListMeta(Struct, gc=False):
    resourceVersion: str = ""  # noqa: N815 - the wire's word
    token: str = msgspec.field(default="", name="continue")


class _List(Struct, gc=False):
    metadata: _ListMeta
    kind: str = ""
    items: list[Raw] | None = None


_head = msgspec.json.Decoder(_Head).decode
_changed = msgspec.json.Decoder(_Changed).decode
_envelope = msgspec.json.Decoder(_Envelope).decode
_bookmark = msgspec.json.Decoder(_Bookmark).decode
_status = msgspec.json.Decoder(Status).decode
_list = msgspec.json.Decoder(_List).decode

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""How bytes fail to be what they should; nested too deeply for our reader is one of the ways, and not our mistake."""

_MODIFIED, _ADDED, _DELETED = (b'{"type":"%b","object":' % kind for kind in (b"MODIFIED", b"ADDED", b"DELETED"))
_CLOSE = ord("}")
_TYPES = {kind.value: kind for kind in (ADDED, MODIFIED, DELETED)}
_INITIAL_END = "k8s.io/initial-events-end"


def decode(lines: list[bytes], resource: Resource) -> list[Frame]:
    """One frame for each line, in order.

    The API server writes type and object in this order and without spaces (watch.go, json.go), and such a line is read
    here; aggregated servers need not, so a real parse stands behind.
    """
    frames: list[Frame] = []
    append, name = frames.append, resource.name
    for line in lines:
        if line.startswith(_MODIFIED):
            kind, begin = MODIFIED, len(_MODIFIED)
        elif line.startswith(_ADDED):
            kind, begin = ADDED, len(_ADDED)
        elif line.startswith(_DELETED):
            kind, begin = DELETED, len(_DELETED)
        else:
            append(_frame(line, name))
            continue
        try:
            change = _change(kind, line[begin:-1], name) if line[-1] == _CLOSE else None
        except UNREADABLE:
            change = None
        append(change or _frame(line, name))
    return frames


def _frame(line: bytes, resource: str) -> Frame:
    """Any line."""
    try:
        envelope = _envelope(line)
        kind, body = envelope.type, bytes(envelope.object)
        if kind in _TYPES:
            return _change(_TYPES[kind], body, resource) or Undecodable("no name, uid or resourceVersion", line)
        if kind == "BOOKMARK":
            return _mark(body)
        if kind == "ERROR":
            return _status(body)
    except UNREADABLE as error:
        return _stray(line) or Undecodable(str(error), line)
    return Undecodable(f"unknown type {kind}", line)


def _change(kind: ChangeType, body: bytes, resource: str) -> Change | None:
    meta = _changed(body).metadata
    if not (meta.name and meta.uid and meta.resourceVersion):
        return None
    return Change(kind, object_key(resource, meta.namespace, meta.name), meta.uid, meta.resourceVersion, body)


def _mark(body: bytes) -> Bookmark:
    meta = _bookmark(body).metadata or _BookmarkMeta()
    return Bookmark(ResourceVersion(meta.resourceVersion), (meta.annotations or {}).get(_INITIAL_END) == "true")


def _stray(line: bytes) -> Status | None:
    """A bare Status where an event should be: some servers answer 200 with it (kubernetes-client/python-base#231)."""
    status = status_of(line)
    return status if status is not None and status.kind == "Status" else None


def status_of(body: bytes) -> Status | None:
    """The Status in an error's body, None if it is none (a proxy's HTML, an empty body)."""
    try:
        return _status(body)
    except UNREADABLE:
        return None


class Page(Struct, frozen=True):
    """A page of a LIST, the version of the whole list, and the token of the next page (empty: this is the last)."""

    changes: list[Change]
    version: ResourceVersion
    token: str = ""


def decode_page(body: bytes, resource: Resource) -> Page | Undecodable:
    """A LIST's body. Items of built-in types carry no kind and apiVersion (kubernetes#3030): they get them."""
    try:
        page = _list(body)
        if page.kind == "Table":
            return Undecodable("a Table instead of a list", body[:200])
        missing = b'{"kind":"%b","apiVersion":"%b",' % (resource.kind.encode(), resource.api_version.encode())
        changes = [_item(bytes(item), resource, missing) for item in page.items or []]
    except UNREADABLE as error:
        return Undecodable(str(error), body[:200])
    whole = [change for change in changes if change is not None]
    if len(whole) != len(changes):
        return Undecodable("an item without name, uid or resourceVersion", body[:200])
    return Page(whole, ResourceVersion(page.metadata.resourceVersion), page.metadata.token)


def _item(item: bytes, resource: Resource, missing: bytes) -> Change | None:
    head = _head(item)
    meta = head.metadata
    if not (meta.name and meta.uid and meta.resourceVersion):
        return None
    key = object_key(resource.name, meta.namespace, meta.name)
    body = item if head.kind else missing + item[1:]
    return Change(LISTED, key, meta.uid, meta.resourceVersion, body)
