"""The patches: JSON patch (RFC 6902), merge patch (RFC 7386), and as much of the strategic one as kubectl sends.

A strategic patch merges maps as a merge patch does, and lists of maps by the key that Kubernetes names for the field.
"""

from typing import Any

from bridge.sandbox.apiserver.refusals import Object, failure

MERGE_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "port"),
    "conditions": ("type",),
    "addresses": ("type",),
    "hostAliases": ("ip",),
    "ownerReferences": ("uid",),
    "topologySpreadConstraints": ("topologyKey",),
}
"""By the name of the list's field (patchMergeKey in k8s.io/api); where it differs by type, the first that is there."""

MERGED_VALUES = ("finalizers",)
"""Lists of plain values that are joined."""


def rejected() -> Exception:
    """All that the server says of a JSON patch that cannot be applied."""
    return failure(422, "Invalid", "the server rejected our request due to an error in our request", {})


def merged(body: Any, patch: Any) -> Any:  # noqa: ANN401  # any JSON value
    """RFC 7386: null takes away, maps are gone into, all else is put in place."""
    if not isinstance(patch, dict):
        return patch
    result = dict(body) if isinstance(body, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def strategic(body: Any, patch: Any) -> Any:  # noqa: ANN401  # any JSON value
    if not isinstance(patch, dict):
        return patch
    if patch.get("$patch") == "replace":
        return {name: value for name, value in patch.items() if name != "$patch"}
    result = dict(body) if isinstance(body, dict) else {}
    for name, value in patch.items():
        if name.startswith("$"):
            _directed(result, name, value)
        elif value is None:
            result.pop(name, None)
        elif isinstance(value, list):
            result[name] = _strategic_list(name, result.get(name) or [], value)
        else:
            result[name] = strategic(result.get(name), value)
    return result


def _directed(result: Object, name: str, value: Any) -> None:  # noqa: ANN401
    """What `$deleteFromPrimitiveList/FIELD` and `$retainKeys` say. The order of elements is not kept."""
    directive, _, field = name.partition("/")
    if directive == "$deleteFromPrimitiveList":
        result[field] = [item for item in (result.get(field) or []) if item not in value]
    elif directive == "$retainKeys":
        for other in set(result) - set(value):
            del result[other]


def _strategic_list(name: str, old: list[Any], patch: list[Any]) -> list[Any]:
    key = next((key for key in MERGE_KEYS.get(name, ()) if all(isinstance(p, dict) and key in p for p in patch)), "")
    if name in MERGED_VALUES:
        return [*old, *(value for value in patch if value not in old)]
    if any(isinstance(p, dict) and p.get("$patch") == "replace" for p in patch):
        return [p for p in patch if not (isinstance(p, dict) and "$patch" in p)]
    if not key:
        return patch
    result = {item.get(key): item for item in old}
    for item in patch:
        if item.get("$patch") == "delete":
            result.pop(item[key], None)
        else:
            result[item[key]] = strategic(result.get(item[key]), item)
    return list(result.values())


def patched(body: Object, operations: Any) -> Object:  # noqa: ANN401
    """RFC 6902, all or nothing."""
    if not isinstance(operations, list):
        raise rejected()
    result: Any = _copied(body)
    try:
        for operation in operations:
            result = _operated(result, operation)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError):
        raise rejected() from None
    assert isinstance(result, dict)
    return result


def _operated(body: Any, operation: Object) -> Any:  # noqa: ANN401
    path = _path(operation["path"])
    match operation["op"]:
        case "add":
            return _put(body, path, operation["value"], insert=True)
        case "replace":
            _at(body, path)
            return _put(body, path, operation["value"], insert=False)
        case "remove":
            _take(body, path)
        case "move":
            return _put(body, path, _take(body, _path(operation["from"])), insert=True)
        case "copy":
            return _put(body, path, _copied(_at(body, _path(operation["from"]))), insert=True)
        case "test":
            if _at(body, path) != operation["value"]:
                raise ValueError(path)
        case unknown:
            raise ValueError(unknown)
    return body


def _path(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _at(body: Any, path: list[str]) -> Any:  # noqa: ANN401
    for part in path:
        body = body[int(part)] if isinstance(body, list) else body[part]
    return body


def _put(body: Any, path: list[str], value: Any, *, insert: bool) -> Any:  # noqa: ANN401
    if not path:
        return value
    parent, last = _at(body, path[:-1]), path[-1]
    if not isinstance(parent, list):
        parent[last] = value
    elif last == "-":
        parent.append(value)
    elif not insert:
        parent[int(last)] = value
    elif 0 <= int(last) <= len(parent):
        parent.insert(int(last), value)
    else:
        raise IndexError(last)
    return body


def _take(body: Any, path: list[str]) -> Any:  # noqa: ANN401
    parent, last = _at(body, path[:-1]), path[-1]
    return parent.pop(int(last)) if isinstance(parent, list) else parent.pop(last)


def _copied(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
