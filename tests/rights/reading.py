"""A config from the text of a file."""

from pathlib import Path

from bridge.config.load import load
from bridge.config.tree import Config


def config(watches: str, more: str = "", kafka: str = "") -> Config:
    """*more* are further fields of the file, *kafka* of its `kafka`."""
    inner = f"bootstrapServers: kafka:9092{', ' if kafka else ''}{kafka}"
    text = f"name: guarded\nkafka: {{{inner}}}\n{more}\nwatches:\n{watches}\n"
    return load(text, "bridge.yaml", {}, _none)


def _none(path: Path) -> str:
    raise FileNotFoundError(path)
