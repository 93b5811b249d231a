"""The manifests, on a real API server: their account can do the bridge's work, and no more."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.arriving import delivered, keys_in, synced
from tests.integration.installing import admitted, apply, bridge, check, made, path_of, token
from tests.load import make
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.servers.kube import Kube, RefusedError
from tests.tools.kustomize import Object, one, render
from tests.web.running import ask, until, url_of

CLUSTER_ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/event-bridge"


async def test_base_applies_and_its_account_carries_changes(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path
) -> None:
    """All that a user gets from `kubectl apply -k k8s/base`, but the kubelet."""
    base = render(tools, "base")
    async with cluster.kube() as kube:
        await apply(kube, base)
        pod = await admitted(kube, base)
        with bridge(cluster, broker, base, tmp_path) as process:
            process.start()
            await synced(broker, "k8s.events", "events", process)
            await make(kube, "/api/v1/namespaces/default/events", event("default", "from-base"))
            record = await delivered(broker, "k8s.events", "events/default/from-base", process)

            assert record.value.type == "ADDED"
            assert record.value.cluster == await uid_of(kube), "the account may read the uid of kube-system"
            assert (await delivered(broker, "k8s.pods", f"pods/event-bridge/{pod}", process)).value.type == "LISTED"
            assert "forbidden" not in process.log.read_text().lower()
            assert await asyncio.to_thread(process.terminate) == 0


async def test_base_account_can_only_read_what_it_watches(cluster: Cluster, tools: Path) -> None:
    """Least privilege is promised: nothing is written, and nothing else is read, not even one pod by its name."""
    base = render(tools, "base")
    async with cluster.kube() as admin:
        await apply(admin, base)
        pod = await admitted(admin, base)
    async with cluster.kube(token(cluster, base)) as kube:
        assert isinstance(await kube.list("/api/v1/pods"), list)
        assert (await kube.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
        for refused in (
            kube.list("/api/v1/secrets"),
            kube.list("/api/v1/configmaps"),
            kube.get("/api/v1/namespaces/default"),
            kube.get(f"/api/v1/namespaces/event-bridge/pods/{pod}"),
            kube.delete("/api/v1/namespaces/default/pods/none"),
            kube.create("/api/v1/namespaces/default/events", event("default", "forged")),
        ):
            with pytest.raises(RefusedError) as error:
                await refused
            assert error.value.status == 403


async def test_the_probes_of_the_manifests_are_answered(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path
) -> None:
    """A path that is misspelt would have the kubelet kill the pod for ever."""
    base = render(tools, "overlays/single")
    (container,) = one(base, "Deployment")["spec"]["template"]["spec"]["containers"]
    paths = [container[f"{each}Probe"]["httpGet"]["path"] for each in ("startup", "liveness", "readiness")]
    async with cluster.kube() as kube:
        await apply(kube, base)
    with bridge(cluster, broker, base, tmp_path) as process:
        process.start()
        url = await asyncio.to_thread(url_of, process)
        await asyncio.to_thread(until, url, paths[-1], lambda answer: answer.status == 200, process)
        answers = [(await asyncio.to_thread(ask, url, path)).text for path in paths]
        code = await asyncio.to_thread(process.terminate)

    assert (answers, code) == (["ok\n", "ok\n", "ok\n"], 0)


async def test_one_namespace_needs_no_right_in_the_cluster(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path
) -> None:
    """A team's own bridge: nothing that is applied lies outside its namespace, and it runs all the same."""
    ours = render(tools, "overlays/one-namespace")
    assert {each["metadata"].get("namespace") for each in ours} == {"team-a"}
    async with cluster.kube() as kube:
        await made(kube, "team-a")
        await apply(kube, ours)
        pod = await admitted(kube, ours)
        with bridge(cluster, broker, ours, tmp_path) as process:
            process.start()
            await synced(broker, "k8s.team-a.pods", "pods.team-a", process)
            await make(kube, "/api/v1/namespaces/team-a/events", event("team-a", "ours"))
            record = await delivered(broker, "k8s.team-a.events", "events/team-a/ours", process)
            listed = await delivered(broker, "k8s.team-a.pods", f"pods/team-a/{pod}", process)
            assert await asyncio.to_thread(process.terminate) == 0
    async with cluster.kube(token(cluster, ours)) as account:
        with pytest.raises(RefusedError, match="cannot list resource"):
            await account.list("/api/v1/pods")

    assert [(each.value.type, each.value.cluster) for each in (listed, record)] == [
        ("LISTED", "my-cluster"),
        ("ADDED", "my-cluster"),
    ]


