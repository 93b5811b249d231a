"""`${NAME}` and `{file: path}`, values that live elsewhere: only as a whole value, so `pa$$word` is just a password."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml
from msgspec import Struct

from bridge.config.document import kind
from bridge.config.problem import Misread

ENV_PATTERN = r"\$\{[A-Za-z_][A-Za-z0-9_]*\}"
_SHOWN = 60


class Scalar(Struct, frozen=True):
    """One value before it is read, wherever it came from."""

    text: str
    kind: str
    """What YAML takes it for; "text" if it came from elsewhere."""
    source: str = ""
    """Where it came from, if not from the config file: then it may be a secret and is not shown."""
    file: str = ""
    """The path, if it came from a file."""

    @property
    def shown(self) -> str:
        """For a message: cut, on one line, and hidden if it came from elsewhere."""
        if self.source:
            return f"the value of {self.source}"
        more = "..." if len(self.text) > _SHOWN else ""
        return repr(self.text[:_SHOWN] + more) if self.kind == "text" else self.bare + more

    @property
    def bare(self) -> str:
        """Cut and on one line, without quotes."""
        return repr(self.text[:_SHOWN])[1:-1]


class References(Struct, frozen=True):
    """What the references of one config file can see."""

    env: Mapping[str, str]
    read_file: Callable[[Path], str]
    folder: Path
    """Where the config file lies: relative paths begin here."""

    def scalar(self, node: yaml.Node) -> Scalar:
        """The node's value, fetched if it is a reference; refused if it is no single value."""
        if isinstance(node, yaml.MappingNode) and (path := file_reference(node)) is not None:
            return self._from_file(path)
        found = kind(node)
        if found is None:
            raise Misread("has a YAML tag, which means nothing here", "Remove it; quote a text that begins with '!'.")
        if not isinstance(node, yaml.ScalarNode):
            raise Misread(f"must be a single value, not {found}", "Write it on the same line as the field's name.")
        if found == "text" and re.fullmatch(ENV_PATTERN, node.value):
            return self._from_env(node.value[2:-1])
        return Scalar(node.value, found)

    def path(self, text: str) -> str:
        """A path of the config file is relative to that file, wherever the bridge was started; `~/` is home."""
        if text.startswith("~/") and self.env.get("HOME"):
            return str(Path(self.env["HOME"]) / text[2:])
        return str(self.folder / text)

    def _from_env(self, name: str) -> Scalar:
        if name not in self.env:
            raise Misread(f"the environment variable {name} is not set", f"Set {name}, or write the value here.")
        return Scalar(self.env[name], "text", f"${name}")

    def _from_file(self, written: str) -> Scalar:
        path = self.path(written)
        try:
            text = self.read_file(Path(path))
        except OSError as error:
            raise Misread(
                f"cannot read the file {path!r}: {error.strerror}", "Create it, or correct the path."
            ) from error
        except ValueError as error:  # not UTF-8, or a path that no file can have
            raise Misread(f"cannot read the file {path!r} as text", "It must be UTF-8 text.") from error
        return Scalar(without_end(text), "text", f"the file {path!r}", path)


def without_end(text: str) -> str:
    """A file's content less its last line's end, which editors add."""
    return text.removesuffix("\n").removesuffix("\r")


def file_reference(node: yaml.MappingNode) -> str | None:
    """The path of a `{file: path}`, if this is one."""
    match node.value:
        case [(yaml.ScalarNode(value="file"), yaml.ScalarNode(value=str(path)) as value)] if (
            path and kind(value) == "text"
        ):
            return path
        case _:
            return None
