import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from bridge.consumer.__main__ import GENERATED
from bridge.consumer.schema import schema, schema_text
from tests.consumer.broken import BROKEN, spoil
from tests.consumer.play import Vector, load, play
from tests.consumer.vectors import ROOT, SOURCE, VECTORS, vectors

FILES = sorted(VECTORS.glob("*.json"))
validate = fastjsonschema.compile(schema(), use_default=False)


def test_there_are_enough_and_each_says_why() -> None:
    """Who fails one must learn from it what was misunderstood."""
    loaded = [load(file) for file in FILES]

    assert len(loaded) >= 40
    assert [vector.name for vector in loaded] == [file.stem for file in FILES]
    assert [vector.name for vector in loaded if not vector.why or "\n" in vector.why] == []


def test_they_are_what_was_written_by_hand() -> None:
    """Stale? `make vectors`."""
    written = {file.stem: file.read_text(encoding="utf-8") for file in FILES}

    assert written == vectors(SOURCE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_follower_holds_what_it_should(file: Path) -> None:
    """After every record, on both stores, with the consumer made anew between any two records."""
    assert play([load(file)]) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_documents_own_lines_do_so_too(file: Path) -> None:
    """What people copy out of docs/protocol.md must be right; it shares nothing with the follower."""
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?def follow.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {}
    exec(lines, scope)

    for step in load(file).steps:
        if not step.refused:
            scope["follow"](step.partition, step.key, json.loads(step.bytes or b""))
        found: dict[str, Any] = {}
        for (partition, stream, key), (_, thing) in scope["objects"].items():
            found.setdefault(str(partition), {}).setdefault(stream, {})[key] = thing
        assert found == step.state


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_their_records_obey_the_schema(file: Path) -> None:
    """Two texts that say what a record is must say the same."""
    for step in load(file).steps:
        if not step.refused and not file.stem.startswith(("tolerated-", "unknown-reason")):
            validate(json.loads(step.bytes or b""))


@pytest.mark.parametrize("file", sorted(VECTORS.glob("tolerated-*.json")), ids=lambda file: file.stem)
def test_what_is_tolerated_is_more_than_the_schema_allows(file: Path) -> None:
    """A consumer that goes by the schema loses state: this is where it would."""
    records = [json.loads(step.bytes or b"") for step in load(file).steps if not step.refused]

    assert any(not obeys(record) for record in records)


def obeys(record: object) -> bool:
    try:
        validate(record)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


def test_the_schema_is_up_to_date() -> None:
    """Other languages make their types from it. Stale? `make schema`."""
    assert (ROOT / GENERATED).read_text(encoding="utf-8") == schema_text()


@pytest.mark.parametrize(
    "change",
    [
        {"type": "RENAMED"},
        {"stream": ""},
        {"epoch": -1},
        {"epoch": 1 << 53},
        {"epoch": "10"},
        {"object": "a pod"},
        {"resourceVersion": None},
        {"time": None},
        {"oversize": "large"},
    ],
)
def test_the_schema_refuses_what_no_bridge_writes(change: dict[str, Any]) -> None:
    """A schema that takes anything proves nothing."""
    record = {
        "type": "ADDED",
        "cluster": "prod",
        "stream": "pods",
        "epoch": 10,
        "resourceVersion": "101",
        "time": "2026-11-23T08:30:00.123Z",
        "object": {"kind": "Pod"},
    }
    validate(record)
    spoilt = {name: value for name, value in {**record, **change}.items() if value is not None}

    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(spoilt)


def test_a_delete_has_a_version_unless_it_is_inferred() -> None:
    record = {
        "type": "DELETED",
        "cluster": "prod",
        "stream": "pods",
        "epoch": 10,
        "time": "2026-11-23T08:30:00.123Z",
        "object": {"kind": "Pod"},
    }

    validate({**record, "inferred": True})
    validate({**record, "resourceVersion": "101"})
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(record)


def test_files_that_are_no_vectors_are_named_and_the_others_played(tmp_path: Path) -> None:
    """Whoever copies vectors into another project gets told which files did not arrive, and how."""
    spoil(tmp_path)

    ended = subprocess.run(
        [sys.executable, "-m", "tests.consumer.play", str(tmp_path)], capture_output=True, text=True, check=False
    )

    told = ended.stdout.splitlines()
    assert (ended.returncode, ended.stderr) == (1, "")
    assert [line.partition(" is no vector, or a part of one: ")[0] for line in told[: len(BROKEN)]] == [
        f"{tmp_path}/{name}.json" for name in sorted(BROKEN)
    ]
    assert {line.partition(",")[0] for line in told[len(BROKEN) : -1]} == {"wrong"}
    assert told[-1].startswith(f"{len(BROKEN) + 2} vectors in {tmp_path}, ")


def test_a_directory_that_is_not_there_proves_nothing(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.consumer.play", str(tmp_path / "no")], capture_output=True, text=True, check=False
    )

    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.endswith(f"0 vectors in {tmp_path}/no, 0 differences\n")


def test_a_wrong_state_is_found() -> None:
    """A player that passes everything proves nothing."""
    vector = load(VECTORS / "first-epoch.json")
    spoilt = Vector([*vector.steps[:2], *vector.steps[3:]])

    assert play([spoilt]) != []
