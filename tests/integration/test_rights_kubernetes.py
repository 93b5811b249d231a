"""The roles that `event-bridge rbac` prints, on a real API server: enough for everything, and none of it too much."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config.tree import Kubernetes
from bridge.rights.builtin import BUILT_IN
from bridge.source.discovery import Found, find
from bridge.source.session import connect
from tests.bridge_process import BridgeProcess
from tests.command import event_bridge
from tests.load import make
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, RefusedError

Object = dict[str, Any]
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SPACE = "rights-team"
NAME = "least-rights"
ACCOUNT = f"system:serviceaccount:{SPACE}:bridge"


async def test_the_printed_roles_are_enough_and_each_verb_of_them_is_needed(
    cluster: Cluster, broker: Broker, tmp_path: Path
) -> None:
    """A platform team reads them line by line, and asks of each what happens without it: `check` must know."""
    token = await asyncio.to_thread(cluster.token_for, SPACE, "bridge")
    config = config_for(cluster, broker, token)
    async with cluster.kube() as kube:
        objects = await printed(config, tmp_path, admin=str(cluster.kubeconfig))
        for each in objects:
            await kube.apply(path_of(each), each)

        before = await check(config, tmp_path)
        with BridgeProcess(config, tmp_path) as bridge:
            bridge.start()
            await asyncio.to_thread(bridge.says, "relist completed", 60)
            await make(kube, f"/api/v1/namespaces/{SPACE}/configmaps", named("least-rights-live"))
            verified = await verified_by(config, tmp_path)
            log = bridge.log.read_text()
            assert await asyncio.to_thread(bridge.terminate) == 0
        missing = {(which, verb): await without(kube, objects, which, verb, config, tmp_path) for which, verb in RIGHTS}
        after = await check(config, tmp_path)

    assert (before["code"], before["said"], after["said"]) == (0, "", "")
    assert verified == [("configmaps.rights-team", "equal"), ("deployments", "equal"), ("nodes", "equal")]
    assert "stream recovers" not in log
    assert "forbidden" not in log.lower()
    assert {right: said["said"] for right, said in missing.items()} == {right: told(*right) for right in RIGHTS}
    assert {right: said["code"] for right, said in missing.items()} == {
        right: int(right[1] != "get") for right in RIGHTS
    }


RIGHTS = [
    ("namespaces", "get"),
    ("nodes", "list"),
    ("nodes", "watch"),
    ("deployments", "list"),
    ("deployments", "watch"),
    ("configmaps", "list"),
    ("configmaps", "watch"),
]


def told(resource: str, verb: str) -> str:
    where = {
        "namespaces": "namespace kube-system",
        "nodes": "nodes in the cluster",
        "deployments": "deployments.apps in all namespaces",
        "configmaps": f"configmaps in namespace {SPACE}",
    }[resource]
    place = f" --namespace={SPACE}" if resource == "configmaps" else ""
    kind = "role" if resource == "configmaps" else "clusterrole"
    full = "deployments.apps" if resource == "deployments" else resource
    verbs = "get" if verb == "get" else "list,watch"
    only = " --resource-name=kube-system" if verb == "get" else ""
    head = "The cluster's name in the records is `unknown`. Set `cluster`, or allow what is missing: "
    return (
        f"{head if verb == 'get' else ''}{ACCOUNT} may not {verb} {where}. Allow it:"
        f"\nkubectl create {kind} event-bridge-{full}{place} --verb={verbs} --resource={full}{only}"
        f"\nkubectl create {kind}binding event-bridge-{full}{place} --{kind}=event-bridge-{full}"
        f" --serviceaccount={SPACE}:bridge"
    )


async def without(
    kube: Kube, objects: list[Object], resource: str, verb: str, config: Object, directory: Path
) -> Object:
    """What `check` says to the account whose role lacks *verb* on *resource*; the role is whole again afterwards."""
    role = next(each for each in objects if any(resource in rule["resources"] for rule in each.get("rules", [])))
    weaker = []
    for rule in role["rules"]:
        others = [other for other in rule["resources"] if other != resource]
        weaker += [{**rule, "resources": others}] if others else []
        verbs = [other for other in rule["verbs"] if other != verb]
        weaker += [{**rule, "resources": [resource], "verbs": verbs}] if resource in rule["resources"] and verbs else []
    await kube.patch(path_of(role), {"rules": weaker})
    try:
        return await check(config, directory)
    finally:
        await kube.patch(path_of(role), {"rules": role["rules"]})


async def test_nothing_but_the_printed_rights_is_had(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Least is a promise about what the account cannot do."""
    token = await asyncio.to_thread(cluster.token_for, SPACE, "bridge")
    async with cluster.kube() as kube:
        for each in await printed(config_for(cluster, broker, token), tmp_path, admin=str(cluster.kubeconfig)):
            await kube.apply(path_of(each), each)
    async with cluster.kube(token) as kube:
        assert isinstance(await kube.list(f"/api/v1/namespaces/{SPACE}/configmaps"), list)
        for refused in (
            kube.list("/api/v1/configmaps"),
            kube.get(f"/api/v1/namespaces/{SPACE}/configmaps/none"),
            kube.get("/api/v1/namespaces/default"),
            kube.list("/api/v1/namespaces"),
            kube.list("/api/v1/secrets"),
            kube.get("/api/v1/nodes/none"),
            kube.delete("/apis/apps/v1/namespaces/default/deployments/none"),
        ):
            with pytest.raises(RefusedError) as error:
                await refused
            assert error.value.status == 403


