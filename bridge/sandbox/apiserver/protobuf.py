"""Protobuf in: kubectl's typed commands (`create configmap`, `drain`...) send nothing else. Answers are JSON.

What is not known of the built-in kinds is refused, never guessed.
"""

import base64
import datetime as dt
from collections.abc import Iterator

import msgspec

from bridge.sandbox.apiserver.fields import Field, Fields, fields, kind_of
from bridge.sandbox.apiserver.refusals import Object, unsupported_media

MEDIA = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"
_NEGATIVE = 1 << 63
"""Numbers from here on are negative ones: two's complement, in 64 bits (protobuf.dev, encoding)."""

# runtime.Unknown, around every object, and its TypeMeta: the numbers of their fields (runtime/generated.proto)
_TYPE, _RAW = 1, 2
_API_VERSION, _KIND = 1, 2


def decoded(data: bytes) -> Object:
    """The object in a request's body, as JSON would have it."""
    if not data.startswith(MAGIC):
        raise unsupported_media()
    try:
        unknown = dict(_parts(data[len(MAGIC) :]))
        said = dict(_parts(_bytes(unknown[_TYPE])))
        version, kind = _bytes(said[_API_VERSION]).decode(), _bytes(said[_KIND]).decode()
        return {"apiVersion": version, "kind": kind, **_message(_known(version, kind), _bytes(unknown[_RAW]))}
    except (KeyError, IndexError, ValueError, msgspec.DecodeError):
        raise unsupported_media() from None


def _known(version: str, kind: str) -> Fields:
    found = kind_of(version, kind)
    if found is None:
        raise ValueError(kind)
    return fields()[found]


def _message(known: Fields, data: bytes) -> Object:
    result = Object()
    for number, value in _parts(data):
        field = known[number]
        if field.many == "{}":
            key, item = _entry(field, value)
            result.setdefault(field.name, {})[key] = item
        elif field.many:
            result.setdefault(field.name, []).append(_value(field.kind, value))
        elif not field.name:
            result |= _message(fields()[field.kind], _bytes(value))
        elif (read := _value(field.kind, value)) or field.always:
            result[field.name] = read
    return result


def _entry(field: Field, value: int | bytes) -> tuple[str, object]:
    parts = dict(_parts(_bytes(value)))
    return _bytes(parts.get(1, b"")).decode(), _value(field.kind, parts.get(2, b""))


def _value(kind: str, value: int | bytes) -> object:
    match kind:
        case "int":
            return _number(value)
        case "bool":
            return bool(value)
        case "string":
            return _bytes(value).decode()
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "Time" | "MicroTime" | "Quantity" | "Raw" | "IntOrString" | "Duration":
            return _special(kind, dict(_parts(_bytes(value))))
        case _:
            return _message(fields()[kind], _bytes(value))


def _special(kind: str, parts: dict[int, int | bytes]) -> object:
    """What is one value in JSON, and a message here (their generated.proto files in apimachinery)."""
    match kind:
        case "Quantity":
            return _bytes(parts.get(1, b"")).decode()
        case "Raw":
            return msgspec.json.decode(_bytes(parts.get(1, b"null")))
        case "IntOrString":
            return _bytes(parts.get(3, b"")).decode() if parts.get(1) else _number(parts.get(2, 0))
        case "Duration":
            return f"{_number(parts.get(1, 0))}ns"
        case _:
            return _time(kind, _number(parts.get(1, 0)), _number(parts.get(2, 0)))


def _time(kind: str, seconds: int, nanoseconds: int) -> str | None:
    if not seconds:
        return None
    time = dt.datetime.fromtimestamp(seconds, dt.UTC)
    fraction = f".{nanoseconds // 1000:06}" if kind == "MicroTime" else ""
    return f"{time:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError(value)  # noqa: TRY004 - as all that is wrong in what was sent
    return value - 2 * _NEGATIVE if value >= _NEGATIVE else value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError(value)


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field: numbers (wire type 0), and all that has a length (2)."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        size, place = _varint(data, place)
        match tag & 7:
            case 0:
                yield tag >> 3, size
            case 2 if place + size <= len(data):
                yield tag >> 3, data[place : place + size]
                place += size
            case other:
                raise ValueError(other)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[place]
        place += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, place
        shift += 7
