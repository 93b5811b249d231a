"""What stands in a topic, as types: one for each type of record. `protocol/records.schema.json` is made from them.

They are lenient where following does not depend on it: what is always written, but builds no state, may be absent, and
what of it is malformed is taken for absent. What a record must have is told in `docs/protocol.md`, "A consumer must".
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from msgspec.structs import FieldInfo

MOST = 1 << 53
"""Epochs are below: JSON readers that know only doubles must tell two of them apart."""

Epoch = Annotated[int, Meta(ge=0, lt=MOST, description="Which incarnation of the stream. Greater is later.")]
Version = Annotated[str, Meta(description="The API server's version: a decimal number as text.")]
Count = Annotated[int, Meta(ge=0)]
Object = Annotated[
    Raw,
    Meta(description="The object, in the API server's own bytes.", extra_json_schema={"type": "object"}),
]
Time = Annotated[str, Meta(description="RFC 3339, UTC, milliseconds.", examples=["2026-11-23T08:30:00.123Z"])]


class Told(Struct, frozen=True, kw_only=True, rename="camel", tag_field="type"):
    """What all records have."""

    cluster: Annotated[str, Meta(description="The cluster's name.")] = ""
    stream: Annotated[str, Meta(min_length=1, description="The stream's name, unique in its topic.")]
    epoch: Epoch
    time: Annotated[Time, Meta(description="When the bridge published it.")] = ""


class Seen(Told, frozen=True, kw_only=True):
    """An object as it is."""

    resource_version: Version = ""
    object: Object
    oversize: Annotated[
        Count | UnsetType,
        Meta(description="The object's size in bytes: it is too large for a record, and reduced to its metadata."),
    ] = UNSET

    def __post_init__(self) -> None:
        _must_be_object(self.object)


class Added(Seen, frozen=True, kw_only=True, tag="ADDED"):
    """The object was made, or entered the selection."""


class Modified(Seen, frozen=True, kw_only=True, tag="MODIFIED"):
    """The object changed."""


class Listed(Seen, frozen=True, kw_only=True, tag="LISTED"):
    """The object was there when the snapshot of the epoch was taken."""


class Deleted(Told, frozen=True, kw_only=True, tag="DELETED"):
    """The object was deleted, or left the selection. Its last state, or only what identifies it if *inferred*."""

    resource_version: Version | UnsetType = UNSET
    object: Object | UnsetType = UNSET
    inferred: Annotated[
        bool, Meta(description="Nobody saw the delete: the object was known before a gap, and is absent after it.")
    ] = False
    oversize: Annotated[Count | UnsetType, Meta(description="As in other changes.")] = UNSET

    def __post_init__(self) -> None:
        if self.object is not UNSET:
            _must_be_object(self.object)


class Previous(Struct, frozen=True, kw_only=True, rename="camel"):
    """The last position before a gap."""

    epoch: Epoch
    resource_version: Version
    time: Time = ""


class Marked(Told, frozen=True, kw_only=True):
    """What all markers have."""

    partition: Annotated[Count, Meta(description="Which partition this copy is in.")] = 0
    partitions: Annotated[Count, Meta(description="How many partitions the topic has for the stream.")] = 0


class Restarted(Marked, frozen=True, kw_only=True, tag="RESTARTED"):
    """A new epoch begins; before its SYNCED there may be a gap."""

    reason: Annotated[
        str,
        Meta(
            description="Why: one per gap, a closed set.",
            extra_json_schema={
                "enum": [
                    "initial",
                    "expired",
                    "rewound",
                    "identity_changed",
                    "resource_removed",
                    "undecodable",
                    "desynchronized",
                    "repartitioned",
                    "interrupted",
                    "requested",
                ]
            },
        ),
    ] = ""
    message: Annotated[str, Meta(description="Words for people.")] = ""
    previous: Annotated[
        Previous | None, Meta(description="The last position before the gap; null: there was none.")
    ] = None


class Synced(Marked, frozen=True, kw_only=True, tag="SYNCED"):
    """The snapshot of the epoch is complete: what it did not bring no longer exists."""

    resource_version: Version = ""
    objects: Annotated[
        Count | UnsetType, Meta(description="How many LISTED records the epoch has in this partition.")
    ] = UNSET


class Progress(Marked, frozen=True, kw_only=True, tag="PROGRESS"):
    """Everything up to the version has been said."""

    resource_version: Version = ""


Record = Added | Modified | Listed | Deleted | Restarted | Synced | Progress

_TYPES: dict[str, type[Record]] = {
    str(kind.__struct_config__.tag): kind for kind in (Added, Modified, Listed, Deleted, Restarted, Synced, Progress)
}


class Entry(Struct, frozen=True):
    """A record of Kafka, as it came."""

    offset: int
    key: bytes | None
    value: bytes | None


class Keyed(Struct, frozen=True):
    """A record that could be read, and its key."""

    key: str
    record: Record


class Foreign(Struct, frozen=True):
    """It is none of the protocol's, and why."""

    why: str


