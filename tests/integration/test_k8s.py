"""The manifests, on a real API server: they apply, pods are admitted, and their account can do its work and no more.

There is no kubelet, so the bridge runs here: with the ConfigMap's very file, the Deployment's environment, and a real
token of the ServiceAccount.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.records import Record, parse
from tests.audit.topics import read_topics
from tests.bridge_process import BridgeProcess
from tests.kustomize import Object, render
from tests.load import make
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, RefusedError

ROOT = Path(__file__).parent.parent.parent
PLURALS = {
    "Namespace": "namespaces",
    "ServiceAccount": "serviceaccounts",
    "ConfigMap": "configmaps",
    "Deployment": "deployments",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "Role": "roles",
    "RoleBinding": "rolebindings",
}
PATIENCE = 60.0
"""Seconds: the bridge starts within two on an idle machine."""
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


async def test_base_applies_and_its_account_carries_changes(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """All that a user gets from `kubectl apply -k k8s/base`, but the kubelet."""
    async with cluster.kube() as kube:
        deployment = await apply(kube, "base")
        pod = await admitted(kube, deployment)
        with bridge(cluster, broker, deployment, config_of("base"), tmp_path) as process:
            process.start()
            await synced(broker, "k8s.events", "events", process)
            await make(kube, "/api/v1/namespaces/default/events", event("default", "from-base"))
            record = await delivered(broker, "k8s.events", "events/default/from-base", process)

            assert record.value.type == "ADDED"
            assert record.value.cluster == await uid_of(kube), "the account may read the uid of kube-system"
            assert (await delivered(broker, "k8s.pods", f"pods/event-bridge/{pod}", process)).value.type == "LISTED"
            assert await asyncio.to_thread(process.terminate) == 0


async def test_base_account_can_only_read_what_it_watches(cluster: Cluster) -> None:
    """Least privilege is promised: nothing is written, and nothing else is read."""
    async with cluster.kube() as admin:
        deployment = await apply(admin, "base")
    async with cluster.kube(token(cluster, deployment)) as kube:
        assert isinstance(await kube.list("/api/v1/pods"), list)
        for refused in (
            kube.list("/api/v1/secrets"),
            kube.list("/api/v1/configmaps"),
            kube.get("/api/v1/namespaces/default"),
            kube.delete("/api/v1/namespaces/default/pods/none"),
            kube.create("/api/v1/namespaces/default/events", event("default", "forged")),
        ):
            with pytest.raises(RefusedError) as error:
                await refused
            assert error.value.status == 403


async def test_sidecar_applies_and_needs_no_right_outside_its_namespace(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """A team without rights in the cluster can carry the bridge in its own pod."""
    async with cluster.kube() as kube:
        await kube.apply("/api/v1/namespaces/shop", namespace("shop", RESTRICTED))
        deployment = await apply(kube, "sidecar")
        await admitted(kube, deployment)
        with bridge(cluster, broker, deployment, config_of("sidecar"), tmp_path) as process:
            process.start()
            await synced(broker, "k8s.shop.events", "events.shop", process)
            await make(kube, "/api/v1/namespaces/default/events", event("default", "elsewhere"))
            await make(kube, "/api/v1/namespaces/shop/events", event("shop", "from-sidecar"))
            record = await delivered(broker, "k8s.shop.events", "events/shop/from-sidecar", process)
            keys = await keys_in(broker, "k8s.shop.events")
            assert await asyncio.to_thread(process.terminate) == 0

    assert (record.value.type, record.value.stream, record.value.cluster) == ("ADDED", "events.shop", "my-cluster")
    assert not [key for key in keys if "elsewhere" in key]


@pytest.mark.parametrize(("verbs", "missing"), [(["get", "watch"], "list"), (["get", "list"], "watch")])
async def test_check_names_the_verb_that_is_missing(
    cluster: Cluster, broker: Broker, tmp_path: Path, verbs: list[str], missing: str
) -> None:
    """The commonest mistake in a role; and the commands that `check` prints mend it."""
    async with cluster.kube() as kube:
        deployment = await apply(kube, "base")
        role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/event-bridge"
        rules = (await kube.get(role))["rules"]
        weaker = [{**rule, "verbs": verbs} if "pods" in rule["resources"] else rule for rule in rules]
        await kube.patch(role, {"rules": weaker})
        try:
            code, report = await check(cluster, broker, deployment, tmp_path)
        finally:
            await kube.patch(role, {"rules": rules})
        mended, _ = await check(cluster, broker, deployment, tmp_path)

    account = "system:serviceaccount:event-bridge:event-bridge"
    pods = next(stream for stream in report["streams"] if stream["name"] == "pods")
    assert (code, mended) == (1, 0)
    assert report["kubernetes"]["account"] == account
    assert pods["access"] == {"list": "list" in verbs, "watch": "watch" in verbs}
    (problem,) = pods["problems"]
    assert problem == (
        f"{account} may not {missing} pods in all namespaces. Allow it:"
        "\nkubectl create clusterrole event-bridge-pods --verb=list,watch --resource=pods"
        "\nkubectl create clusterrolebinding event-bridge-pods --clusterrole=event-bridge-pods"
        " --serviceaccount=event-bridge:event-bridge"
    )


async def apply(kube: Kube, folder: str) -> Object:
    """Server-side, as `kubectl apply -k --server-side` does. Returns the Deployment as it is then."""
    applied = {}
    for each in render(ROOT / "k8s" / folder):
        applied[each["kind"]] = await kube.apply(path_of(each), each)
    return applied["Deployment"]


def path_of(each: Object) -> str:
    version, metadata = each["apiVersion"], each["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    where = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{root}{where}/{PLURALS[each['kind']]}/{metadata['name']}"


async def admitted(kube: Kube, deployment: Object) -> str:
    """A pod as the Deployment's controller would make it, in a namespace that takes restricted pods only. Its name."""
    template, space = deployment["spec"]["template"], deployment["metadata"]["namespace"]
    metadata = {"generateName": "admitted-", "labels": template["metadata"]["labels"]}
    pods = f"/api/v1/namespaces/{space}/pods"
    pod = await kube.create(pods, {"metadata": metadata, "spec": template["spec"]})
    with pytest.raises(RefusedError, match="PodSecurity"):
        await kube.create(pods, {"metadata": metadata, "spec": {"containers": [{"name": "a", "image": "b"}]}})
    name: str = pod["metadata"]["name"]
    return name


