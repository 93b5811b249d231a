"""What holds of `k8s/` without building it."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.command import event_bridge
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


async def test_the_readmes_step_for_rights_works_as_it_is_written(tmp_path: Path) -> None:
    """Its role goes to the bridge's account, and is not the base's, whose rights `kubectl apply -k` would put back."""
    readme = (K8S / "README.md").read_text()
    (config,) = re.findall(r"# my-bridge/bridge.yaml\n(.*?)```", readme, re.DOTALL)
    exports = dict(re.findall(r"^export (\w+)=(\S+)", readme, re.MULTILINE))
    answer = await event_bridge("rbac", yaml.safe_load(config), tmp_path, "--offline", **exports)
    role, binding = yaml.safe_load_all(answer.output)
    base = [yaml.safe_load((K8S / "base" / f"{name}.yaml").read_text()) for name in ("clusterrole", "serviceaccount")]

    assert "event-bridge rbac -c my-bridge/bridge.yaml | kubectl apply -f -" in readme
    assert (role["kind"], role["rules"][0]["resources"]) == ("ClusterRole", ["deployments"])
    assert f"`{role['metadata']['name']}`" in readme
    assert role["metadata"]["name"] != base[0]["metadata"]["name"]
    assert [(each["name"], each["namespace"]) for each in binding["subjects"]] == [
        (base[1]["metadata"]["name"], "event-bridge")
    ]
