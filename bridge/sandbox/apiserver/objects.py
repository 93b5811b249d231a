"""The rules of an object's life: what a new one gets, what an update may not touch, and when it is really gone."""

import base64
import datetime as dt
import random
import re
import uuid
from typing import Any

from msgspec import Struct, ValidationError, convert

from bridge.sandbox.apiserver.managed import managed
from bridge.sandbox.apiserver.refusals import DNS, Object, bad_request, conflict, failure, invalid
from bridge.sandbox.apiserver.resources import CRDS, NAMESPACES, PODS, Definition, Resource

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
"""Letters of generated names: without vowels, so that none makes a word (apimachinery, rand.go)."""
_SYSTEM = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName")
"""Metadata that an update cannot change: it is taken over from the object as it was."""
_LONGEST = 253
"""Characters of a name (validation.go)."""


class Metadata(Struct):
    """What is looked at of an object's metadata."""

    name: str | None = None
    namespace: str | None = None
    generateName: str | None = None  # noqa: N815  # Kubernetes' name for it
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: list[str] | None = None
    managedFields: list[dict[str, Any]] | None = None  # noqa: N815


class _Parts(Struct):
    """Of built-in types."""

    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None
    involvedObject: dict[str, Any] | None = None  # noqa: N815


class Author(Struct, frozen=True):
    """Who writes. *raw*: from within, as controllers would: status and metadata are taken as given."""

    manager: str = "sandbox"
    raw: bool = False
    subresource: str = ""


def created(resource: Resource, namespace: str, sent: object, author: Author) -> Object:
    """The object that was *sent*, as it will be stored."""
    body = shaped(resource, namespace, sent)
    metadata = dict(body["metadata"])
    metadata["name"] = _name(resource, metadata)
    if not author.raw:
        if metadata.get("resourceVersion"):
            raise failure(500, "", "resourceVersion should not be set on objects to be created")
        for name in ("uid", "creationTimestamp", "deletionTimestamp", "resourceVersion", "generation", "selfLink"):
            metadata.pop(name, None)
    metadata.setdefault("uid", str(uuid.uuid4()))
    metadata.setdefault("creationTimestamp", now())
    if resource.generation:
        metadata.setdefault("generation", 1)
    result = _with_defaults(resource, body | {"metadata": metadata}, author)
    return result if author.raw else managed(resource.api_version, None, result, author.manager)


def updated(resource: Resource, old: Object, sent: object, author: Author) -> Object:
    """*old* as what was *sent* wants it. The very same object means that there is nothing to write."""
    body = shaped(resource, old["metadata"].get("namespace", ""), sent)
    _check(resource, old, body)
    if not author.raw:
        body = _separated(resource, old, body, author.subresource)
    body |= {"metadata": _metadata(old["metadata"], body["metadata"], author)}
    metadata = body["metadata"]
    if body == old:
        return old
    if resource.generation and _spec(body) != _spec(old) and metadata["generation"] == old["metadata"]["generation"]:
        metadata["generation"] += 1
    return body if author.raw else managed(resource.api_version, old, body, author.manager, author.subresource)


def in_version(resource: Resource, body: Object) -> Object:
    """An object may have been written in another version of its resource; only that is converted."""
    if body["apiVersion"] == resource.api_version:
        return body
    return body | {"apiVersion": resource.api_version}


def shaped(resource: Resource, namespace: str, body: Any) -> Object:  # noqa: ANN401  # what a client sent
    """*body* with kind, apiVersion, metadata and namespace where they belong."""
    if not isinstance(body, dict) or not _is_sound(resource, body):
        raise bad_request(f"the object provided is unrecognized (must be of type {resource.kind})")
    kind, version = body.get("kind") or resource.kind, body.get("apiVersion") or resource.api_version
    if (kind, version) != (resource.kind, resource.api_version):
        raise bad_request(f'{kind} in version "{version}" cannot be handled as a {resource.kind}: unknown conversion')
    metadata = dict(body.get("metadata") or {})
    if resource.namespaced:
        if metadata.get("namespace", namespace) not in ("", namespace):
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    rest = {name: value for name, value in body.items() if name not in ("kind", "apiVersion", "metadata")}
    for part in ("spec", "status"):
        if rest.get(part, part) is None:
            del rest[part]
    if resource == CRDS:
        _check_definition(metadata, rest)
    elif resource.name == "secrets" and isinstance(plain := rest.pop("stringData", None), dict):
        coded = {name: base64.b64encode(str(value).encode()).decode() for name, value in plain.items()}
        rest["data"] = (rest.get("data") or {}) | coded
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata, **rest}


