"""The tree as a page for people: every field with its type, default and purpose. It becomes `docs/config.md`."""

from collections.abc import Iterable, Iterator

import msgspec
from msgspec import inspect

from bridge.config.changes import RULES, Rule
from bridge.config.fields import Field, Kind, fields, kind_of, root, text_of

_HEAD = """# The config file

<!-- Made by `make schema` from the types in `bridge/config/`: do not edit. -->

One YAML file: `event-bridge run --config FILE`, else `$EVENT_BRIDGE_CONFIG`, else `./bridge.yaml`. Begin with
[minimal.yaml](../config/minimal.yaml); [example.yaml](../config/example.yaml) shows every field. Unknown fields are
refused, and all mistakes of a file are reported together, each with its line, its field and the mend.

- **Durations** are a number and a unit: `50ms`, `15s`, `5m`, `1h`. **Sizes** too: `500KB`, `1MiB`; plain numbers are
  bytes.
- **`${NAME}`** as a whole value is replaced by the environment variable, **`{file: path}`** by the file's content
  without its last line's end. Inside a text nothing is replaced: a `$` in a password survives. Inside `[ ]` or `{ }`
  write `"${NAME}"`.
- **Paths** are relative to the config file.
- An editor completes and checks the file if its first line names the schema:
  `# yaml-language-server: $schema=./schema.json` (`event-bridge schema` prints it).
- **A file that changes** while the bridge runs is
  [taken up](operations.md#changing-the-configuration-while-it-runs), but for {restart}: these need a restart.
"""


def manual() -> str:
    """Markdown; one section for each mapping, in the order of the file."""
    restart = _codes(name for name, rule in RULES.items() if rule is Rule.RESTART)
    return "\n".join([_HEAD.replace("{restart}", restart), *_section("", "At the top", root())])


def _section(path: str, title: str, info: inspect.StructType) -> Iterator[str]:
    known = fields(info)
    yield f"## {title}\n"
    yield "| field | value | default | |"
    yield "| --- | --- | --- | --- |"
    for field in known:
        yield f"| `{field.name}` | {_value(field.kind)} | {_default(field)} | {_about(field.kind)} |"
    yield ""
    for field in known:
        inner, mark = _mapping(field.kind)
        if inner is not None:
            place = f"{path}{field.name}{mark}"
            yield from _section(f"{place}.", f"`{place}`", inner)


def _mapping(kind: Kind) -> tuple[inspect.StructType | None, str]:
    match kind.type:
        case inspect.StructType():
            return kind.type, ""
        case inspect.VarTupleType(item_type=inspect.StructType() as item):
            return item, "[]"
        case _:
            return None, ""


def _value(kind: Kind) -> str:
    match kind.type, kind.unit:
        case inspect.IntType(ge=least, le=most) | inspect.FloatType(ge=least, le=most), unit:
            return f"{unit or 'whole number'}, {text_of(least, kind)} to {text_of(most, kind)}"
        case inspect.BoolType(), _:
            return "`true` or `false`"
        case inspect.LiteralType(values=values), _:
            return _codes(values)
        case inspect.VarTupleType(item_type=inspect.StructType()), _:
            return "list of mappings"
        case inspect.VarTupleType(item_type=item), _:
            inner = kind_of(item).type
            return f"list of {_codes(inner.values)}" if isinstance(inner, inspect.LiteralType) else "list of texts"
        case inspect.StructType() | inspect.DictType(), _:
            return "mapping"
        case inspect.CustomType(), _:
            return "text, never shown"
        case _, unit:
            return unit or "text"


def _default(field: Field) -> str:
    if field.required:
        return "**required**"
    if field.kind.notes.get("default"):
        return field.kind.notes["default"]
    return "" if isinstance(field.kind.type, inspect.StructType) else f"`{field.default_text}`"


def _about(kind: Kind) -> str:
    shown = [text if isinstance(text, str) else msgspec.json.encode(text).decode() for text in kind.examples]
    examples = f" For example {_codes(shown)}." if shown else ""
    return f"{kind.description}{examples}".replace("|", "\\|")


def _codes(texts: Iterable[object]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
