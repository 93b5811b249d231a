"""Writes what is made from the types: `protocol/records.schema.json`. `make schema` runs it."""

from pathlib import Path

from bridge.consumer.schema import schema_text

GENERATED = Path("protocol/records.schema.json")

if __name__ == "__main__":
    GENERATED.write_text(schema_text(), encoding="utf-8")