_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def read(key: bytes | None, value: bytes | None) -> Keyed | Foreign:
    """The record in what Kafka holds. Never raises, whatever the bytes."""
    if value is None:
        return Foreign("it has no value: a tombstone, as topics with bare objects have them")
    try:
        value.decode()  # objects are passed on unread: what is not UTF-8 in them would only be found by their readers
    except UnicodeDecodeError as error:
        return Foreign(f"it is not UTF-8 ({error.reason} at byte {error.start})")
    try:
        record = _record(value)
    except (msgspec.DecodeError, RecursionError) as error:
        return Foreign(_what_else(value) or f"{error}")
    if isinstance(record, Marked):
        return Keyed((key or b"").decode(errors="replace"), record)  # it only says where markers go: nobody looks at it
    try:
        name = (key or b"").decode()
    except UnicodeDecodeError as error:
        return Foreign(f"its key is not UTF-8 ({error.reason} at byte {error.start})")
    if "/" not in name or name.startswith("/") or name.endswith("/"):
        return Foreign(f"its key {name[:100]!r} is not resource/namespace/name")
    return Keyed(name, record)


def _record(value: bytes) -> Record:
    """Read once where all is well. Else a second time, without what nobody needs and is malformed."""
    try:
        return _decoder.decode(value)
    except msgspec.ValidationError:
        fields = msgspec.json.decode(value, type=dict[str, Raw])  # of a field that stands twice, the last one
        tag = msgspec.json.decode(fields.get("type", b"null"))
        if not isinstance(tag, str) or tag not in _TYPES:
            raise
        known = {field.encode_name: field for field in msgspec.structs.fields(_TYPES[tag])}
        kept = {name: raw for name, raw in fields.items() if name not in known or _is_kept(known[name], raw)}
        return _decoder.decode(msgspec.json.encode(kept))


def _is_kept(field: FieldInfo, raw: Raw) -> bool:
    """Whether a record is to be judged by it: it is needed, or as it should be."""
    if field.required:
        return True
    if field.name == "object":
        return _is_object(raw)
    try:
        msgspec.json.decode(raw, type=field.type)
    except msgspec.ValidationError:
        return False
    return True


def _must_be_object(raw: Raw) -> None:
    if not _is_object(raw):
        raise ValueError("Expected `object` - at `$.object`")


def _is_object(raw: Raw) -> bool:
    return bytes(raw).lstrip()[:1] == b"{"


_FORMS = {
    "specversion": "it is a CloudEvent",
    "payload": "it is an envelope of Kafka Connect",
    "op": "it is a change event of Debezium",
    "kind": "it is a bare Kubernetes object, without the envelope",
}


def _what_else(value: bytes) -> str:
    """The name of another format that people mix up with this one; empty if unknown."""
    try:
        fields = msgspec.json.decode(value, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError):
        return ""
    if "type" in fields and "epoch" in fields:
        return ""
    return next((form for field, form in _FORMS.items() if field in fields), "")
