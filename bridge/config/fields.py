"""The tree's fields as data: what `shape` reads by, and what `schema` and `manual` are made of."""

from typing import Any

import msgspec
from msgspec import NODEFAULT, Struct, inspect

from bridge.config.tree import Config
from bridge.config.units import duration_text, size_text


class Kind(Struct, frozen=True):
    """What a field may hold: its type without the wrappings, and the notes from all of them."""

    type: inspect.Type
    optional: bool
    notes: dict[str, str]
    description: str = ""
    examples: tuple[Any, ...] = ()

    @property
    def unit(self) -> str:
        return self.notes.get("unit", "")


class Field(Struct, frozen=True):
    """One field of a mapping."""

    name: str
    """As in the file."""
    attribute: str
    """As in Python."""
    kind: Kind
    required: bool
    default: Any

    @property
    def default_text(self) -> str:
        """As a person would write the default; a computed one is described."""
        return self.kind.notes.get("default") or text_of(self.default, self.kind)


def root() -> inspect.StructType:
    info = inspect.type_info(Config)
    assert isinstance(info, inspect.StructType)
    return info


def fields(info: inspect.StructType) -> list[Field]:
    return [
        Field(field.encode_name, field.name, kind_of(field.type), field.required, _default(field))
        for field in info.fields
    ]


def kind_of(wrapped: inspect.Type) -> Kind:
    """Unwraps descriptions and `| None`."""
    match wrapped:
        case inspect.Metadata():
            inner = kind_of(wrapped.type)
            schema = wrapped.extra_json_schema or {}
            return Kind(
                inner.type,
                inner.optional,
                inner.notes | (wrapped.extra or {}),
                schema.get("description", inner.description),
                tuple(schema.get("examples", inner.examples)),
            )
        case inspect.UnionType():
            (only,) = (part for part in wrapped.types if not isinstance(part, inspect.NoneType))
            inner = kind_of(only)
            return Kind(inner.type, optional=True, notes=inner.notes)
        case _:
            return Kind(wrapped, optional=False, notes={})


def text_of(value: Any, kind: Kind) -> str:  # noqa: ANN401 -- a default may be of any of the tree's types
    match value, kind.unit:
        case float(), "duration":
            return duration_text(value)
        case int(), "size":
            return size_text(value)
        case str(), _:
            return value
        case _:
            return msgspec.json.encode(value).decode()


def _default(field: inspect.Field) -> Any:  # noqa: ANN401
    return field.default_factory() if field.default_factory is not NODEFAULT else field.default
