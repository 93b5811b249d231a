"""The scale of what has replicas: all that `kubectl scale` reads and writes."""

from typing import Any

from bridge.sandbox.apiserver.refusals import Object, bad_request
from bridge.sandbox.apiserver.resources import Resource

KIND = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
_SCALED = ("deployments", "replicasets", "statefulsets")


def has_scale(resource: Resource) -> bool:
    return resource.group == "apps" and resource.plural in _SCALED


def scale(body: Object) -> Object:
    """The Scale of an object."""
    own = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    labels = _map(_map(body.get("spec", {}).get("selector")).get("matchLabels"))
    selector = ",".join(f"{name}={value}" for name, value in labels.items())
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: body["metadata"][name] for name in own if name in body["metadata"]},
        "spec": {"replicas": body.get("spec", {}).get("replicas", 1)},
        "status": {"replicas": body.get("status", {}).get("replicas", 0), "selector": selector},
    }


def scaled(body: Object, wanted: Any) -> Object:  # noqa: ANN401  # what a client sent
    """An object that has the replicas of *wanted*, a Scale, whose version it must have if there is one."""
    try:
        replicas, version = int(wanted["spec"].get("replicas", 0)), wanted["metadata"].get("resourceVersion")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise bad_request("the object provided is unrecognized (must be of type Scale)") from None
    metadata = body["metadata"] | ({"resourceVersion": version} if version else {})
    return body | {"metadata": metadata, "spec": body.get("spec", {}) | {"replicas": replicas}}


def _map(value: object) -> Object:
    return value if isinstance(value, dict) else {}
