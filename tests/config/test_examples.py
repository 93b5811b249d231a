import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.inspect import StructType

from bridge.config.document import entries
from bridge.config.fields import Field, fields, root
from bridge.config.kafka import Sasl, Token
from bridge.config.load import load_file
from bridge.config.report import Report
from bridge.config.streams import streams
from bridge.config.tree import Config
from tests.config.reading import read

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config/example.yaml").read_text(encoding="utf-8")
COMMENT = "# yaml-language-server: $schema=./schema.json\n"


def example() -> Config:
    return read(EXAMPLE, {"KAFKA_USERNAME": "me"}, {"/etc/kafka/password": "hunter2\n"})


def test_minimal_runs_as_it_is() -> None:
    """It is the first file anybody copies."""
    config = load_file(ROOT / "config/minimal.yaml", {})

    assert [(stream.name, stream.watch.topic) for stream in streams(config)] == [("events", "k8s.events")]


def test_example_loads_without_problems() -> None:
    """Pieces of it are copied into real files."""
    config = example()

    assert [stream.name for stream in streams(config)] == ["events", "pods.team-a", "pods.team-b"]


@pytest.mark.parametrize("name", ["minimal", "example"])
def test_editors_find_the_schema(name: str) -> None:
    """Completion works from the first line on, without any setting."""
    assert (ROOT / f"config/{name}.yaml").read_text(encoding="utf-8").startswith(COMMENT)


def test_example_names_every_field() -> None:
    """A field that the example lacks is a field nobody finds."""
    named = {path for path, _, _, _ in _walk(root(), yaml.compose(EXAMPLE, Loader=yaml.SafeLoader), example(), "")}

    left = {path for path in _paths(root(), "") if path not in named}
    instead = {"kafka.sasl.token", "kafka.sasl.token.file", "kafka.sasl.token.command", "kafka.sasl.extensions"}
    assert left == instead, "only what the other login of the file excludes"


def test_example_shows_the_other_login_in_a_comment() -> None:
    """Uncommented in the place of the first it must work, with the file's token and with the comment's command."""
    before, _, rest = EXAMPLE.partition("  # Login by user name")
    block, _, after = rest.partition("  # Or by a token instead:\n")[2].partition("\n\n")
    login = re.sub("(?m)^  # ", "  ", block) + "\n\n"
    [instead] = re.findall(r": (\{command.*)", login)
    command = re.sub(r"token: \{file.*", f"token: {instead}", login)

    by_file, by_command = (read(f"{before}{text}{after}").kafka.sasl for text in (login, command))

    assert by_file == Sasl(
        mechanism="OAUTHBEARER",
        token=Token(file="/var/run/secrets/kafka/token"),
        extensions={"logicalCluster": "lkc-1"},
    )
    assert by_command is not None
    assert by_command.token is not None
    assert [text.reveal() for text in by_command.token.command] == ["gcloud", "auth", "print-access-token"]


def test_what_example_calls_a_default_is_one() -> None:
    """Whoever deletes such a line must not change anything."""
    lines = EXAMPLE.splitlines()
    walked = list(_walk(root(), yaml.compose(EXAMPLE, Loader=yaml.SafeLoader), example(), ""))
    marked = [
        (path, value, field.default) for path, line, field, value in walked if lines[line - 1].endswith("  # default")
    ]

    assert len(marked) == EXAMPLE.count("  # default\n") == 24
    assert [path for path, value, default in marked if value != default] == []


def _walk(info: StructType, node: yaml.Node | None, value: object, path: str) -> Iterator[tuple[str, int, Field, Any]]:
    """Every field that the text names: path without indices, line, field, value read."""
    assert isinstance(node, yaml.MappingNode)
    given = entries(node, "", Report(""))
    for field in fields(info):
        if field.name not in given:
            continue
        entry, inner = given[field.name], getattr(value, field.attribute)
        yield f"{path}{field.name}", entry.line, field, inner
        match field.kind.type:
            case StructType() as struct:
                yield from _walk(struct, entry.node, inner, f"{path}{field.name}.")
            case object(item_type=StructType() as struct):
                for item, read_item in zip(entry.node.value, inner, strict=True):
                    yield from _walk(struct, item, read_item, f"{path}{field.name}.")
            case _:
                pass


def _paths(info: StructType, path: str) -> Iterator[str]:
    for field in fields(info):
        yield f"{path}{field.name}"
        inner = getattr(field.kind.type, "item_type", field.kind.type)
        if isinstance(inner, StructType):
            yield from _paths(inner, f"{path}{field.name}.")
