"""The columns of tables, resource by resource, in the real server's names and order (printers.go)."""

from msgspec import Struct

from bridge.sandbox.apiserver import cells
from bridge.sandbox.apiserver.cells import NONE, UNKNOWN, Cell, at, number


class Column(Struct, frozen=True):
    """*wide*: shown only with `-o wide`."""

    name: str
    cell: Cell
    wide: bool = False
    kind: str = "string"


def _wide(name: str, cell: Cell) -> Column:
    return Column(name, cell, wide=True)


def _number(name: str, *path: str) -> Column:
    return Column(name, number(*path), kind="integer")


_NAME, _AGE = Column("Name", at("metadata", "name")), Column("Age", cells.age)
PLAIN = (_NAME, _AGE)
"""Of what is not named below."""

_TEMPLATE = ("spec", "template", "spec")
_RUN = (
    _wide("Containers", cells.of_containers("name", *_TEMPLATE)),
    _wide("Images", cells.of_containers("image", *_TEMPLATE)),
)
_SELECTED = _wide("Selector", cells.selector("spec", "selector", "matchLabels"))
_DATED = (_NAME, Column("Created At", at("metadata", "creationTimestamp"), kind="date"))
_JOB = ("spec", "jobTemplate", *_TEMPLATE)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        _NAME,
        Column("Ready", cells.ready_containers),
        Column("Status", cells.pod_status),
        Column("Restarts", cells.restarts),
        _AGE,
        _wide("IP", at("status", "podIP", empty=NONE)),
        _wide("Node", at("spec", "nodeName", empty=NONE)),
        _wide("Nominated Node", at("status", "nominatedNodeName", empty=NONE)),
        _wide("Readiness Gates", lambda _: NONE),
    ),
    "deployments.apps": (
        _NAME,
        Column("Ready", cells.ready_replicas),
        Column("Up-to-date", number("status", "updatedReplicas")),
        Column("Available", number("status", "availableReplicas")),
        _AGE,
        *_RUN,
        _SELECTED,
    ),
    "replicasets.apps": (
        _NAME,
        Column("Desired", at("spec", "replicas", empty=1), kind="integer"),
        _number("Current", "status", "replicas"),
        _number("Ready", "status", "readyReplicas"),
        _AGE,
        *_RUN,
        _SELECTED,
    ),
    "statefulsets.apps": (_NAME, Column("Ready", cells.ready_replicas), _AGE, *_RUN),
    "daemonsets.apps": (
        _NAME,
        _number("Desired", "status", "desiredNumberScheduled"),
        _number("Current", "status", "currentNumberScheduled"),
        _number("Ready", "status", "numberReady"),
        _number("Up-to-date", "status", "updatedNumberScheduled"),
        _number("Available", "status", "numberAvailable"),
        Column("Node Selector", cells.selector(*_TEMPLATE, "nodeSelector")),
        _AGE,
        *_RUN,
        _SELECTED,
    ),
    "jobs.batch": (
        _NAME,
        Column("Status", cells.job_status),
        Column("Completions", cells.completions),
        Column("Duration", cells.duration),
        _AGE,
        *_RUN,
        _SELECTED,
    ),
    "cronjobs.batch": (
        _NAME,
        Column("Schedule", at("spec", "schedule")),
        Column("Timezone", at("spec", "timeZone", empty=NONE)),
        Column("Suspend", lambda body: str(bool(body.get("spec", {}).get("suspend"))), kind="boolean"),
        Column("Active", cells.active, kind="integer"),
        Column("Last Schedule", cells.last_schedule),
        _AGE,
        _wide("Containers", cells.of_containers("name", *_JOB)),
        _wide("Images", cells.of_containers("image", *_JOB)),
        _wide("Selector", cells.selector("spec", "jobTemplate", "spec", "selector", "matchLabels")),
    ),
    "services": (
        _NAME,
        Column("Type", at("spec", "type", empty="ClusterIP")),
        Column("Cluster-IP", at("spec", "clusterIP", empty=NONE)),
        Column("External-IP", cells.external),
        Column("Port(s)", cells.service_ports),
        _AGE,
        _wide("Selector", cells.selector("spec", "selector")),
    ),
    "ingresses.networking.k8s.io": (
        _NAME,
        Column("Class", at("spec", "ingressClassName", empty=NONE)),
        Column("Hosts", cells.hosts),
        Column("Address", cells.ingress_address),
        Column("Ports", cells.ingress_ports),
        _AGE,
    ),
    "poddisruptionbudgets.policy": (
        _NAME,
        Column("Min Available", at("spec", "minAvailable", empty="N/A")),
        Column("Max Unavailable", at("spec", "maxUnavailable", empty="N/A")),
        _number("Allowed Disruptions", "status", "disruptionsAllowed"),
        _AGE,
    ),
    "nodes": (
        _NAME,
        Column("Status", cells.node_status),
        Column("Roles", cells.node_roles),
        _AGE,
        Column("Version", at("status", "nodeInfo", "kubeletVersion")),
        _wide("Internal-IP", cells.node_address("InternalIP")),
        _wide("External-IP", cells.node_address("ExternalIP")),
        _wide("OS-Image", at("status", "nodeInfo", "osImage", empty=UNKNOWN)),
        _wide("Kernel-Version", at("status", "nodeInfo", "kernelVersion", empty=UNKNOWN)),
        _wide("Container-Runtime", at("status", "nodeInfo", "containerRuntimeVersion", empty=UNKNOWN)),
    ),
    "namespaces": (_NAME, Column("Status", at("status", "phase")), _AGE),
    "configmaps": (_NAME, Column("Data", cells.data), _AGE),
    "secrets": (_NAME, Column("Type", at("type", empty="Opaque")), Column("Data", cells.data), _AGE),
    "roles.rbac.authorization.k8s.io": _DATED,
    "clusterroles.rbac.authorization.k8s.io": _DATED,
    "leases.coordination.k8s.io": (_NAME, Column("Holder", at("spec", "holderIdentity")), _AGE),
    "events": (
        Column("Last Seen", cells.seen("lastTimestamp")),
        Column("Type", at("type")),
        Column("Reason", at("reason")),
        Column("Object", cells.involved),
        _wide("Subobject", at("involvedObject", "fieldPath")),
        _wide("Source", cells.source),
        Column("Message", lambda body: str(body.get("message", "")).strip()),
        _wide("First Seen", cells.seen("firstTimestamp")),
        _wide("Count", lambda body: str(body.get("count") or 1)),
        _wide("Name", at("metadata", "name")),
    ),
}
