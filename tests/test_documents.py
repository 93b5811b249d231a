"""What can be checked of the documents: links lead somewhere, commands exist, and tables name what the code has."""

import json
import re
import typing
from pathlib import Path

import msgspec
import pytest
import yaml

from bridge import telemetry
from bridge.checks.report import Report
from bridge.model.event import ChangeType, RestartReason
from bridge.ownership import telling as of_groups
from bridge.reload import telling as of_files
from bridge.source import telling as of_sources
from bridge.status.report import Report as Status
from bridge.verify.report import Report as Verification

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    """Files move; readers should not find that out."""
    targets = [target for target in LINK.findall(document.read_text()) if not target.startswith(("http:", "https:"))]

    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_make_targets_exist(document: Path) -> None:
    """`make` and a word in code is an instruction."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    spoken = set(re.findall(r"^make ([a-z]+)$|`make ([a-z]+)`", document.read_text(), re.MULTILINE))

    assert {first or second for first, second in spoken} <= targets


def test_every_decision_is_listed_and_numbered() -> None:
    """The list is how they are found."""
    folder = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("0*.md"))

    assert re.findall(r"\((0[^)]*)\)", (folder / "README.md").read_text()) == files
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))


def test_the_protocol_names_every_type_and_reason() -> None:
    """Consumers match on them: the document is normative."""
    text = (ROOT / "docs" / "protocol.md").read_text()
    reasons = re.findall(r"^\| `(\w+)` \| (?!all)", text.partition("**Reasons.**")[2], re.MULTILINE)

    assert reasons == [reason.value for reason in RestartReason]
    assert all(f"`{kind.value}`" in text for kind in ChangeType)


def test_the_protocols_example_is_json_by_its_own_grammar() -> None:
    """People copy it into their tests."""
    text = (ROOT / "docs" / "protocol.md").read_text().partition("## 5. Example")[2]
    lines = [line.partition("  ")[::2] for line in text.splitlines() if '{"type"' in line]
    records = [(key, json.loads(value.replace("...}", '"":0}'))) for key, value in lines]

    assert [record["type"] for _, record in records] == [
        *("RESTARTED", "LISTED", "SYNCED", "MODIFIED"),
        *("RESTARTED", "DELETED", "SYNCED"),
    ]
    assert all(key.strip() == record["stream"] for key, record in records if "partition" in record)
    assert records[4][1]["previous"]["epoch"] == records[0][1]["epoch"]


def test_the_protocols_algorithm_follows_its_example() -> None:
    """The fifteen lines are run as they stand."""
    text = (ROOT / "docs" / "protocol.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    space: dict[str, typing.Any] = {}
    exec(code, space)

    def follow(kind: str, epoch: int, key: str = "pods", **fields: object) -> None:
        space["follow"](0, key, {"type": kind, "stream": "pods", "epoch": epoch, **fields})

    follow("RESTARTED", 1)
    for name in ("a", "b", "c"):
        follow("LISTED", 1, f"pods/x/{name}", object={"v": 1})
    follow("SYNCED", 1)
    follow("DELETED", 1, "pods/x/c", object={})
    follow("RESTARTED", 2)
    follow("LISTED", 2, "pods/x/a", object={"v": 2})
    assert sorted(key for _, _, key in space["objects"]) == ["pods/x/a", "pods/x/b"], "served until SYNCED"
    follow("SYNCED", 2)
    assert space["objects"] == {(0, "pods", "pods/x/a"): (2, {"v": 2})}


def test_every_log_line_is_explained() -> None:
    """An operator finds each `event` in the table, and none that the bridge never says."""
    files = [telemetry.__file__, of_groups.__file__, of_sources.__file__, of_files.__file__]
    said = {name for file in files for name in re.findall(r'\)?\(?"([^"]+)", \*\*asdict', Path(file).read_text())}
    table = (ROOT / "docs" / "operations.md").read_text().partition("## What the log says")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE) for name in re.findall("`([^`]+)`", row)}

    assert told - {"event"} == said


def test_every_field_of_a_checks_json_is_explained() -> None:
    """Scripts are written from the document."""
    text = (ROOT / "docs" / "operations.md").read_text().partition("## What `check` tells")[2].partition("\n## ")[0]
    words = set(re.findall(r"`\.?([A-Za-z]+)(?:\[\])?`", text))
    schema = msgspec.json.schema(Report)["$defs"]
    fields = {name for definition in schema.values() for name in definition["properties"]}

    assert fields - words == set()


def test_every_field_of_a_verifications_json_is_explained() -> None:
    """As those of a check."""
    text = (ROOT / "docs" / "operations.md").read_text().partition("## What `verify` proves")[2].partition("\n## ")[0]
    words = set(re.findall(r"`\.?([A-Za-z]+)(?:\[\])?`", text))
    schema = msgspec.json.schema(Verification)["$defs"]
    fields = {name for definition in schema.values() for name in definition["properties"]}

    assert fields - words == set()


def test_the_readmes_config_is_the_minimal_one() -> None:
    """What stands first is what people run."""
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert yaml.safe_load(text) == yaml.safe_load((ROOT / "config" / "minimal.yaml").read_text())


def test_documents_that_the_code_names_exist() -> None:
    """A docstring that sends its reader nowhere is worse than none."""
    named = {
        name
        for folder in ("bridge", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"docs/[a-z0-9/-]+\.md", path.read_text())
    }

    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_field_of_a_statuss_json_is_explained() -> None:
    """As those of a check."""
    text = (ROOT / "docs" / "operations.md").read_text().partition("## What `status` shows")[2].partition("\n## ")[0]
    words = set(re.findall(r"`\.?([A-Za-z]+)(?:\[\])?`", text))
    schema = msgspec.json.schema(Status)["$defs"]
    fields = {name for definition in schema.values() for name in definition["properties"]}

    assert fields - words == set()
