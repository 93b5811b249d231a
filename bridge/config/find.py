"""Which config file: the one that was named, else the environment's, else the one that lies here."""

from collections.abc import Mapping
from pathlib import Path

from bridge.config.problem import ConfigError, Problem

VARIABLE = "EVENT_BRIDGE_CONFIG"
DEFAULT = "bridge.yaml"


def find(option: Path | None, env: Mapping[str, str]) -> Path:
    """The first that applies; it is not searched further if that one is absent, for then a wrong file might be run."""
    if option is not None:
        return _existing(option, "named by --config")
    if env.get(VARIABLE):
        return _existing(Path(env[VARIABLE]), f"named by ${VARIABLE}")
    path = Path(DEFAULT)
    if path.is_file():
        return path
    what = f"no config file: neither --config nor ${VARIABLE} is given, and ./{DEFAULT} does not exist"
    raise ConfigError([Problem("", 0, "", what, f"Name one with --config FILE, or begin with a {DEFAULT} here.")])


def _existing(path: Path, how: str) -> Path:
    if path.is_file():
        return path
    what = f"the config file ({how}) is a folder" if path.is_dir() else f"the config file ({how}) does not exist"
    raise ConfigError([Problem(str(path), 0, "", what, "Correct the path.")])
