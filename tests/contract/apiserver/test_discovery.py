"""Discovery: every resource of the sandbox is called as the real server calls it; definitions add to them."""

import asyncio
import secrets
from typing import Any

import pytest

from bridge.sandbox.apiserver.resources import BUILT_IN, Resource
from tests.contract.apiserver.client import Client, Object, Reply, everything, is_about, told, until
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_lists import names
from tests.contract.apiserver.test_writes import failed

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


def as_discovered(resource: Resource) -> Object:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    return {
        "resource": resource.plural,
        "kind": kind["kind"],
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singular": resource.one,
        "short": list(resource.short),
        "categories": [name for name in resource.categories if name == "all"],
        "verbs": set(resource.verbs) - {"deletecollection"},
    }


def in_short(entry: Object) -> Object:
    return {
        "resource": entry["resource"],
        "kind": entry["responseKind"]["kind"],
        "scope": entry["scope"],
        "singular": entry["singularResource"],
        "short": entry.get("shortNames", []),
        "categories": [name for name in entry.get("categories", []) if name == "all"],
        "verbs": set(entry["verbs"]) - {"deletecollection"},
    }


async def test_all_in_one_document(side: Side) -> None:
    """What kubectl and the bridge ask for first."""
    async with side.client() as client:
        core, groups = await client.get("/api", AGGREGATED), await client.get("/apis", AGGREGATED)

    served = {
        (group["metadata"].get("name", ""), version["version"]): [in_short(entry) for entry in version["resources"]]
        for reply in (core, groups)
        for group in reply.body["items"]
        for version in group["versions"]
    }
    missing = [one for one in BUILT_IN if as_discovered(one) not in served[one.group, one.version]]
    assert missing == []
    assert {reply.body["kind"] for reply in (core, groups)} == {"APIGroupDiscoveryList"}
    with_status = {one.plural for one in BUILT_IN if one.status}
    assert {name for name in with_status if not any(has_status(reply, name) for reply in (core, groups))} == set()


def has_status(reply: Reply, plural: str) -> bool:
    entries = [e for group in reply.body["items"] for version in group["versions"] for e in version["resources"]]
    found: list[Any] = [e.get("subresources", []) for e in entries if e["resource"] == plural]
    return any(part["subresource"] == "status" for parts in found for part in parts)


async def test_one_by_one_in_the_old_way(side: Side) -> None:
    async with side.client() as client:
        core, groups = await client.get("/api"), await client.get("/apis")
        plain, apps, group = (
            await client.get("/api/v1"),
            await client.get("/apis/apps/v1"),
            await client.get("/apis/apps"),
        )

    assert (core.body["kind"], core.body["versions"]) == ("APIVersions", ["v1"])
    assert (groups.body["kind"], plain.body["kind"], group.body["kind"]) == (
        "APIGroupList",
        "APIResourceList",
        "APIGroup",
    )
    version = {"groupVersion": "apps/v1", "version": "v1"}
    expected = {"name": "apps", "versions": [version], "preferredVersion": version}
    assert expected in groups.body["groups"]
    assert group.body == {"kind": "APIGroup", "apiVersion": "v1", **expected}
    pods = next(entry for entry in plain.body["resources"] if entry["name"] == "pods")
    assert (pods["kind"], pods["namespaced"], pods["singularName"], pods["shortNames"]) == ("Pod", True, "pod", ["po"])
    assert {"deployments", "deployments/status"} <= {entry["name"] for entry in apps.body["resources"]}


async def test_paths_that_are_not_served(side: Side) -> None:
    """An unknown resource of a known version is a Status, all else is plain text."""
    async with side.client() as client:
        found = [await client.get(path) for path in ("/nosuch", "/apis/x.y/v1/foos", "/api/v1/nosuch")]

    text = Reply(404, "404 page not found\n")
    status = failed(404, "NotFound", "the server could not find the requested resource", {})
    assert found == [text, text, status]


async def test_probes_and_version(side: Side) -> None:
    async with side.client() as client:
        probes = [await client.get(path, "*/*") for path in ("/readyz", "/livez", "/healthz")]
        version = await client.get("/version")

    assert probes == [Reply(200, "ok")] * 3
    assert (version.body["major"], version.body["minor"]) == ("1", "37")


@pytest.fixture
def group() -> str:
    """One for each run: the real server is shared, and is slow to forget a definition."""
    return f"g{secrets.token_hex(3)}.example.com"


def definition(group: str) -> Object:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "shortNames": ["wd"], "listKind": "Widgetry"}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [version]}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": spec,
    }


async def test_a_definition_becomes_a_resource_and_goes(side: Side, group: str) -> None:
    """Its objects are told as deleted, its watches end, its path is 404."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    path = f"/apis/{group}/v1/namespaces/default/widgets"
    body = {"apiVersion": f"{group}/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    async with side.client() as client:
        made = await client.post(crds, definition(group))
        await answers(client, path, 200)
        first = await client.post(path, body)
        unversioned = await client.put(f"{path}/w", body | {"spec": {"size": 2}})
        second = await client.patch(f"{path}/w", {"spec": {"size": 2}})
        strategic = await client.patch(f"{path}/w", {"spec": {"size": 3}}, "application/strategic-merge-patch+json")
        listed = await client.get(path)
        documents = await client.get(f"/apis/{group}/v1")
        async with client.watch(path, resourceVersion=listed.body["metadata"]["resourceVersion"]) as events:
            await client.delete(f"{crds}/widgets.{group}")
            gone = [*await until(events, is_about("w")), *await everything(events)]
        await answers(client, path, 404)

    assert (made.status, first.status, second.status, strategic.status) == (201, 201, 200, 415)
    assert [one.body["metadata"]["generation"] for one in (first, second)] == [1, 2]
    assert (unversioned.status, unversioned.body["details"]["causes"][0]["field"]) == (422, "metadata.resourceVersion")
    assert (listed.body["kind"], list(listed.body)) == ("Widgetry", ["apiVersion", "items", "kind", "metadata"])
    assert (listed.body["items"], names(listed)) == ([second.body], ["w"])
    (entry,) = documents.body["resources"]
    assert (entry["name"], entry["kind"], entry["shortNames"]) == ("widgets", "Widget", ["wd"])
    assert told(gone) == [("DELETED", "w")]


async def answers(client: Client, path: str, status: int) -> None:
    """The real server takes a moment to serve a definition, and to cease."""
    async with asyncio.timeout(60):
        while (await client.get(path)).status != status:  # noqa: ASYNC110  # another process does it
            await asyncio.sleep(0.05)
