"""Nodes into the tree. Goes on past every mistake, so that one run finds them all."""

from typing import Any

import yaml
from msgspec import inspect

from bridge.config.document import Entry, entries, join, kind, line_of
from bridge.config.fields import Kind, fields, kind_of, root
from bridge.config.problem import Misread
from bridge.config.references import References, Scalar, file_reference
from bridge.config.report import Report
from bridge.config.scalars import nearest, read_scalar, read_setting
from bridge.config.secret import Secret
from bridge.config.tree import Config


class Reader:
    """Reads one file. What is wrong in it is reported, and replaced by a stand-in of the right type."""

    def __init__(self, references: References, report: Report) -> None:
        self._references = references
        self._report = report

    def config(self, node: yaml.MappingNode) -> Config:
        """To be trusted only if the report stays empty."""
        config = self._struct(root(), node, "")
        assert isinstance(config, Config)
        return config

    def _struct(self, info: inspect.StructType, node: yaml.MappingNode, path: str) -> Any:  # noqa: ANN401
        given = entries(node, path, self._report)
        known = fields(info)
        for entry in given.values():
            if entry.name not in [field.name for field in known]:
                self._unknown(entry, [field.name for field in known], path)
        values = {}
        for field in known:
            inner = join(path, field.name)
            if field.name in given:
                self._report.place(inner, given[field.name].line)
                values[field.attribute] = self._value(field.kind, given[field.name].node, inner)
            elif field.required:
                self._report.add(
                    inner, Misread("is missing", f"Add it: {_example(field.name, field.kind)}"), line_of(node)
                )
                values[field.attribute] = stand_in(field.kind)
            else:
                values[field.attribute] = field.default
        return info.cls(**values)

    def _unknown(self, entry: Entry, names: list[str], path: str) -> None:
        near = nearest(entry.name, names)
        mend = f"Did you mean '{near[0]}'?" if near else f"Possible are {', '.join(names)}."
        self._report.add(join(path, entry.name), Misread("unknown field", mend), entry.line)

    def _value(self, expected: Kind, node: yaml.Node, path: str) -> Any:  # noqa: ANN401
        try:
            return self._read(expected, node, path)
        except Misread as misread:
            self._report.add(path, misread)
            return stand_in(expected)

    def _read(self, expected: Kind, node: yaml.Node, path: str) -> Any:  # noqa: ANN401
        match expected.type, node:
            case inspect.StructType(), yaml.MappingNode() if kind(node):
                return self._struct(expected.type, node, path)
            case inspect.VarTupleType(), yaml.SequenceNode() if kind(node):
                return self._items(expected.type, node, path)
            case inspect.VarTupleType(), _ if expected.unit == "commas":
                return self._commas(expected.type, self._references.scalar(node))
            case inspect.DictType(), yaml.MappingNode() if kind(node):
                return self._settings(node, path)
            case inspect.StructType() | inspect.DictType() | inspect.VarTupleType(), _:
                raise _wrong_form(expected, node)
            case _ if expected.unit == "path":
                return self._path(expected, node)
            case _:
                return read_scalar(self._references.scalar(node), expected)

    def _items(self, info: inspect.VarTupleType, node: yaml.SequenceNode, path: str) -> tuple[Any, ...]:
        if len(node.value) < (info.min_length or 0):
            raise Misread("is an empty list", "Give it at least one entry.")
        item = kind_of(info.item_type)
        for index, inner in enumerate(node.value):
            self._report.place(f"{path}[{index}]", line_of(inner))
        return tuple(self._value(item, inner, f"{path}[{index}]") for index, inner in enumerate(node.value))

    def _commas(self, info: inspect.VarTupleType, scalar: Scalar) -> tuple[Any, ...]:
        """One text for a list: the parts are judged one by one."""
        if scalar.kind != "text":
            return (read_scalar(scalar, kind_of(info.item_type)),)
        parts = [Scalar(part.strip(), "text", scalar.source) for part in scalar.text.split(",")]
        return tuple(read_scalar(part, kind_of(info.item_type)) for part in parts)

    def _settings(self, node: yaml.MappingNode, path: str) -> dict[str, str]:
        settings = {}
        for entry in entries(node, path, self._report).values():
            inner = join(path, entry.name)
            self._report.place(inner, entry.line)
            try:
                settings[entry.name] = read_setting(self._references.scalar(entry.node))
            except Misread as misread:
                self._report.add(inner, misread)
        return settings

    def _path(self, expected: Kind, node: yaml.Node) -> str | None:
        if isinstance(node, yaml.MappingNode) and (path := file_reference(node)) is not None:
            raise Misread("is the path of a file, not its content", f"Write the path alone: {path!r}.")
        text = read_scalar(self._references.scalar(node), expected)
        return None if text is None else self._references.path(text)


def stand_in(expected: Kind) -> Any:  # noqa: ANN401
    """Something of the right type, so that the rest of the file can be checked. Empty where that is possible."""
    if expected.optional and not isinstance(expected.type, inspect.StrType):
        return None
    match expected.type:
        case inspect.StructType():
            values = {f.attribute: stand_in(f.kind) if f.required else f.default for f in fields(expected.type)}
            return expected.type.cls(**values)
        case inspect.VarTupleType():
            return ()
        case inspect.DictType():
            return {}
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.IntType(ge=least) | inspect.FloatType(ge=least):
            return least
        case inspect.BoolType():
            return False
        case inspect.CustomType():
            return Secret()
        case _:
            return ""


def _wrong_form(expected: Kind, node: yaml.Node) -> Misread:
    """Never shows what was found: it may be a password one level too high."""
    found = kind(node)
    if found is None:
        return Misread("has a YAML tag, which means nothing here", "Remove the tag.")
    if isinstance(expected.type, inspect.VarTupleType):
        mend = "Write [] for none, or begin each entry on a line of its own with '- '."
        return Misread("must be a list, but is " + found, mend)
    if found == "empty":
        return Misread("is empty", "Give it fields, or remove the line.")
    if isinstance(expected.type, inspect.StructType):
        names = ", ".join(field.name for field in fields(expected.type))
        return Misread(f"must be a mapping, but is {found}", f"Indent its fields under it: {names}.")
    return Misread(f"must be a mapping, but is {found}", "Write name: value pairs, indented under it.")


def _example(name: str, expected: Kind) -> str:
    match expected.type:
        case inspect.StructType() | inspect.VarTupleType(item_type=inspect.StructType()):
            return f"see {name} in config/example.yaml."
        case inspect.CustomType():
            return f"{name}: {{file: /path/to/it}}"
        case _:
            return f"{name}: {expected.examples[0]}"
