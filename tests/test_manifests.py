"""What holds of `k8s/` without building it."""

import re
import tomllib

import pytest
import yaml

from tests.tools.kustomize import K8S, folders

ROOT = K8S.parent


@pytest.mark.parametrize("folder", folders())
def test_every_file_is_applied(folder: str) -> None:
    """A file that no kustomization names would look as if it worked."""
    kustomization = yaml.safe_load((K8S / folder / "kustomization.yaml").read_text())
    generated = [name for each in kustomization.get("configMapGenerator", []) for name in each["files"]]
    patches = [patch["path"] for patch in kustomization.get("patches", []) if "path" in patch]
    named = {"kustomization.yaml", *kustomization["resources"], *generated, *patches}
    there = {path.name for path in (K8S / folder).iterdir() if path.is_file()}

    assert {name for name in named if not name.startswith("../")} == there


def test_manifests_name_the_projects_version() -> None:
    """One version, wherever it stands."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    texts = [file.read_text() for file in K8S.rglob("*.yaml")]
    images = [image for text in texts for image in re.findall(r"image: kube-event-bridge:(.+)", text)]

    assert images == [version, version]


def test_each_folder_is_in_the_readme() -> None:
    """Who looks for an overlay looks there."""
    readme = (K8S / "README.md").read_text()

    assert [folder for folder in folders() if f"`{folder}`" not in readme] == []