async def test_sidecars_share_the_events_of_their_own_namespace(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path
) -> None:
    """Two pods of an application, each with the bridge in it: one publishes, and the other goes on when it ends."""
    sidecar = render(tools, "sidecar")
    async with cluster.kube() as kube:
        await made(kube, "shop")
        await apply(kube, sidecar)
        await admitted(kube, sidecar)
        with (
            bridge(cluster, broker, sidecar, tmp_path, "shop-1") as first,
            bridge(cluster, broker, sidecar, tmp_path, "shop-2") as second,
        ):
            first.start()
            await synced(broker, "k8s.shop.events", "events.shop", first)
            second.start()
            url = await asyncio.to_thread(url_of, second)
            await asyncio.to_thread(until, url, "/readyz", lambda answer: answer.status == 200, second)
            await make(kube, "/api/v1/namespaces/default/events", event("default", "elsewhere"))
            await make(kube, "/api/v1/namespaces/shop/events", event("shop", "with-both"))
            before = await delivered(broker, "k8s.shop.events", "events/shop/with-both", first)
            assert await asyncio.to_thread(first.terminate) == 0
            await make(kube, "/api/v1/namespaces/shop/events", event("shop", "with-one"))
            after = await delivered(broker, "k8s.shop.events", "events/shop/with-one", second)
            keys = await keys_in(broker, "k8s.shop.events")
            assert await asyncio.to_thread(second.terminate) == 0

    told = [(each.value.type, each.value.stream, each.value.cluster) for each in (before, after)]
    assert told == [("ADDED", "events.shop", "my-cluster")] * 2
    assert before.value.epoch == after.value.epoch, "a handover is no gap"
    assert sorted(key for key in keys if key.startswith("events/")) == ["events/shop/with-both", "events/shop/with-one"]


@pytest.mark.parametrize(("verbs", "missing"), [(["watch"], "list"), (["list"], "watch")])
async def test_check_names_the_verb_that_is_missing(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path, verbs: list[str], missing: str
) -> None:
    """The commonest mistake in a role; and the commands that `check` prints mend it."""
    base = render(tools, "base")
    async with cluster.kube() as kube:
        await apply(kube, base)
        rules = one(base, "ClusterRole")["rules"]
        weaker = [{**rule, "verbs": verbs} if "pods" in rule["resources"] else rule for rule in rules]
        await kube.patch(CLUSTER_ROLE, {"rules": weaker})
        try:
            code, report = await check(cluster, broker, base, tmp_path)
        finally:
            await kube.patch(CLUSTER_ROLE, {"rules": rules})
        mended, _ = await check(cluster, broker, base, tmp_path)

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


async def test_check_passes_with_the_rights_of_every_overlay(
    cluster: Cluster, broker: Broker, tools: Path, tmp_path: Path
) -> None:
    """What the manifests grant is what their config files need; the one of Strimzi has a Kafka that is not here."""
    found = {}
    async with cluster.kube() as kube:
        await made(kube, "team-a")
        await made(kube, "shop")
        for folder in ("base", "overlays/single", "overlays/high-availability", "overlays/one-namespace", "sidecar"):
            objects = render(tools, folder)
            await apply(kube, objects)
            found[folder] = await said(kube, objects, cluster, broker, tmp_path)

    assert found == dict.fromkeys(found, (0, []))


async def said(
    kube: Kube, objects: list[Object], cluster: Cluster, broker: Broker, directory: Path
) -> tuple[int, list[str]]:
    code, report = await check(cluster, broker, objects, directory)
    for each in objects:
        if each["kind"] == "Deployment":
            await kube.delete(path_of(each))
    return code, [problem for stream in report["streams"] for problem in stream["problems"]]


async def uid_of(kube: Kube) -> str:
    uid: str = (await kube.get("/api/v1/namespaces/kube-system"))["metadata"]["uid"]
    return uid


def event(space: str, name: str) -> Object:
    about = {"apiVersion": "v1", "kind": "Pod", "name": "web-1", "namespace": space}
    return {
        "metadata": {"name": name, "namespace": space},
        "involvedObject": about,
        "reason": "Tested",
        "type": "Normal",
    }
