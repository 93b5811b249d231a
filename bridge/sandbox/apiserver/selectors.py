"""Label and field selectors: text in, a test of objects out, in the server's grammar and with its words of refusal."""

import re
from collections.abc import Callable

from bridge.sandbox.apiserver.refusals import Object, bad_request
from bridge.sandbox.apiserver.resources import EVENTS, NAMESPACES, PODS, Resource, Storage

Test = Callable[[Object], bool]

_TERM = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<gone>[\w./-]+)"
    r"|(?P<key>[\w./-]+)\s*(?:(?P<set>\s(?:in|notin))\s*\((?P<values>[^()]*)\)"
    r"|(?P<operator>==|=|!=|>|<)\s*(?P<value>[\w.-]*))?)\s*(?:,|$)"
)
"""One requirement of a label selector (labels/selector.go)."""

_METADATA = ("metadata.name", "metadata.namespace")
_FIELDS: dict[Storage, tuple[str, ...]] = {
    PODS.storage: (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ),
    EVENTS.storage: (
        *(
            f"involvedObject.{field}"
            for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    NAMESPACES.storage: ("status.phase",),
    Storage("", "nodes"): ("spec.unschedulable",),
    Storage("", "secrets"): ("type",),
    Storage("batch", "jobs"): ("status.successful",),
    Storage("apps", "replicasets"): ("status.replicas",),
}
"""What each resource knows beside name and namespace (the conversion functions in pkg/apis)."""


def selects(resource: Resource, labels: str, fields: str, namespace: str = "") -> Test:
    """Whether an object is in the selection, of all namespaces if none is given."""
    tests = [*_label_tests(labels), *_field_tests(resource, fields)]
    if namespace:
        tests.append(lambda body: body["metadata"].get("namespace") == namespace)
    return lambda body: all(test(body) for test in tests)


def _label_tests(selector: str) -> list[Test]:
    tests: list[Test] = []
    place = 0
    while place < len(selector):
        found = _TERM.match(selector, place)
        if found is None or found.end() == place:
            raise bad_request(f"unable to parse requirement: {selector[place:]!r}")
        tests.append(_label_test(found))
        place = found.end()
    return tests


def _label_test(found: re.Match[str]) -> Test:
    if found["absent"]:
        gone = found["gone"]
        return lambda body: gone not in _labels(body)
    key = found["key"]
    if found["set"]:
        values = {value.strip() for value in found["values"].split(",")}
        if found["set"].strip() == "in":
            return lambda body: _labels(body).get(key) in values
        return lambda body: _labels(body).get(key) not in values
    value = found["value"]
    match found["operator"]:
        case "=" | "==":
            return lambda body: _labels(body).get(key) == value
        case "!=":
            return lambda body: _labels(body).get(key) != value
        case ">" | "<" as sign:
            return lambda body: _is_beyond(_labels(body).get(key, ""), sign, value)
        case _:
            return lambda body: key in _labels(body)


def _is_beyond(label: str, sign: str, bound: str) -> bool:
    if not (label.isdecimal() and bound.isdecimal()):
        return False
    return int(label) > int(bound) if sign == ">" else int(label) < int(bound)


def _labels(body: Object) -> dict[str, str]:
    return body["metadata"].get("labels") or {}


def _field_tests(resource: Resource, selector: str) -> list[Test]:
    return [_field_test(resource, term) for term in selector.split(",") if term]


def _field_test(resource: Resource, term: str) -> Test:
    field, sign, value = _split(term)
    known = _FIELDS.get(resource.storage, ())
    if field not in (*_METADATA, *known):
        if known or resource.custom or resource.group:
            raise bad_request(f"field label not supported: {field}")
        raise bad_request(f'"{field}" is not a known field selector: only "metadata.name", "metadata.namespace"')
    path = field.split(".")
    return lambda body: (_value(body, path) == value) is (sign != "!=")


def _split(term: str) -> tuple[str, str, str]:
    for sign in ("!=", "==", "="):
        field, found, value = term.partition(sign)
        if found:
            return field.strip(), sign, value.strip()
    raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")


def _value(body: Object, path: list[str]) -> str:
    """The field as text. `source` of an event is the component of it."""
    value: object = body
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if path == ["source"] and isinstance(value, dict):
        value = value.get("component") or body.get("reportingComponent")
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)
