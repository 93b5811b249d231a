"""The JSON Schema of every record, from the types in `records`: what a bridge always writes. Consumers take more."""

from typing import Any

import msgspec

from bridge.consumer.records import Record

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SOMETIMES = {"oversize", "inferred"}
"""Fields that are absent where they do not apply. All others are always written."""
ONLY_SEEN = {"if": {"required": ["inferred"]}, "else": {"required": ["resourceVersion"]}}
"""A delete that nobody saw has no version."""

Schema = dict[str, Any]


def schema() -> Schema:
    """Unknown fields are allowed: fields may be added."""
    _, components = msgspec.json.schema_components([Record])
    definitions = {name: _definition(body) for name, body in sorted(components.items())}
    return {
        "$schema": DRAFT,
        "title": "A record of kube-event-bridge",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name, body in definitions.items() if "type" in body["properties"]],
        "$defs": definitions,
    }


def schema_text() -> str:
    """What `protocol/records.schema.json` holds."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


def _definition(body: Schema) -> Schema:
    """Lenient types have defaults, which are no part of what is written."""
    fields = {
        name: {word: value for word, value in field.items() if word != "default"}
        for name, field in body["properties"].items()
    }
    required = [name for name in fields if name not in SOMETIMES]
    if fields.get("type", {}).get("enum") == ["DELETED"]:
        return body | {"properties": fields, "required": [n for n in required if n != "resourceVersion"]} | ONLY_SEEN
    return body | {"properties": fields, "required": required}
