"""Renders the kustomizations of `k8s/`: just the features that they use, so that a test needs no kubectl.

Where kubectl is there, a test compares the two.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

KNOWN = {"apiVersion", "kind", "resources", "configMapGenerator"}


def render(folder: Path) -> list[Object]:
    """The objects as `kubectl apply -k` would send them, in the order of the file."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(kustomization) <= KNOWN, "this renderer knows no other fields"
    objects: list[Object] = [yaml.safe_load((folder / name).read_text()) for name in kustomization["resources"]]
    names = {}
    for generator in kustomization["configMapGenerator"]:
        made = _config_map(folder, generator)
        names[generator["name"]] = made["metadata"]["name"]
        objects.append(made)
    for each in objects:
        if each["kind"] == "Deployment":
            _refer(each, names)
    return objects


def _config_map(folder: Path, generator: Object) -> Object:
    data = {name: (folder / name).read_text() for name in generator["files"]}
    name = f"{generator['name']}-{_hash(data)}"
    metadata = {"name": name, "namespace": generator["namespace"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _hash(data: dict[str, str]) -> str:
    """As kustomize's api/hasher: the content's sha256, in letters that cannot make words. The name it leaves empty."""
    content = {"data": data, "kind": "ConfigMap", "name": ""}
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")  # Go's json.Marshal escapes HTML
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return digest.translate(str.maketrans("013ae", "ghkmt"))


def _refer(deployment: Object, names: dict[str, str]) -> None:
    for volume in deployment["spec"]["template"]["spec"]["volumes"]:
        config_map = volume["configMap"]
        config_map["name"] = names[config_map["name"]]
