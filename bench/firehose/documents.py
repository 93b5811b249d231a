"""What an API server says beside its objects: enough of discovery for every contestant, and names of this cluster."""

from typing import Any

Document = dict[str, Any]

VERBS = ["get", "list", "watch"]
UID = "0d5b2f6e-3c41-4c8e-9a55-8f1d2b7c6e10"
"""Of kube-system: this cluster's name for itself."""


def document(path: str) -> Document | None:
    """In the old way, without aggregated discovery: all clients know it."""
    match path.strip("/").split("/"):
        case ["version"]:
            return {"major": "1", "minor": "37", "gitVersion": "v1.37.2", "platform": "linux/amd64"}
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
        case ["api", "v1"]:
            resources = [_resource("pods", "Pod", "po"), _resource("namespaces", "Namespace", "ns")]
            return {"kind": "APIResourceList", "groupVersion": "v1", "resources": resources}
        case ["api", "v1", "namespaces", "kube-system"]:
            metadata = {"name": "kube-system", "uid": UID, "resourceVersion": "1"}
            return {"kind": "Namespace", "apiVersion": "v1", "metadata": metadata}
        case _:
            return None


def bookmark(version: int, *, ends_initial: bool) -> Document:
    metadata: Document = {"resourceVersion": str(version), "creationTimestamp": None}
    if ends_initial:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": metadata}}


def missing(path: str) -> Document:
    message = f"the firehose has no {path}"
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "message": message,
        "code": 404,
    }


def _resource(plural: str, kind: str, short: str) -> Document:
    names = {"name": plural, "singularName": kind.lower(), "kind": kind, "shortNames": [short]}
    return names | {"namespaced": plural == "pods", "verbs": VERBS}
