"""The documents as a site: it builds in strict mode, so all its links and anchors lead somewhere, and stands alone."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bridge.model.event import RestartReason

ROOT = Path(__file__).parent.parent
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
MARKDOWN = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "protocol/**/*.md", "k8s/**/*.md", "packaging/**/*.md")
    for path in ROOT.glob(pattern)
)
NAMING = sorted(
    path
    for pattern in ("k8s/**/*.yaml", "k8s/**/*.json", "config/*.yaml", "packaging/*", "Dockerfile", "Makefile")
    for path in ROOT.glob(pattern)
)
ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)=["'](?:https?:)?//[^"']*["']""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make docs` builds it. Whatever MkDocs finds wrong is in the failure."""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    warnings = [line for line in done.stderr.splitlines() if line.startswith(("WARNING", "ERROR"))]

    assert (done.returncode, warnings) == (0, []), done.stderr
    return place


def test_every_document_is_in_the_site(site: Path) -> None:
    """What is in it has had all its links and anchors checked; what is not, nobody finds by searching."""
    assert [str(path.relative_to(ROOT)) for path in MARKDOWN if not _page_of(path, site).is_file()] == []


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No font, script or picture of others: readers are not told of, and it works behind a wall."""
    fetched = [found for page in site.rglob("*.html") for found in ELSEWHERE.findall(page.read_text())]
    styles = [
        path.name for path in site.rglob("*.css") if re.search(r"(url\(|@import )[\"']?https?:", path.read_text())
    ]

    assert (fetched, styles) == ([], [])


def test_every_page_is_found_by_the_search(site: Path) -> None:
    """Including those of files outside docs/."""
    index = (site / "search" / "search_index.json").read_text()

    assert [
        word for word in ("runbook.html#desynchronized", "sizing.html#memory", "CHANGELOG") if word not in index
    ] == []


def test_what_manifests_and_files_name_is_there(site: Path) -> None:
    """At three in the morning a runbook link leads to its section."""
    named = {
        (name, anchor)
        for path in NAMING
        for name, anchor in re.findall(r"docs/([a-z0-9/-]+)\.md(?:#([a-z0-9_-]+))?", path.read_text())
    }
    assert named, "the manifests name documents"
    pages = {name: site / f"{name}.html" for name, _ in named}

    assert [name for name, page in sorted(pages.items()) if not page.is_file()] == []
    assert [
        f"{name}.md#{anchor}"
        for name, anchor in sorted(named)
        if anchor and f'id="{anchor}"' not in pages[name].read_text()
    ] == []


def test_every_restart_reason_has_a_section_in_the_runbook() -> None:
    """All of them, none that there is not, in the order of the protocol."""
    told = re.findall(r"^### (\w+)$", _part("Restart reasons"), re.MULTILINE)

    assert told == [reason.value for reason in RestartReason]


def test_every_alert_has_a_section_in_the_runbook() -> None:
    """And no section is of an alert that nobody sends."""
    told = set(re.findall(r"^### (\w+)$", _part("Alerts"), re.MULTILINE))
    sent = {
        rule["alert"]
        for path in (ROOT / "k8s").rglob("*.yaml")
        for document in yaml.safe_load_all(path.read_text())
        if isinstance(document, dict) and document.get("kind") == "PrometheusRule"
        for group in document["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }

    assert told == sent


@pytest.mark.parametrize("heading", ["Alerts", "Restart reasons"])
def test_every_section_of_the_runbook_says_the_same_things(heading: str) -> None:
    """Who reads it in a hurry knows where to look in it."""
    wanted = ["What it means.", "What consumers see.", "What to do.", "When to worry."]
    sections = _part(heading).split("\n### ")[1:]
    asked = {section.partition("\n")[0]: re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE) for section in sections}

    assert {name: [one for one in parts if one in wanted] for name, parts in asked.items()} == dict.fromkeys(
        asked, wanted
    )


@pytest.mark.parametrize("document", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_others_are_well_formed(document: Path) -> None:
    """They are not opened here, without a network; but a host and https they must have."""
    links = re.findall(r"\]\((\w+:[^)]*)\)", document.read_text())

    assert [
        link for link in links if urlsplit(link).scheme != "https" or "." not in (urlsplit(link).hostname or "")
    ] == []


def _part(heading: str) -> str:
    return RUNBOOK.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _page_of(path: Path, site: Path) -> Path:
    inside = (
        path.relative_to(ROOT / "docs") if path.is_relative_to(ROOT / "docs") else "repository" / path.relative_to(ROOT)
    )
    return site / inside.with_name("index.html" if inside.name == "README.md" else f"{inside.stem}.html")
