import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml

from bridge.config.__main__ import GENERATED, write
from bridge.config.schema import schema

ROOT = Path(__file__).parents[2]
validate = fastjsonschema.compile(schema(), use_default=False)


@pytest.mark.parametrize("name", sorted(GENERATED))
def test_what_is_generated_is_up_to_date(name: str) -> None:
    """Users' editors and readers take these files for the truth. Stale? `make schema`."""
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED[name]()


def test_make_schema_writes_both(tmp_path: Path) -> None:
    """The mend that the staleness test names must work."""
    for name in GENERATED:
        (tmp_path / name).parent.mkdir()

    write(tmp_path)

    assert json.loads((tmp_path / "config/schema.json").read_text(encoding="utf-8")) == schema()
    assert (tmp_path / "docs/config.md").read_text(encoding="utf-8").startswith("# The config file\n")


@pytest.mark.parametrize("name", ["config/minimal.yaml", "config/example.yaml"])
def test_the_examples_obey_the_schema(name: str) -> None:
    """An editor that marks the shipped example red is not believed again."""
    validate(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kafka": {"bootstrapServers": "kafka"}},
        {"kafka": {"bootstrapServers": "kafka:9092", "sasl": {"mechanism": "PLAIN", "username": "me"}}},
        {"kafka": {"bootstrapServers": "kafka:9092", "sasl": {"mechanism": "OAUTHBEARER", "username": "me"}}},
        {"kafka": {"bootstrapServers": "kafka:9092", "sasl": {"mechanism": "OAUTHBEARER", "token": {}}}},
        {"topics": {"partitions": 0}},
        {"topics": {"partitions": "many"}},
        {"progressInterval": 60},
        {"progressInterval": "60 s"},
        {"buffer": "1Mb"},
        {"log": {"level": "warn"}},
        {"htpp": {}},
        {"http": None},
        {"watches": []},
        {"watches": [{"resource": "pods", "name": "a/b"}]},
        {"watches": [{"resource": "pods", "namespaces": "team-a"}]},
        {"watches": [{"resource": "pods", "types": []}]},
    ],
)
def test_the_schema_refuses_what_the_bridge_refuses(wrong: dict[str, Any]) -> None:
    """A mistake is cheapest while it is being typed."""
    right = {"kafka": {"bootstrapServers": "kafka:9092"}, "watches": [{"resource": "pods"}]}

    validate(right)
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(right | wrong)


@pytest.mark.parametrize(
    "right",
    [
        {"cluster": {"file": "name"}, "name": "${NAME}"},
        {"topics": {"partitions": "${N}", "create": "${C}"}},
        {"topics": {"config": {"a": 1, "b": True, "c": "${X}", "d": {"file": "x"}}}},
        {"buffer": 1048576, "progressInterval": "${P}"},
        {"log": {"level": "${LEVEL}", "format": None}},
        {"kafka": {"bootstrapServers": "a:1, b:2"}},
        {"kafka": {"bootstrapServers": ["a:1", "${B}"]}},
        {"kafka": {"bootstrapServers": "${B}"}},
    ],
)
def test_the_schema_knows_references(right: dict[str, Any]) -> None:
    """`${NAME}` and `{file: path}` are right wherever the bridge takes them."""
    validate({"kafka": {"bootstrapServers": "kafka:9092"}, "watches": [{"resource": "pods"}]} | right)


def test_every_field_of_the_schema_is_described() -> None:
    """The hover text is the documentation most users will ever see."""
    described = [
        (name, bool(field.get("description")), field.get("title") == name) for name, field in _fields(schema())
    ]

    assert len(described) == 55
    assert [entry for entry in described if not (entry[1] and entry[2])] == []


def test_defaults_are_shown_as_one_would_write_them() -> None:
    """Editors insert the default: `0.05` would then be refused."""
    defaults = {name: field["default"] for name, field in _fields(schema()) if "default" in field}

    assert defaults == {
        "name": "kube-event-bridge",
        "delivery": "exactly-once",
        "compression": "zstd",
        "commitInterval": "50ms",
        "transactionTimeout": "15s",
        "maxMessageBytes": "1MiB",
        "create": True,
        "partitions": 32,
        "config": {},
        "standalone": False,
        "sessionTimeout": "10s",
        "buffer": "64MiB",
        "progressInterval": "1m",
        "verifyInterval": "2m",
        "namespaces": [],
        "types": ["ADDED", "MODIFIED", "DELETED"],
        "topic": "k8s.{resource}",
        "format": "envelope",
        "drop": [],
        "listen": "0.0.0.0:8080",
        "level": "info",
    }


def _fields(part: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, field in part.get("properties", {}).items():
        yield name, field
        yield from _fields(field)
        yield from _fields(field.get("items", {}))
