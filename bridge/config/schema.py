"""The tree as JSON Schema (draft 2020-12): editors complete and check the file by it."""

from typing import Any

import msgspec
from msgspec import inspect

from bridge.config.fields import Field, Kind, fields, kind_of, root, text_of
from bridge.config.kafka import Sasl, Token
from bridge.config.references import ENV_PATTERN
from bridge.config.tree import Config
from bridge.config.units import DURATION_PATTERN, SIZE_PATTERN

DRAFT = "https://json-schema.org/draft/2020-12/schema"

_ENV = {"$ref": "#/$defs/env"}
_FILE = {"$ref": "#/$defs/file"}
_DEFINITIONS = {
    "env": {
        "type": "string",
        "pattern": f"^{ENV_PATTERN}$",
        "description": "The value of an environment variable, as a whole: ${NAME}.",
    },
    "file": {
        "type": "object",
        "description": "The content of a file, without its last line's end. The path is relative to the config file.",
        "properties": {"file": {"type": "string", "minLength": 1}},
        "required": ["file"],
        "additionalProperties": False,
    },
}

Schema = dict[str, Any]


def schema() -> Schema:
    head = {"$schema": DRAFT, "title": "kube-event-bridge"}
    return head | _struct(root()) | {"description": Config.__doc__, "$defs": _DEFINITIONS}


def schema_text() -> str:
    """What `config/schema.json` holds."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _needs(fields: list[str], mechanisms: list[str]) -> Schema:
    given = {"properties": {"mechanism": {"enum": mechanisms}}, "required": ["mechanism"]}
    return {"if": given, "then": {"required": fields}}


_RULES: dict[type, Schema] = {
    Sasl: {
        "allOf": [
            _needs(["username", "password"], ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
            _needs(["token"], ["OAUTHBEARER"]),
        ]
    },
    Token: {"oneOf": [{"required": ["file"]}, {"required": ["command"]}]},
}
"""What `rules` says of mappings, for editors."""


def _struct(info: inspect.StructType) -> Schema:
    known = fields(info)
    required = [field.name for field in known if field.required]
    return {
        "type": "object",
        "properties": {field.name: _field(field) for field in known},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    } | _RULES.get(info.cls, {})


def _field(field: Field) -> Schema:
    kind = field.kind
    about: Schema = {"title": field.name, "description": kind.description}
    if kind.notes.get("default"):
        about["description"] += f" Default: {kind.notes['default']}."
    elif not field.required and not isinstance(kind.type, inspect.StructType):
        about["default"] = _default(field)
    if kind.examples:
        about["examples"] = list(kind.examples)
    return about | _kind(kind)


def _default(field: Field) -> Any:  # noqa: ANN401
    if field.kind.unit in {"duration", "size"}:
        return text_of(field.default, field.kind)
    return list(field.default) if isinstance(field.default, tuple) else field.default


def _kind(kind: Kind) -> Schema:
    """A null is offered only beside plain values: for a mapping it is refused, for it looks like a lost indent."""
    match kind.type:
        case inspect.StructType():
            return _struct(kind.type)
        case inspect.DictType():
            return {"type": "object", "additionalProperties": _either({"type": ["string", "number", "boolean"]}, _FILE)}
        case inspect.VarTupleType(item_type=item, min_length=least):
            items = {"type": "array", "items": _kind(kind_of(item))} | ({"minItems": least} if least else {})
            return _either(items, _commas(kind_of(item)), _ENV, _FILE) if kind.unit == "commas" else items
        case _:
            null = [{"type": "null"}] if kind.optional else []
            return _either(*_scalar(kind), *null)


def _commas(item: Kind) -> Schema:
    assert isinstance(item.type, inspect.StrType)
    one = (item.type.pattern or "").removeprefix("^").removesuffix("$")
    return {"type": "string", "pattern": rf"^{one}(\s*,\s*{one})*$"}


def _scalar(kind: Kind) -> list[Schema]:
    """The value itself first: editors offer it first."""
    match kind.type, kind.unit:
        case inspect.FloatType(), _:
            return [{"type": "string", "pattern": f"^{DURATION_PATTERN}$"}, _ENV]
        case inspect.IntType(ge=least, le=most), "size":
            plain = {"type": "integer", "minimum": least, "maximum": most}
            return [{"type": "string", "pattern": f"^{SIZE_PATTERN}$"}, plain, _ENV]
        case inspect.IntType(ge=least, le=most), _:
            return [{"type": "integer", "minimum": least, "maximum": most}, _ENV]
        case inspect.BoolType(), _:
            return [{"type": "boolean"}, _ENV]
        case inspect.LiteralType(values=values), _:
            return [{"enum": list(values)}, _ENV]
        case inspect.StrType(), "path":
            return [{"type": "string", "minLength": 1}]
        case inspect.StrType(pattern=pattern, max_length=most), _ if pattern:
            longest = {"maxLength": most} if most else {}
            return [{"type": "string", "pattern": pattern} | longest, _ENV, _FILE]
        case _:
            return [{"type": "string", "minLength": 1}, _FILE]


def _either(*choices: Schema) -> Schema:
    return choices[0] if len(choices) == 1 else {"anyOf": list(choices)}
