"""As much of OpenAPI as kubectl asks before it writes: that every kind leaves the checking of fields to the server."""

from bridge.sandbox.apiserver.discovery import VERSION, served
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Resource
from bridge.sandbox.apiserver.store import Store

_INFO = {"title": "sandbox", "version": VERSION["gitVersion"]}
_CHECKED = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in ("fieldValidation", "fieldManager")]
"""With `fieldValidation` there, kubectl validates nothing itself (query_param_verifier_v3.go)."""


def document(store: Store, path: str) -> Object | None:
    """The document at *path*, or None where there is none."""
    if not path.startswith("/openapi/"):
        return None
    roots = {_root(resource): resource.api_version for resource in served(store)}
    if path == "/openapi/v2":
        return {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}}
    if path == "/openapi/v3":
        return {"paths": {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}}
    version = roots.get(path.removeprefix("/openapi/v3/"))
    if version is None:
        return None
    found = [resource for resource in served(store) if resource.api_version == version]
    return {"openapi": "3.0.0", "info": _INFO, "paths": dict(_path(resource) for resource in found), "components": {}}


def _root(resource: Resource) -> str:
    return f"apis/{resource.api_version}" if resource.group else f"api/{resource.version}"


def _path(resource: Resource) -> tuple[str, Object]:
    kind = {"group": resource.group, "version": resource.version, "kind": resource.kind}
    where = "namespaces/{namespace}/" if resource.namespaced else ""
    operation = {"parameters": _CHECKED, "responses": {}, "x-kubernetes-group-version-kind": kind}
    patch = operation | {"x-kubernetes-action": "patch"}
    return f"/{_root(resource)}/{where}{resource.plural}/{{name}}", {"patch": patch}
