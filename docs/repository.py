"""A hook of MkDocs: brings into the site what documents link to outside docs/, so that one link serves both readers.

In the repository `../config/example.yaml` leads to the file; in the site it leads to a page of it under `repository/`:
Markdown as it is, any other file as a block of code, a folder as its README or else all its files.
"""

import os
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PLACE = "repository"
DOCUMENTED = ("config", "examples", "k8s", "packaging", "protocol")
"""The folders whose Markdown is in the site though no document may link to it."""
LINK = re.compile(r"(?<=\]\()([^)#\s]+)(?=[)#])")
LOCKS = (".sum", ".lock")
LANGUAGES = {".py": "python", ".json": "json", ".yaml": "yaml", ".go": "go", ".java": "java", ".xml": "xml"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Pages for everything that is linked to from a document, and from those pages in turn."""
    waiting = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
    waiting += [path for folder in DOCUMENTED for path in sorted((ROOT / folder).rglob("*.md"))]
    known = set[Path]()
    while waiting:
        path = waiting.pop()
        if path in known:
            continue
        known.add(path)
        if not path.is_relative_to(DOCS):
            files.append(_file(path, config))
        if path.suffix == ".md":
            waiting += [_readme_of(target) for target in _targets(path) if not target.is_relative_to(DOCS)]
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - by name
    """Links that leave docs/, or come from outside of it, lead to where their targets are in the site."""
    uri = page.file.src_uri
    source = ROOT / uri.removeprefix(f"{PLACE}/") if uri.startswith(f"{PLACE}/") else DOCS / uri
    if source.suffix != ".md" or not source.is_file():
        return markdown

    def moved(link: re.Match[str]) -> str:
        target = _target(source, link[1])
        if target is None or (source.is_relative_to(DOCS) and target.is_relative_to(DOCS)):
            return link[1]
        return os.path.relpath(_uri(_readme_of(target)), Path(uri).parent)

    return LINK.sub(moved, markdown)


def _targets(document: Path) -> list[Path]:
    found = (_target(document, link) for link in LINK.findall(document.read_text()))
    return [target for target in found if target is not None]


def _target(document: Path, link: str) -> Path | None:
    """What a link leads to in the repository; None: elsewhere, or nowhere, which MkDocs tells."""
    target = (document.parent / link).resolve()
    return target if ":" not in link and target.is_relative_to(ROOT) and target.exists() else None


def _readme_of(target: Path) -> Path:
    """Who links to a folder means its README, if it has one."""
    return target / "README.md" if (target / "README.md").is_file() else target


def _uri(path: Path) -> str:
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return f"{PLACE}/{path.relative_to(ROOT).as_posix()}{'' if path.suffix == '.md' else '.md'}"


def _file(path: Path, config: MkDocsConfig) -> File:
    if path.suffix == ".md":
        return File.generated(config, _uri(path), abs_src_path=str(path))
    return File.generated(config, _uri(path), content=f"# {path.relative_to(ROOT)}\n\n{_shown(path)}")


def _shown(path: Path) -> str:
    if path.is_dir():
        inside = [one for one in sorted(path.rglob("*")) if one.is_file() and one.suffix not in LOCKS and _is_ours(one)]
        return "\n".join(f"## {one.relative_to(path)}\n\n{_shown(one)}" for one in inside)
    language = "dockerfile" if path.name == "Dockerfile" else LANGUAGES.get(path.suffix, "text")
    return f"````{language}\n{path.read_text().rstrip()}\n````\n"


def _is_ours(path: Path) -> bool:
    """Not what a build has left."""
    return not {"target", "__pycache__"} & set(path.parts)
