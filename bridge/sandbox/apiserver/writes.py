"""The writing verbs. Each either commits to the store what the rules make of it, or refuses."""

import msgspec

from bridge.sandbox.apiserver import patches, refusals
from bridge.sandbox.apiserver.objects import Author, created, dying, in_version, is_dying, is_held, updated
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import CRDS, NAMESPACES, Resource, custom
from bridge.sandbox.apiserver.scales import scale, scaled
from bridge.sandbox.apiserver.selectors import selects
from bridge.sandbox.apiserver.store import Store

APPLY = "application/apply-patch+yaml"
STAYING = ("default", "kube-system", "kube-public", "kube-node-lease")
"""Namespaces that are made with the cluster and cannot be deleted (namespace lifecycle admission)."""
_RETURNED = ("namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "serviceaccounts", "services")
"""Whose last state is the answer to their delete; of others a Status is (ReturnDeletedObject of each registry)."""


def get(store: Store, resource: Resource, namespace: str, name: str) -> Object:
    found = store.get(resource.storage, resource.key(namespace, name))
    if found is None:
        raise refusals.not_found(resource.group, resource.plural, name)
    return in_version(resource, found)


def create(store: Store, resource: Resource, namespace: str, body: object, author: Author) -> Object:
    if resource.namespaced:
        home = get(store, NAMESPACES, "", namespace)
        if is_dying(home):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise refusals.forbidden(resource.group, resource.plural, _name(body), why)
    new = created(resource, namespace, body, author)
    key = resource.key(namespace, new["metadata"]["name"])
    if store.get(resource.storage, key) is not None:
        raise refusals.already_exists(resource.group, resource.plural, new["metadata"]["name"])
    return store.commit(resource.storage, key, new)


def update(store: Store, resource: Resource, name: str, old: Object, body: object, author: Author) -> Object:
    """Nothing is written where nothing changes. Whose last finalizer is taken away is gone."""
    key = resource.key(old["metadata"].get("namespace", ""), name)
    wanted = scaled(old, body) if author.subresource == "scale" else body
    new = updated(resource, old, wanted, author)
    if new is old:
        return old
    if is_dying(new) and is_held(old) and not is_held(new):
        return store.commit(resource.storage, key, None)
    return store.commit(resource.storage, key, new)


def patch(store: Store, resource: Resource, old: Object, kind: str, body: bytes, author: Author) -> Object:
    """*kind* is the media type, which says what sort of patch *body* is."""
    shown = scale(old) if author.subresource == "scale" else old
    new = _patched(resource, shown, kind, decoded(resource, body))
    return update(store, resource, old["metadata"]["name"], old, new, author)


def _patched(resource: Resource, old: Object, kind: str, content: object) -> object:
    match kind:
        case "application/json-patch+json":
            return patches.patched(old, content)
        case "application/merge-patch+json":
            return patches.merged(old, content)
        case "application/strategic-merge-patch+json" | "application/apply-patch+yaml" if not resource.custom:
            return _strategic(old, content)
        case "application/apply-patch+yaml":
            return patches.merged(old, content)
        case _:
            raise refusals.unsupported_media()


def _strategic(old: Object, content: object) -> object:
    try:
        return patches.strategic(old, content)
    except (AttributeError, KeyError, TypeError):  # a list where a map should be, a directive that is none
        raise refusals.bad_request("cannot apply the strategic merge patch") from None


def delete(store: Store, resource: Resource, namespace: str, name: str, preconditions: Object) -> Object:
    """At once, without grace; only finalizers hold an object. The answer is its last state, or that it is done."""
    old = get(store, resource, namespace, name)
    _check(resource, old, preconditions)
    key = resource.key(namespace, name)
    if is_held(old):
        return old if is_dying(old) else store.commit(resource.storage, key, dying(old))
    if resource == NAMESPACES:
        old = _empty_namespace(store, name, old)
    elif resource == CRDS:
        for one in custom(old):
            for held, _ in store.all(one.storage):
                store.commit(one.storage, held, None)
    last = store.commit(resource.storage, key, None)
    return last if resource.plural in _RETURNED else _success(resource, old)


def delete_all(store: Store, resource: Resource, namespace: str, labels: str, fields: str) -> list[Object]:
    """Of a selection; what is said of each is how it was."""
    selected = selects(resource, labels, fields, namespace)
    found = [body for _, body in store.all(resource.storage) if selected(body)]
    for body in found:
        delete(store, resource, body["metadata"].get("namespace", ""), body["metadata"]["name"], {})
    return found


def decoded(resource: Resource, body: bytes) -> object:
    """JSON, or the YAML that server-side apply may send."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        try:
            content: object = msgspec.yaml.decode(body)
        except msgspec.DecodeError:
            content = None
        if isinstance(content, dict | list):
            return content
        message = f"the object provided is unrecognized (must be of type {resource.kind}): {error}"
        raise refusals.bad_request(message) from None


def _empty_namespace(store: Store, name: str, old: Object) -> Object:
    """What the namespace controller does: say that it ends, then take away all that is in it."""
    if name in STAYING:
        raise refusals.forbidden("", "namespaces", name, "this namespace may not be deleted")
    ending = dying(old) | {"status": {"phase": "Terminating"}}
    ending = store.commit(NAMESPACES.storage, name, ending)
    for storage in store.storages():
        for key, body in store.all(storage):
            if body["metadata"].get("namespace") == name:
                store.commit(storage, key, None)
    return ending


def _check(resource: Resource, old: Object, preconditions: Object) -> None:
    name, has = old["metadata"]["name"], old["metadata"]
    for field, what, why in (
        ("uid", "UID", "The object might have been deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "The object might have been modified"),
    ):
        if preconditions.get(field, has[field]) != has[field]:
            wanted = f"the {what} in the precondition ({preconditions[field]})"
            reason = f"{wanted} does not match the {what} in record ({has[field]}). {why}"
            raise refusals.conflict(resource.group, resource.kind, name, reason)


def _success(resource: Resource, body: Object) -> Object:
    details: Object = {"name": body["metadata"]["name"]}
    if resource.group:
        details["group"] = resource.group
    details |= {"kind": resource.plural, "uid": body["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _name(body: object) -> str:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""