def config_of(folder: str) -> str:
    (config,) = [each["data"]["bridge.yaml"] for each in render(ROOT / "k8s" / folder) if each["kind"] == "ConfigMap"]
    text: str = config
    return text


def token(cluster: Cluster, deployment: Object) -> str:
    spec = deployment["spec"]["template"]["spec"]
    return cluster.token_for(deployment["metadata"]["namespace"], spec["serviceAccountName"])


def environment(cluster: Cluster, broker: Broker, deployment: Object) -> dict[str, str]:
    """What the container gets, on this machine: another broker, and a kubeconfig in place of the mounted token."""
    spec = deployment["spec"]["template"]["spec"]
    (container,) = [c for c in [*spec["containers"], *spec.get("initContainers", [])] if c["name"] == "event-bridge"]
    fields = {"metadata.namespace": deployment["metadata"]["namespace"]}
    values = {e["name"]: e.get("value") or fields[e["valueFrom"]["fieldRef"]["fieldPath"]] for e in container["env"]}
    assert values["KAFKA_BOOTSTRAP_SERVERS"] == "kafka.kafka.svc:9092"
    kubeconfig = cluster.kubeconfig_for(token(cluster, deployment))
    return {**values, "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap, "KUBECONFIG": str(kubeconfig)}


def bridge(cluster: Cluster, broker: Broker, deployment: Object, config: str, directory: Path) -> BridgeProcess:
    return BridgeProcess(config, directory, environment(cluster, broker, deployment))


async def check(cluster: Cluster, broker: Broker, deployment: Object, directory: Path) -> tuple[int, dict[str, Any]]:
    (directory / "bridge.yaml").write_text(config_of("base"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "check", "-c", str(directory / "bridge.yaml"), "--output", "json"),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment(cluster, broker, deployment)},
    )
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, json.loads(output)


async def delivered(broker: Broker, topic: str, key: str, process: BridgeProcess) -> Record:
    """The last record of *key*, as soon as there is one."""
    return await until(lambda record: record.key == key, broker, topic, process)


async def synced(broker: Broker, topic: str, stream: str, process: BridgeProcess) -> Record:
    """From now on changes are live ones."""
    return await until(lambda record: (record.key, record.value.type) == (stream, "SYNCED"), broker, topic, process)


async def until(wanted: Callable[[Record], bool], broker: Broker, topic: str, process: BridgeProcess) -> Record:
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [record for record in await records(broker, topic) if wanted(record)]
            if found:
                return found[-1]
            assert process.is_running, process.tail()
            await asyncio.sleep(0.3)


async def keys_in(broker: Broker, topic: str) -> list[str]:
    return [record.key for record in await records(broker, topic)]


async def records(broker: Broker, topic: str) -> list[Record]:
    try:
        (log,) = await read_topics(broker.bootstrap, [topic])
    except LookupError:  # the bridge makes it when it needs it
        return []
    return [record for record in map(parse, log.entries) if isinstance(record, Record)]


async def uid_of(kube: Kube) -> str:
    uid: str = (await kube.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
    return uid


def namespace(name: str, labels: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def event(space: str, name: str) -> Object:
    about = {"apiVersion": "v1", "kind": "Pod", "name": "web-1", "namespace": space}
    return {
        "metadata": {"name": name, "namespace": space},
        "involvedObject": about,
        "reason": "Tested",
        "type": "Normal",
    }
