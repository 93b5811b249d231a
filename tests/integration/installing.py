"""What installing means where no kubelet is: manifests applied, a pod admitted, and the bridge run by hand.

It runs with the ConfigMap's very file, the Deployment's environment, and a real token of the ServiceAccount.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bridge_process import BridgeProcess
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, RefusedError
from tests.tools.kustomize import Object, bridge_of, config_of, one

ROOT = Path(__file__).parent.parent.parent
STRICT = {"fieldValidation": "Strict"}
"""As kubectl: a field that the server does not know is refused, not dropped."""
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
ANY_PORT = 'listen: "127.0.0.1:0"'


async def define(kube: Kube, definitions: list[Object]) -> None:
    """Custom resources, until they are served."""
    for each in definitions:
        await kube.apply(path_of(each), each)
    async with asyncio.timeout(60):
        for each in definitions:
            await _served(kube, path_of(each))


async def _served(kube: Kube, path: str) -> None:
    while True:
        conditions = (await kube.get(path)).get("status", {}).get("conditions", [])
        if any(each["type"] == "Established" and each["status"] == "True" for each in conditions):
            return
        await asyncio.sleep(0.2)


async def apply(kube: Kube, objects: list[Object]) -> list[Object]:
    """Server-side, as `kubectl apply -k --server-side` does: first only tried, then for real. As they are then.

    A namespace must be there before what is in it is tried.
    """
    for each in objects:
        if each["kind"] == "Namespace":
            await kube.apply(path_of(each), each, **STRICT)
    for each in objects:
        await kube.apply(path_of(each), each, **STRICT, dryRun="All")
    return [await kube.apply(path_of(each), each, **STRICT) for each in objects]


def path_of(each: Object) -> str:
    version, metadata = each["apiVersion"], each["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{where}/{_plural(each['kind'])}/{metadata['name']}"


def _plural(kind: str) -> str:
    """Of the kinds that are used here, in English."""
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


async def made(kube: Kube, space: str) -> None:
    """A namespace that takes restricted pods only."""
    labels = {"name": space, "labels": RESTRICTED}
    await kube.apply(f"/api/v1/namespaces/{space}", {"apiVersion": "v1", "kind": "Namespace", "metadata": labels})


async def admitted(kube: Kube, objects: list[Object]) -> str:
    """A pod as the Deployment's controller would make it, in a namespace that takes restricted pods only. Its name."""
    deployment = one(objects, "Deployment")
    template, space = deployment["spec"]["template"], deployment["metadata"]["namespace"]
    metadata = {"generateName": "admitted-", "labels": template["metadata"]["labels"]}
    pods = f"/api/v1/namespaces/{space}/pods"
    pod = await kube.create(pods, {"metadata": metadata, "spec": template["spec"]})
    with pytest.raises(RefusedError, match="PodSecurity"):
        await kube.create(pods, {"metadata": metadata, "spec": {"containers": [{"name": "a", "image": "b"}]}})
    name: str = pod["metadata"]["name"]
    return name


def token(cluster: Cluster, objects: list[Object]) -> str:
    deployment = one(objects, "Deployment")
    return cluster.token_for(
        deployment["metadata"]["namespace"], deployment["spec"]["template"]["spec"]["serviceAccountName"]
    )


def environment(cluster: Cluster, broker: Broker, objects: list[Object]) -> dict[str, str]:
    """What the container gets, on this machine: another broker, and a kubeconfig in place of the mounted token."""
    deployment = one(objects, "Deployment")
    fields = {"metadata.namespace": deployment["metadata"]["namespace"]}
    given = bridge_of(deployment)["env"]
    values = {e["name"]: e.get("value") or fields[e["valueFrom"]["fieldRef"]["fieldPath"]] for e in given}
    assert values["KAFKA_BOOTSTRAP_SERVERS"] == "kafka.kafka.svc:9092"
    kubeconfig = cluster.kubeconfig_for(token(cluster, objects))
    return {**values, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "KUBECONFIG": str(kubeconfig)}


def bridge(
    cluster: Cluster, broker: Broker, objects: list[Object], directory: Path, pod: str = "bridge"
) -> BridgeProcess:
    """Its file is the ConfigMap's, but for the port: a pod has its own."""
    place = directory / pod
    place.mkdir()
    config = re.sub(r"listen: \S+", ANY_PORT, config_of(objects))
    return BridgeProcess(config, place, {**environment(cluster, broker, objects), "HOSTNAME": pod})


def port_of(objects: list[Object]) -> int:
    """The one that the ConfigMap's file says, or the default."""
    listen: str = yaml.safe_load(config_of(objects)).get("http", {}).get("listen", "0.0.0.0:8080")
    return int(listen.rpartition(":")[2])


async def check(cluster: Cluster, broker: Broker, objects: list[Object], directory: Path) -> tuple[int, dict[str, Any]]:
    """`event-bridge check` in the container: its exit code and what it tells."""
    (directory / "bridge.yaml").write_text(config_of(objects))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "check", "-c", str(directory / "bridge.yaml"), "--output", "json"),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment(cluster, broker, objects)},
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)
