"""What `kubectl apply -k` would send, by the real kustomize."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

K8S = Path(__file__).parent.parent.parent / "k8s"


def folders() -> list[str]:
    """Everything in `k8s/` that can be applied."""
    return sorted(str(file.parent.relative_to(K8S)) for file in K8S.rglob("kustomization.yaml"))


def render(tools: Path, folder: str | Path) -> list[Object]:
    """Of a folder in `k8s/`, or any other. In kustomize's order, in which each may be applied after those before."""
    command = [str(tools / "bin" / "kustomize"), "build", str(K8S / folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return list(yaml.safe_load_all(built.stdout))


def one(objects: list[Object], kind: str) -> Object:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def bridge_of(deployment: Object) -> Object:
    """The bridge's container, which may be a sidecar."""
    spec = deployment["spec"]["template"]["spec"]
    containers = [*spec.get("initContainers", []), *spec["containers"]]
    (found,) = [each for each in containers if each["name"] == "event-bridge"]
    return dict(found)


def config_of(objects: list[Object]) -> str:
    """The config file, as the pod mounts it."""
    maps = {each["metadata"]["name"]: each for each in objects if each["kind"] == "ConfigMap"}
    volumes = one(objects, "Deployment")["spec"]["template"]["spec"]["volumes"]
    (name,) = [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]
    text: str = maps[name]["data"]["bridge.yaml"]
    return text
