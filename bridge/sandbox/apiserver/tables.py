"""The tables that kubectl prints: name and age of everything, and what people look for first in what the demo shows."""

import datetime as dt
from collections.abc import Callable, Sequence

from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Resource

Included = Callable[[Object], Object | None]
"""What of an object a row has beside its cells."""

Column = tuple[str, Callable[[Object], object]]


def table(resource: Resource, items: Sequence[Object], metadata: Object, included: Included) -> Object:
    columns = _COLUMNS.get(resource.name) or [("Name", _name), ("Age", _age)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(name) for name, _ in columns],
        "rows": [{"cells": [_said(cell, body) for _, cell in columns], "object": included(body)} for body in items],
    }


def _definition(name: str) -> Object:
    form = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": form, "description": name, "priority": 0}


def _said(cell: Callable[[Object], object], body: Object) -> object:
    """Objects of clients may hold anything where a column looks."""
    try:
        return cell(body)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "<unknown>"


def _name(body: Object) -> object:
    return body["metadata"].get("name", "")


def _age(body: Object) -> object:
    return _since(body["metadata"].get("creationTimestamp"))


def _last_seen(body: Object) -> object:
    return _since(body.get("lastTimestamp") or body.get("eventTime") or body["metadata"].get("creationTimestamp"))


def _since(time: str | None) -> str:
    """As kubectl writes an age: in the greatest unit that says enough (duration.go, shortened)."""
    if not time:
        return "<unknown>"
    seconds = max(0, int((dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(time)).total_seconds()))
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 3 * 3600), ("m", 60, 2 * 60)):
        if seconds >= least:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _at(*path: str) -> Callable[[Object], object]:
    def cell(body: Object) -> object:
        value: object = body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return "" if value is None else value

    return cell


def _pod_status(body: Object) -> object:
    if "deletionTimestamp" in body["metadata"]:
        return "Terminating"
    return {"Succeeded": "Completed"}.get(phase := str(_at("status", "phase")(body)), phase)


def _containers(body: Object) -> object:
    statuses = body.get("status", {}).get("containerStatuses", [])
    ready = sum(bool(status.get("ready")) for status in statuses)
    return f"{ready}/{len(body.get('spec', {}).get('containers', []))}"


def _restarts(body: Object) -> object:
    return str(sum(status.get("restartCount", 0) for status in body.get("status", {}).get("containerStatuses", [])))


def _replicas(body: Object) -> object:
    return f"{body.get('status', {}).get('readyReplicas', 0)}/{body.get('spec', {}).get('replicas', 1)}"


def _is_ready(body: Object) -> object:
    conditions = body.get("status", {}).get("conditions", [])
    return "Ready" if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions) else "NotReady"


def _involved(body: Object) -> object:
    involved = body.get("involvedObject", {})
    return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"


def _data(body: Object) -> object:
    return len(body.get("data") or {}) + len(body.get("binaryData") or {})


_COLUMNS: dict[str, list[Column]] = {
    "pods": [("Name", _name), ("Ready", _containers), ("Status", _pod_status), ("Restarts", _restarts), ("Age", _age)],
    "deployments.apps": [("Name", _name), ("Ready", _replicas), ("Age", _age)],
    "nodes": [("Name", _name), ("Status", _is_ready), ("Age", _age)],
    "namespaces": [("Name", _name), ("Status", _at("status", "phase")), ("Age", _age)],
    "configmaps": [("Name", _name), ("Data", _data), ("Age", _age)],
    "secrets": [("Name", _name), ("Type", _at("type")), ("Data", _data), ("Age", _age)],
    "events": [
        ("Last Seen", _last_seen),
        ("Type", _at("type")),
        ("Reason", _at("reason")),
        ("Object", _involved),
        ("Message", _at("message")),
    ],
}
