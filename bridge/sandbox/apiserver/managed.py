"""`managedFields`: who wrote what, and when. A fifth of a real object's bytes, so objects without would be no likeness.

Kept simple: an entry says what its manager wrote last, lists are one field, and nothing is taken from other managers.
"""

import datetime as dt

from bridge.sandbox.apiserver.refusals import Object

_NEVER = ("kind", "apiVersion", "managedFields", "name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_NEITHER = ("generation", "deletionTimestamp", "deletionGracePeriodSeconds")


def managed(api_version: str, old: Object | None, body: Object, manager: str, subresource: str = "") -> Object:
    """*body* with an entry of *manager* for all in which it differs from *old*. Entries that came with it stay."""
    if old is None and "managedFields" in body["metadata"]:
        return body
    fields = _fields(old or {}, body)
    if not fields:
        return body
    entry: Object = {
        "manager": manager,
        "operation": "Update",
        "apiVersion": api_version,
        "time": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    if subresource:
        entry["subresource"] = subresource
    entries = [e for e in body["metadata"].get("managedFields", []) if not _is_same(e, entry)]
    return body | {"metadata": body["metadata"] | {"managedFields": [*entries, entry]}}


def _is_same(one: Object, other: Object) -> bool:
    return all(one.get(field) == other.get(field) for field in ("manager", "subresource"))


def _fields(old: Object, body: Object) -> Object:
    """The fields of *body* that are not as in *old*, in the form of FieldsV1."""
    fields: Object = {}
    for name, value in body.items():
        if name in _NEVER or name in _NEITHER or old.get(name) == value:
            continue
        before = old.get(name)
        if isinstance(value, dict) and value:
            inner = _fields(before if isinstance(before, dict) else {}, value)
            if inner:
                fields[f"f:{name}"] = inner
        else:
            fields[f"f:{name}"] = {}
    return fields
