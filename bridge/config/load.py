"""The door of the config: text in, a `Config` out, or every problem of the file at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.config.document import compose
from bridge.config.problem import ConfigError, Problem
from bridge.config.references import References
from bridge.config.report import Report
from bridge.config.rules import judge
from bridge.config.shape import Reader
from bridge.config.tree import Config


def load(text: str, file: str, env: Mapping[str, str], read_file: Callable[[Path], str]) -> Config:
    """Raises `ConfigError`, and nothing else, whatever the text."""
    report = Report(file)
    node = compose(text, report)
    if node is not None:
        config = Reader(References(env, read_file, Path(file).parent), report).config(node)
        judge(config, report)
        if not report.problems:
            return config
    raise ConfigError(report.problems)


def load_file(path: Path, env: Mapping[str, str]) -> Config:
    try:
        text = _read_file(path)
    except OSError as error:
        problem = Problem(str(path), 0, "", f"cannot read it: {error.strerror}", "Correct the path or the permissions.")
        raise ConfigError([problem]) from error
    except UnicodeDecodeError as error:
        problem = Problem(str(path), 0, "", "not a text file", "Save it as plain UTF-8 text.")
        raise ConfigError([problem]) from error
    return load(text, str(path), env, _read_file)


def _read_file(path: Path) -> str:
    return path.read_text(encoding="utf-8")