def _is_sound(resource: Resource, body: Object) -> bool:
    """Whether what everybody reads of an object is of the right type: else it would be in everybody's way."""
    try:
        convert(body.get("metadata") or {}, Metadata)
        if not resource.custom:
            convert(body, _Parts)
    except ValidationError:
        return False
    return True


def _check_definition(metadata: Object, rest: Object) -> None:
    try:
        convert(rest.get("spec") or {}, Definition)
    except ValidationError as error:
        name = str(metadata.get("name", ""))
        raise invalid(CRDS.group, CRDS.kind, name, "spec", f"Invalid value: {error}") from None


def dying(body: Object) -> Object:
    """An object that waits for its finalizers to be taken away."""
    metadata = body["metadata"] | {"deletionTimestamp": now(), "deletionGracePeriodSeconds": 0}
    return body | {"metadata": metadata}


def is_dying(body: Object) -> bool:
    return "deletionTimestamp" in body["metadata"]


def is_held(body: Object) -> bool:
    return bool(body["metadata"].get("finalizers"))


def now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _name(resource: Resource, metadata: Object) -> str:
    name = str(metadata.get("name") or "")
    if not name and metadata.get("generateName"):
        return str(metadata["generateName"]) + "".join(random.choices(_SUFFIX, k=5))  # noqa: S311  # no secret
    if not name:
        problem = "Required value: name or generateName is required"
        raise invalid(resource.group, resource.kind, "", "metadata.name", problem)
    free = resource.group == "rbac.authorization.k8s.io" and "/" not in name
    if len(name) > _LONGEST or not (free or _NAME.fullmatch(name)):
        raise invalid(resource.group, resource.kind, name, "metadata.name", f'Invalid value: "{name}": {DNS}')
    return name


def _with_defaults(resource: Resource, body: Object, author: Author) -> Object:
    """What the server adds to new objects of the kinds whose readers would miss it."""
    if resource.status and not author.raw and resource.plural != "nodes":
        body = {name: value for name, value in body.items() if name != "status"}
    if resource == NAMESPACES:
        metadata = dict(body["metadata"])
        metadata["labels"] = {"kubernetes.io/metadata.name": metadata["name"]} | (metadata.get("labels") or {})
        body |= {"metadata": metadata, "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
    elif resource == PODS:
        body = body | {"status": {"phase": "Pending", "qosClass": "BestEffort"} | (body.get("status") or {})}
    elif resource == CRDS:
        body |= {"status": _established(body)}
    return body


def _established(definition: Object) -> Object:
    spec = definition["spec"]
    reasons = {"NamesAccepted": "NoConflicts", "Established": "InitialNamesAccepted"}
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": now(), "reason": reason, "message": "accepted"}
        for kind, reason in reasons.items()
    ]
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    return {"conditions": conditions, "acceptedNames": spec["names"], "storedVersions": stored}


def _metadata(old: Object, sent: Object, author: Author) -> Object:
    """What is the server's own stays; from within it may be written too, but for who an object is."""
    own = ("uid", "creationTimestamp") if author.raw else (*_SYSTEM, "managedFields")
    kept = {name: old[name] for name in own if name in old} | {"resourceVersion": old["resourceVersion"]}
    counted = {"generation": old["generation"]} if "generation" in old else {}
    return counted | {name: value for name, value in sent.items() if name not in own} | kept


def _check(resource: Resource, old: Object, body: Object) -> None:
    """Optimistic concurrency: a version in the body must be the object's own."""
    group, plural, name = resource.group, resource.plural, old["metadata"]["name"]
    sent = body["metadata"]
    if sent.get("name", name) != name:
        raise bad_request(f"the name of the object ({sent['name']}) does not match the name on the URL ({name})")
    if sent.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {sent['uid']}, UID in object meta: {old['metadata']['uid']}"
        raise conflict(group, plural, name, why)
    version = sent.get("resourceVersion") or ""
    if not version and resource.custom:
        problem = "Invalid value: 0: must be specified for an update"
        raise invalid(group, plural, name, "metadata.resourceVersion", problem)
    if version not in ("", "0", old["metadata"]["resourceVersion"]):
        raise conflict(group, plural, name)


def _separated(resource: Resource, old: Object, body: Object, subresource: str) -> Object:
    """Who writes the status writes nothing else, and the other way round."""
    if not resource.status:
        return body
    kept, taken = (old, body) if subresource == "status" else (body, old)
    result = {name: value for name, value in kept.items() if name != "status"}
    if "status" in taken:
        result["status"] = taken["status"]
    if subresource == "status":
        version = body["metadata"].get("resourceVersion", "")
        result["metadata"] = old["metadata"] | {"resourceVersion": version}
    return result


def _spec(body: Object) -> Object:
    return {name: value for name, value in body.items() if name not in ("metadata", "status")}