async def test_what_is_printed_offline_is_the_same(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """A pipeline has no cluster, and reviews what will be applied to one."""
    config = config_for(cluster, broker, "no-token")
    asked = await printed(config, tmp_path, admin=str(cluster.kubeconfig))
    config["kubernetes"]["kubeconfig"] = str(tmp_path / "none")

    assert await printed(config, tmp_path) == asked
    assert await printed(config, tmp_path, "--offline") == asked


async def test_a_resource_that_nobody_knows_is_told(cluster: Cluster, broker: Broker, tmp_path: Path) -> None:
    """Rather than a role that allows nothing."""
    config = config_for(cluster, broker, cluster.token)
    config["watches"] = [{"resource": "gizmos"}]

    asked = await event_bridge("rbac", config, tmp_path)
    offline = await event_bridge("rbac", config, tmp_path, "--offline")

    assert (asked.code, asked.output, offline.code, offline.output) == (1, "", 1, "")
    assert "has no resource 'gizmos'" in asked.errors
    assert "gizmos is no built-in resource, and no API server was asked (--offline). Write it with" in offline.errors


async def test_the_built_in_resources_are_those_of_the_real_server(cluster: Cluster) -> None:
    """Whoever is offline relies on the table."""
    session = await connect(Kubernetes(kubeconfig=str(cluster.kubeconfig)))
    try:
        for resource, short in BUILT_IN:
            names = [resource.name, resource.kind if not resource.group else resource.name]
            names += short if resource.group != "events.k8s.io" else ()
            for name in names:
                found = await find(session, name)
                assert isinstance(found, Found), name
                assert found.resource == resource, name
    finally:
        await session.close()


async def printed(config: Object, directory: Path, *arguments: str, admin: str = "") -> list[Object]:
    """By somebody who may ask the API server."""
    if admin:
        config = {**config, "kubernetes": {"kubeconfig": admin}}
    arguments = (*arguments, "--service-account", "bridge", "--namespace", SPACE)
    answer = await event_bridge("rbac", config, directory, *arguments)
    assert (answer.code, answer.errors) == (0, "")
    return [each for each in yaml.safe_load_all(answer.output) if each is not None]


async def check(config: Object, directory: Path) -> Object:
    """The exit code, and everything that it has to say."""
    answer = await event_bridge("check", config, directory, "--output", "json")
    report = json.loads(answer.output)
    words = [report["kubernetes"]["problem"], report["kubernetes"]["note"], report["kafka"]["problem"]]
    words += [problem for stream in report["streams"] for problem in stream["problems"]]
    return {"code": answer.code, "said": "\n".join(filter(None, words))}


async def verified_by(config: Object, directory: Path) -> list[tuple[str, str]]:
    answer = await event_bridge("verify", config, directory, "--output", "json")
    streams = json.loads(answer.output)["streams"]
    return sorted((stream["name"], stream["verdict"]) for stream in streams)


def path_of(each: Object) -> str:
    plural = f"{each['kind'].lower()}s"
    space = each["metadata"].get("namespace")
    return f"{RBAC}/{f'namespaces/{space}/' if space else ''}{plural}/{each['metadata']['name']}"


def named(name: str) -> Object:
    return {"metadata": {"name": name, "namespace": SPACE}, "data": {"a": "b"}}


def config_for(cluster: Cluster, broker: Broker, token: str) -> Object:
    return {
        "name": NAME,
        "kubernetes": {"kubeconfig": str(cluster.kubeconfig_for(token))},
        "kafka": {"bootstrapServers": broker.bootstrap},
        "topics": {"partitions": 2},
        "checkpoints": {"partitions": 2},
        "watches": [
            {
                "resource": "cm",
                "name": "configmaps",
                "namespaces": [SPACE],
                "topic": f"{NAME}.configmaps.{{namespace}}",
            },
            {"resource": "deploy", "name": "deployments", "topic": f"{NAME}.deployments"},
            {"resource": "nodes", "topic": f"{NAME}.nodes"},
        ],
    }
