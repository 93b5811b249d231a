"""What a table says of an object, cell by cell, as the real server does (printers/internalversion/printers.go)."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from bridge.sandbox.apiserver.refusals import Object

Cell = Callable[[Object], object]
NONE, UNKNOWN = "<none>", "<unknown>"


def at(*path: str, empty: object = "") -> Cell:
    """What stands there; *empty* where nothing does."""

    def cell(body: Object) -> object:
        value: object = body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return empty if value is None or value == "" else value

    return cell


def number(*path: str) -> Cell:
    return at(*path, empty=0)


def age(body: Object) -> object:
    return since(body["metadata"].get("creationTimestamp"))


def since(time: str | None) -> str:
    """As kubectl writes an age."""
    return lasted((dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(time)).total_seconds()) if time else UNKNOWN


def lasted(seconds: float) -> str:
    """In the greatest unit that says enough (duration.go, shortened)."""
    whole = max(0, int(seconds))
    for unit, size, least in (("d", 86400, 2 * 86400), ("h", 3600, 3 * 3600), ("m", 60, 2 * 60)):
        if whole >= least:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def pod_status(body: Object) -> object:
    if "deletionTimestamp" in body["metadata"]:
        return "Terminating"
    return {"Succeeded": "Completed"}.get(phase := str(at("status", "phase")(body)), phase)


def ready_containers(body: Object) -> object:
    statuses = body.get("status", {}).get("containerStatuses", [])
    ready = sum(bool(status.get("ready")) for status in statuses)
    return f"{ready}/{len(body.get('spec', {}).get('containers', []))}"


def restarts(body: Object) -> object:
    return str(sum(status.get("restartCount", 0) for status in body.get("status", {}).get("containerStatuses", [])))


def ready_replicas(body: Object) -> object:
    return f"{body.get('status', {}).get('readyReplicas', 0)}/{body.get('spec', {}).get('replicas', 1)}"


def of_containers(field: str, *path: str) -> Cell:
    """A field of all containers in the pod's spec at *path*."""

    def cell(body: Object) -> object:
        spec: Any = at(*path, empty={})(body)
        return ",".join(str(one.get(field, "")) for one in spec.get("containers", []))

    return cell


def selector(*path: str) -> Cell:
    """Labels that are wanted, as they are written on a command line."""

    def cell(body: Object) -> object:
        found: Any = at(*path, empty={})(body)
        return ",".join(f"{name}={value}" for name, value in sorted(found.items())) or NONE

    return cell


def external(body: Object) -> object:
    """Where a service is reached from outside."""
    spec = body.get("spec", {})
    fixed = spec.get("externalIPs", [])
    match spec.get("type", "ClusterIP"):
        case "ExternalName":
            return spec.get("externalName", "")
        case "LoadBalancer":
            return ",".join([*_balanced(body), *fixed]) or "<pending>"
        case _:
            return ",".join(fixed) or NONE


def service_ports(body: Object) -> object:
    return ",".join(_port(one) for one in body.get("spec", {}).get("ports", [])) or NONE


def _port(port: Object) -> str:
    outside = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{outside}/{port.get('protocol', 'TCP')}"


def node_status(body: Object) -> object:
    ready = [c["status"] for c in body.get("status", {}).get("conditions", []) if c["type"] == "Ready"]
    word = ("Ready" if ready[0] == "True" else "NotReady") if ready else "Unknown"
    return f"{word},SchedulingDisabled" if body.get("spec", {}).get("unschedulable") else word


def node_roles(body: Object) -> object:
    prefix = "node-role.kubernetes.io/"
    labels = body["metadata"].get("labels") or {}
    found = {name.removeprefix(prefix) for name in labels if name.startswith(prefix)}
    found |= {value for name, value in labels.items() if name == "kubernetes.io/role"}
    return ",".join(sorted(found - {""})) or NONE


def node_address(kind: str) -> Cell:
    def cell(body: Object) -> object:
        found = [one["address"] for one in body.get("status", {}).get("addresses", []) if one["type"] == kind]
        return found[0] if found else NONE

    return cell


def job_status(body: Object) -> object:
    true = {c["type"] for c in body.get("status", {}).get("conditions", []) if c["status"] == "True"}
    for kind in ("Complete", "Failed"):
        if kind in true:
            return kind
    if "deletionTimestamp" in body["metadata"]:
        return "Terminating"
    return next((kind for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet") if kind in true), "Running")


def completions(body: Object) -> object:
    spec, done = body.get("spec", {}), body.get("status", {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{done}/{spec['completions']}"
    many = spec.get("parallelism", 1)
    return f"{done}/1 of {many}" if many > 1 else f"{done}/1"


def duration(body: Object) -> object:
    status = body.get("status", {})
    if not status.get("startTime"):
        return ""
    if not status.get("completionTime"):
        return since(status["startTime"])
    begun, ended = (dt.datetime.fromisoformat(status[name]) for name in ("startTime", "completionTime"))
    return lasted((ended - begun).total_seconds())


def last_schedule(body: Object) -> object:
    time = body.get("status", {}).get("lastScheduleTime")
    return since(time) if time else NONE


def active(body: Object) -> object:
    return len(body.get("status", {}).get("active") or [])


def hosts(body: Object) -> object:
    found = [rule["host"] for rule in body.get("spec", {}).get("rules", []) if rule.get("host")]
    return ",".join(found) or "*"


def ingress_ports(body: Object) -> object:
    return "80, 443" if body.get("spec", {}).get("tls") else "80"


def ingress_address(body: Object) -> object:
    return ",".join(_balanced(body))


def _balanced(body: Object) -> list[str]:
    """Where a load balancer listens for it."""
    given: Any = at("status", "loadBalancer", "ingress", empty=[])(body)
    return [one.get("ip") or one.get("hostname", "") for one in given]


def seen(field: str) -> Cell:
    """How long ago an event happened: `firstTimestamp` or `lastTimestamp`, or what newer events have in their place."""
    return lambda body: since(body.get(field) or body.get("eventTime") or body["metadata"].get("creationTimestamp"))


def involved(body: Object) -> object:
    about = body.get("involvedObject", {})
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def source(body: Object) -> object:
    said = body.get("source", {})
    parts = (said.get("component") or body.get("reportingComponent"), said.get("host"))
    return ", ".join(part for part in parts if part)


def data(body: Object) -> object:
    return len(body.get("data") or {}) + len(body.get("binaryData") or {})
