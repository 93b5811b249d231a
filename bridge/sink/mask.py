"""What is secret in an object is replaced by a digest: keys stay, a change is seen, the value is not.

Fails closed: of an object's fields only those are let through that are known to hold no secret. Whatever else there is,
of whatever shape, is masked. `docs/decisions/0014-secrets-are-masked.md` says what a digest does not protect from.
"""

import hmac
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Raw

from bridge.model.resource import Resource

Masking = Literal["secrets", "none"]

PLAIN = ("apiVersion", "kind", "type", "immutable")
"""Fields of a Secret that hold none, as long as they are no more than a word."""
APPLIED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "kapp.k14s.io/original",
    "objectset.rio.cattle.io/applied",
    "banzaicloud.com/last-applied",
)
"""Annotations in which tools keep the whole object as it was applied: kubectl, kapp, Rancher's and Banzai Cloud's."""
MARK = "masked:"
"""Before a digest. No base64 has a colon: whoever takes it for a value cannot decode it."""
DIGITS = 32
"""Of a digest, hexadecimal: 128 bits. Two values of one key have the same by chance once in 10**38."""

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_text = msgspec.json.Decoder(str).decode


def masking(wish: Masking | None, resource: Resource) -> Masking:
    """What the watch asks for, or what its resource needs, however the file spells it."""
    return wish or ("secrets" if is_secret(resource) else "none")


def is_secret(resource: Resource) -> bool:
    return (resource.group, resource.plural) == ("", "secrets")


class Mask:
    """Masks the objects of a stream. Owns the salt: with it, and only with it, a guess at a value can be tried."""

    def __init__(self, salt: str) -> None:
        assert salt, "without a salt a digest can be looked up"
        self._salt = salt.encode()

    def __call__(self, body: bytes) -> bytes:
        fields = _decode(body)
        metadata = _mapping(fields.get("metadata", Raw(b"{}")))
        if metadata is None:
            raise ValueError("an object whose metadata is no mapping")
        whose = b"%b/%b" % (bytes(metadata.get("namespace", b"")), bytes(metadata.get("name", b"")))
        shown: dict[str, bytes | Raw] = {}
        for name, value in fields.items():
            if name == "metadata":
                shown[name] = self._metadata(metadata, whose)
            elif name in PLAIN and bytes(value)[:1] not in b"{[":
                shown[name] = value
            else:
                shown[name] = self._field(value, whose, name)
        return _joined(shown)

    def _metadata(self, metadata: dict[str, Raw], whose: bytes) -> bytes:
        """With its annotations: those that hold the object are masked, and what is no mapping is."""
        annotations = metadata.get("annotations")
        if annotations is None:
            return _joined(metadata)
        known = _mapping(annotations)
        if known is None:
            return _joined(metadata | {"annotations": Raw(self._field(annotations, whose, "annotations"))})
        shown = {
            name: self._digest(value, whose, "annotations", name) if name in APPLIED else value
            for name, value in known.items()
        }
        return _joined(metadata | {"annotations": Raw(_joined(shown))})

    def _field(self, value: Raw, whose: bytes, field: str) -> bytes:
        """The keys of a mapping stay."""
        known = _mapping(value)
        if known is None:
            return self._digest(value, whose, field, "")
        return _joined({name: self._digest(inner, whose, field, name) for name, inner in known.items()})

    def _digest(self, value: Raw, whose: bytes, field: str, key: str) -> bytes:
        """Of the value in its place: equal passwords of two objects do not look equal. Nothing stays nothing."""
        if bytes(value) == b"null":
            return b"null"
        parts = (whose, field.encode(), key.encode(), _meaning(value))
        message = b"".join(b"%d:%b" % (len(part), part) for part in parts)
        return b'"%b%b"' % (MARK.encode(), hmac.digest(self._salt, message, "sha256").hex()[:DIGITS].encode())


def _mapping(value: Raw) -> dict[str, Raw] | None:
    """None: it is something else."""
    try:
        return _decode(value)
    except _UNREADABLE:
        return None


def _meaning(value: Raw) -> bytes:
    """A text without its escapes, which may be written in more than one way."""
    try:
        return b"text" + _text(value).encode()
    except (*_UNREADABLE, UnicodeEncodeError):
        return bytes(value)


def _joined(fields: Mapping[str, bytes | Raw]) -> bytes:
    return b"{%b}" % b",".join(b"%b:%b" % (_encode(name), value) for name, value in fields.items())
