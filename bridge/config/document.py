"""YAML text to nodes that know their lines. What a node means is decided by the field it fills, not here."""

import re
from collections.abc import Iterator

import yaml
from msgspec import Struct

from bridge.config.problem import Misread
from bridge.config.report import Report

DEEPEST = 20
"""Levels. The deepest value of the tree, a reference in a list of a watch, is at the sixth; who reads deeper asks for
seconds, and Python's stack."""
_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "null": "empty",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "timestamp": "a date",
    "str": "text",
    "value": "text",
    "merge": "text",
}


class Entry(Struct, frozen=True):
    """One line of a mapping."""

    name: str
    line: int
    node: yaml.Node


class _DepthError(Exception):
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Owns how deep it is. It gives up before Python does, which takes seconds for it."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth == DEEPEST:
            raise _DepthError(self.peek_event().start_mark.line + 1)  # type: ignore[no-untyped-call] # its stub has no types
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def compose(text: str, report: Report) -> yaml.MappingNode | None:
    """The document's root; None: it cannot be read, and the report says why."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        _report_syntax(error, text, report)
        return None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        report.add("", Misread("not a text file: it holds a control character", "Save it as plain UTF-8 text."), line)
        return None
    except _DepthError as error:
        deep = Misread("not a config file: nested too deeply", "See config/example.yaml for the form.")
        report.add("", deep, error.line)
        return None
    if root is None or kind(root) == "empty":
        report.add("", Misread("the file is empty", "Begin with config/minimal.yaml."), 1)
        return None
    if not isinstance(root, yaml.MappingNode) or kind(root) is None:
        report.add("", Misread("the file must hold fields", "Begin with config/minimal.yaml."), line_of(root))
        return None
    return root


def kind(node: yaml.Node) -> str | None:
    """What YAML takes the node for, in a person's words; None: it has a tag that means nothing here."""
    name = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.MappingNode):
        return "a mapping" if name == "map" else None
    if isinstance(node, yaml.SequenceNode):
        return "a list" if name == "seq" else None
    return _SCALARS.get(name)


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def entries(node: yaml.MappingNode, path: str, report: Report) -> dict[str, Entry]:
    """The mapping's fields by name, `<<` merged in. A name given twice, or one that is no text, is reported."""
    found: dict[str, Entry] = {}
    for key, value in node.value:
        if _is_merge(key):
            continue
        if not isinstance(key, yaml.ScalarNode):
            report.add(path, Misread("a field's name must be text", "Write name: value."), line_of(key))
        elif key.value in found:
            first = found[key.value].line
            twice = Misread(f"given twice, first on line {first}", "Keep one of the two.")
            report.add(join(path, key.value), twice, line_of(key))
        else:
            found[key.value] = Entry(key.value, line_of(key), value)
    for mapping in _merged(node):
        for key, value in mapping.value:
            if isinstance(key, yaml.ScalarNode) and not _is_merge(key):
                found.setdefault(key.value, Entry(key.value, line_of(key), value))
    return found


def join(path: str, name: str) -> str:
    """A field's path; a name that would spoil the line is quoted and cut."""
    shown = name if re.fullmatch(r"[\w.-]{1,60}", name) else ascii(name[:60])
    return f"{path}.{shown}" if path else shown


def _merged(node: yaml.MappingNode) -> Iterator[yaml.MappingNode]:
    """Every mapping that `<<` brings in, each once: so neither a loop nor a pile of aliases can grow."""
    seen, waiting = {id(node)}, _sources(node)
    while waiting:
        source = waiting.pop()
        if id(source) not in seen:
            seen.add(id(source))
            yield source
            waiting += _sources(source)


def _sources(node: yaml.MappingNode) -> list[yaml.MappingNode]:
    """Those that the mapping itself names, the first one last."""
    values = [value for key, value in node.value if _is_merge(key)]
    named = [one for value in values for one in (value.value if isinstance(value, yaml.SequenceNode) else [value])]
    return [one for one in reversed(named) if isinstance(one, yaml.MappingNode)]


def _is_merge(key: yaml.Node) -> bool:
    return bool(key.tag == f"{_TAG}merge")


def _report_syntax(error: yaml.MarkedYAMLError, text: str, report: Report) -> None:
    mark = error.problem_mark
    assert mark is not None
    problem = re.sub(
        r"\b(alias|anchor|tag handle) .*", r"\1", (error.problem or "").removeprefix("but ")
    )  # the name may be half a password
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    report.add(
        "", Misread(f"not valid YAML at column {mark.column + 1}: {problem}", _mend(line, mark.column)), mark.line + 1
    )


def _mend(line: str, column: int) -> str:
    if "${" in line:
        return 'Inside [ ] and { } a reference needs quotes: "${NAME}".'
    if line[column : column + 1] == "\t":
        return "Indent with spaces."
    return "Look at this line and the one above; quote a text that begins with a sign or holds ': '."
