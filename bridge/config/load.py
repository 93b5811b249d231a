"""The door of the config: text in, a `Config` out, or every problem of the file at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.config.changes import compare
from bridge.config.document import compose
from bridge.config.kafka import MiB
from bridge.config.problem import ConfigError, Misread, Problem, RestartNeeded
from bridge.config.references import References
from bridge.config.report import Report
from bridge.config.rules import judge
from bridge.config.shape import Reader
from bridge.config.tree import Config
from bridge.config.units import size_text

LARGEST = MiB
"""Bytes. A ConfigMap holds no more (core/v1 `MaxSecretSize`), and YAML of that size takes seconds already."""
RESTART = "Restart the bridge, or change it back. Until then nothing of the new file is in force."


def load(text: str, file: str, env: Mapping[str, str], read_file: Callable[[Path], str]) -> Config:
    """Raises `ConfigError`, and nothing else, whatever the text."""
    config, _ = _load(text, file, env, read_file)
    return config


def reload(text: str, file: str, env: Mapping[str, str], read_file: Callable[[Path], str], current: Config) -> Config:
    """The same for a bridge that runs by *current*, and can take it up. `RestartNeeded`: the file is right."""
    config, report = _load(text, file, env, read_file)
    for path in compare(current, config).restart:
        report.add(path, Misread("has changed, which needs a restart", RESTART))
    if report.problems:
        raise RestartNeeded(report.problems)
    return config


def load_file(path: Path, env: Mapping[str, str]) -> Config:
    return load(read_text(path), str(path), env, read_file)


def reload_file(text: str, path: Path, env: Mapping[str, str], current: Config) -> Config:
    """*text* was read from *path* (`read_text`)."""
    return reload(text, str(path), env, read_file, current)


def read_text(path: Path) -> str:
    """Raises `ConfigError`, before it reads what is no config file but, say, a log that was named by mistake."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            what = f"{size} bytes are too large for a config file, which has at most {size_text(LARGEST)}"
            raise ConfigError([Problem(str(path), 0, "", what, "Correct the path, or make it smaller.")])
        return read_file(path)
    except OSError as error:
        problem = Problem(str(path), 0, "", f"cannot read it: {error.strerror}", "Correct the path or the permissions.")
        raise ConfigError([problem]) from error
    except UnicodeDecodeError as error:
        problem = Problem(str(path), 0, "", "not a text file", "Save it as plain UTF-8 text.")
        raise ConfigError([problem]) from error


def read_file(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _load(text: str, file: str, env: Mapping[str, str], read_file: Callable[[Path], str]) -> tuple[Config, Report]:
    """Also the report, which knows on which line each field stands, and has no problem."""
    report = Report(file)
    node = compose(text, report)
    if node is not None:
        config = Reader(References(env, read_file, Path(file).parent), report).config(node)
        judge(config, report)
        if not report.problems:
            return config, report
    raise ConfigError(report.problems)
