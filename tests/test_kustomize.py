import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.kustomize import Object, render

K8S = Path(__file__).parent.parent / "k8s"
FOLDERS = ["base", "sidecar"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here to be compared with")
@pytest.mark.parametrize("folder", FOLDERS)
def test_we_render_what_kubectl_renders(folder: str) -> None:
    """So what the other tests apply is what a user applies, down to the ConfigMap's hash."""
    command = ["kubectl", "kustomize", str(K8S / folder)]
    theirs = yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    assert sorted(render(K8S / folder), key=_name) == sorted(theirs, key=_name)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_is_one_object_and_is_applied(folder: str) -> None:
    """A file that no kustomization names would look as if it worked."""
    kustomization = yaml.safe_load((K8S / folder / "kustomization.yaml").read_text())
    generated = [name for generator in kustomization["configMapGenerator"] for name in generator["files"]]

    assert {path.name for path in (K8S / folder).iterdir()} == {
        "kustomization.yaml",
        *kustomization["resources"],
        *generated,
    }


def _name(each: Object) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]
