"""What changed in an object: the fields that differ, by their dotted paths."""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

DEEPEST = 20
"""Levels that are gone into: no Kubernetes type has as many, and Python's own limit is far."""
SILENT = frozenset({"metadata.resourceVersion", "metadata.managedFields", "metadata.generation"})
"""They change with every write, or every one of the spec, and tell nothing that the other fields do not."""
NAMES = ("type", "name")
"""The fields by which items of lists are told apart: conditions have a type; containers, ports and volumes a name."""


class Difference(Struct, frozen=True):
    """*before* and *after* as JSON; empty: it is not there."""

    path: str
    before: str
    after: str


def differences(before: bytes, after: bytes) -> list[Difference]:
    """Of two objects, in the order of their fields. One that cannot be read differs as a whole."""
    try:
        old, new = (msgspec.json.decode(body, type=dict[str, Any]) for body in (before, after))
        return [one for one in _of_fields("", old, new, DEEPEST) if one.path not in SILENT]
    except (msgspec.DecodeError, RecursionError):
        return [Difference("object", "", "")] if before != after else []


def _of_fields(path: str, old: dict[str, Any], new: dict[str, Any], levels: int) -> Iterator[Difference]:
    for name in {**old, **new}:
        yield from _of_values(_below(path, name), old.get(name, ...), new.get(name, ...), levels - 1)


def _of_values(path: str, old: object, new: object, levels: int) -> Iterator[Difference]:
    if path in SILENT or old == new:
        return
    if levels > 0 and isinstance(old, dict) and isinstance(new, dict):
        yield from _of_fields(path, old, new, levels)
        return
    if levels > 0 and isinstance(old, list) and isinstance(new, list):
        olds, news = _named(old), _named(new)
        if olds is not None and news is not None:
            for name in {**olds, **news}:
                yield from _of_values(f"{path}[{name}]", olds.get(name, ...), news.get(name, ...), levels - 1)
            return
    yield Difference(path, _text(old), _text(new))


def _named(items: list[object]) -> dict[str, object] | None:
    """The items by their names; None where they have none, or not each its own."""
    for field in NAMES:
        names = [item.get(field) if isinstance(item, dict) else None for item in items]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {f"{name}": item for name, item in zip(names, items, strict=True)}
    return None


def _below(path: str, name: str) -> str:
    """Labels and annotations have dots in their names."""
    if "." in name or "/" in name:
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode() if value is not ... else ""
