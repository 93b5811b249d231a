"""The config file that a command works on."""

import os
from pathlib import Path
from typing import Annotated

import typer

from bridge.config.find import DEFAULT, VARIABLE, find
from bridge.config.load import load_file
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
    """The config and the file's name. Raises `ConfigError`."""
    path = find(option, os.environ)
    return load_file(path, os.environ), str(path)
