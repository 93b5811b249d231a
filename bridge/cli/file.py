"""The config file that a command works on."""

import os
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from bridge.config.find import DEFAULT, VARIABLE, find
from bridge.config.load import load_file
from bridge.config.problem import ConfigError
from bridge.config.rules import refusals
from bridge.config.tree import Config

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help=f"The config file. Without it: ${VARIABLE}, else ./{DEFAULT}.",
    ),
]


def read(option: Path | None) -> tuple[Config, str]:
    """The config and the file's name. Raises `ConfigError` also for what this version cannot run."""
    path = find(option, os.environ)
    config = load_file(path, os.environ)
    if refused := refusals(config):
        raise ConfigError([replace(problem, file=str(path)) for problem in refused])
    return config, str(path)
