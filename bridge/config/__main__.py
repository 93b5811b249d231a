"""Writes what is made from the tree: `config/schema.json` and `docs/config.md`. `make schema` runs it."""

from pathlib import Path

from bridge.config.manual import manual
from bridge.config.schema import schema_text

GENERATED = {"config/schema.json": schema_text, "docs/config.md": manual}


def write(folder: Path) -> None:
    for name, text in GENERATED.items():
        (folder / name).write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    write(Path())
