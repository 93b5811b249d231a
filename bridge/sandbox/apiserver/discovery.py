"""The documents that say what is served: all in one (KEP-3352), and one by one for who asks in the old way."""

from collections.abc import Iterable, Sequence

from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import BUILT_IN, CRDS, Resource, custom
from bridge.sandbox.apiserver.scales import KIND, has_scale
from bridge.sandbox.apiserver.store import Store

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

VERSION = {
    "major": "1",
    "minor": "37",
    "gitVersion": "v1.37.2+sandbox",
    "gitCommit": "",
    "gitTreeState": "",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
"""Of the real server that the answers are held against."""


def served(store: Store) -> list[Resource]:
    """The built-in resources, and those of the definitions that are there now."""
    return [*BUILT_IN, *(one for _, definition in store.all(CRDS.storage) for one in custom(definition))]


def is_aggregated(accept: str) -> bool:
    first = accept.partition(",")[0]
    return (
        all(part in first for part in ("apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"))
        and "v2beta" not in first
    )


def document(store: Store, path: str, accept: str) -> Object | None:
    """The document at *path*, or None where there is none."""
    resources = served(store)
    match path.strip("/").split("/"):
        case ["api"]:
            if is_aggregated(accept):
                return _aggregated([resource for resource in resources if not resource.group])
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            grouped = [resource for resource in resources if resource.group]
            return _aggregated(grouped) if is_aggregated(accept) else _groups(grouped)
        case ["apis", group]:
            found = _groups([resource for resource in resources if resource.group == group])["groups"]
            return {"kind": "APIGroup", "apiVersion": "v1", **found[0]} if found else None
        case ["api", version]:
            return _plain([resource for resource in resources if not resource.group and resource.version == version])
        case ["apis", group, version]:
            return _plain(
                [resource for resource in resources if (resource.group, resource.version) == (group, version)]
            )
        case _:
            return None


def _versions(resources: Iterable[Resource]) -> dict[str, dict[str, list[Resource]]]:
    """By group, by version, in order."""
    groups: dict[str, dict[str, list[Resource]]] = {}
    for resource in resources:
        groups.setdefault(resource.group, {}).setdefault(resource.version, []).append(resource)
    return groups


def _aggregated(resources: Sequence[Resource]) -> Object:
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {"version": version, "resources": [_discovered(one) for one in members], "freshness": "Current"}
                for version, members in versions.items()
            ],
        }
        for group, versions in _versions(resources).items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(resource: Resource) -> Object:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    entry: Object = {
        "resource": resource.plural,
        "responseKind": kind,
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.one,
        "verbs": sorted(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    parts = {"status": kind} if resource.status else {}
    if has_scale(resource):
        parts["scale"] = KIND
    if parts:
        verbs = ["get", "patch", "update"]
        entry["subresources"] = [
            {"subresource": name, "responseKind": of, "verbs": verbs} for name, of in parts.items()
        ]
    return entry


def _groups(resources: Sequence[Resource]) -> Object:
    groups = []
    for group, versions in _versions(resources).items():
        listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
        groups.append({"name": group, "versions": listed, "preferredVersion": listed[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _plain(resources: Sequence[Resource]) -> Object | None:
    if not resources:
        return None
    entries = [entry for resource in resources for entry in _entries(resource)]
    version = resources[0].api_version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": entries}


def _entries(resource: Resource) -> Iterable[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.one,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": sorted(resource.verbs),
    }
    if resource.short:
        entry["shortNames"] = list(resource.short)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    yield entry
    if resource.status:
        yield entry | {"name": f"{resource.plural}/status", "singularName": "", "verbs": ["get", "patch", "update"]}
    if has_scale(resource):
        part = {"name": f"{resource.plural}/scale", "singularName": "", "verbs": ["get", "patch", "update"]}
        yield part | KIND | {"namespaced": True}
