"""How the tests of the config read a text: files are a mapping, problems come back as the lines a user would see."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.config.load import load
from bridge.config.problem import ConfigError
from bridge.config.tree import Config

KAFKA = "kafka: {bootstrapServers: kafka:9092}\n"
WATCHES = "watches: [{resource: pods}]\n"
REST = KAFKA + WATCHES
"""What every file needs; tests put their lines before it or leave a part of it out."""


def read(text: str, env: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> Config:
    return load(text, "etc/bridge.yaml", env or {}, Files(files or {}).read)


def problems(text: str, env: Mapping[str, str] | None = None, files: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, env, files)
    return [str(problem) for problem in caught.value.problems]


class Files:
    """A file system of texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def read(self, path: Path) -> str:
        if str(path) not in self._texts:
            raise FileNotFoundError(2, "No such file or directory")
        return self._texts[str(path)]
