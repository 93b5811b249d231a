"""Tables: what `kubectl get` prints is made by the server, and kubectl only lays it out."""

import asyncio
import re
import secrets

import pytest

from tests.contract.apiserver.client import Object, until
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_writes import failed

AGE = "age"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.mark.parametrize("included", ["", "Metadata", "Object", "None"])
async def test_rows_hold_as_much_of_their_objects_as_is_asked_for(side: Side, included: str) -> None:
    """`--sort-by`, `--field-selector` of a kubectl that looks itself, and `-o wide` all want whole objects."""
    asked = {"includeObject": included} if included else {}
    async with side.client() as client:
        path = await client.configmaps("a")
        whole = (await client.get(f"{path}/a")).body
        listed = await client.get(path, TABLE, **asked)
        single = await client.get(f"{path}/a", TABLE, **asked)
        async with client.watch(path, TABLE, **asked) as events:
            (event,) = await asyncio.wait_for(until(events, lambda _: True), 60)

    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": whole["metadata"]}
    expected = {"Object": whole, "None": None}.get(included, partial)
    rows = [one["rows"][0]["object"] for one in (listed.body, single.body, event["object"])]
    assert rows == [expected] * 3


async def test_a_table_of_something_else_is_refused(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        found = await client.get(path, TABLE, includeObject="Odd")

    problem = "includeObject: Invalid value: \"Odd\": must be 'Metadata', 'Object', 'None', or empty"
    assert found == failed(400, "BadRequest", f"Unable to convert to Table as requested: {problem}")


TEMPLATE = {
    "metadata": {"labels": {"a": "b"}},
    "spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "j"}]},
}
ONCE = TEMPLATE | {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
SELECTOR = {"matchLabels": {"a": "b"}}
RULE = {
    "http": {
        "paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "s", "port": {"number": 80}}}}]
    }
}
RUN = {"selector": SELECTOR, "template": TEMPLATE}
NONE = "<none>"
SHOWN: dict[str, tuple[str, Object, str, list[object]]] = {
    "pod": ("api/v1", {"spec": TEMPLATE["spec"]}, "pods", ["0/2", "Pending", "0", AGE, NONE, NONE, NONE, NONE]),
    "deployment": (
        "apis/apps/v1",
        {"spec": RUN | {"replicas": 2}},
        "deployments",
        ["0/2", 0, 0, AGE, "c,d", "i,j", "a=b"],
    ),
    "replica set": ("apis/apps/v1", {"spec": RUN}, "replicasets", [1, 0, 0, AGE, "c,d", "i,j", "a=b"]),
    "stateful set": ("apis/apps/v1", {"spec": RUN | {"serviceName": "s"}}, "statefulsets", ["0/1", AGE, "c,d", "i,j"]),
    "daemon set": ("apis/apps/v1", {"spec": RUN}, "daemonsets", [0, 0, 0, 0, 0, NONE, AGE, "c,d", "i,j", "a=b"]),
    "cron job": (
        "apis/batch/v1",
        {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": ONCE}}}},
        "cronjobs",
        ["@daily", NONE, "False", 0, NONE, AGE, "c", "i", NONE],
    ),
    "service": (
        "api/v1",
        {
            "spec": {
                "clusterIP": "None",
                "selector": {"b": "1", "a": "2"},
                "ports": [{"port": 80, "name": "h"}, {"port": 53, "protocol": "UDP", "name": "d"}],
            }
        },
        "services",
        ["ClusterIP", "None", NONE, "80/TCP,53/UDP", AGE, "a=2,b=1"],
    ),
    "a name elsewhere": (
        "api/v1",
        {"spec": {"type": "ExternalName", "externalName": "a.b"}},
        "services",
        ["ExternalName", NONE, "a.b", NONE, AGE, NONE],
    ),
    "ingress": (
        "apis/networking.k8s.io/v1",
        {
            "spec": {
                "ingressClassName": "x",
                "rules": [RULE | {"host": "a.b"}, RULE | {"host": "c.d"}],
                "tls": [{"hosts": ["a.b"]}],
            }
        },
        "ingresses",
        ["x", "a.b,c.d", "", "80, 443", AGE],
    ),
    "budget": (
        "apis/policy/v1",
        {"spec": {"selector": SELECTOR, "minAvailable": "50%"}},
        "poddisruptionbudgets",
        ["50%", "N/A", 0, AGE],
    ),
    "secret": ("api/v1", {"stringData": {"k": "v"}}, "secrets", ["Opaque", 1, AGE]),
    "lease": ("apis/coordination.k8s.io/v1", {"spec": {"holderIdentity": "me"}}, "leases", ["me", AGE]),
    "account": ("api/v1", {}, "serviceaccounts", [AGE]),
}
"""Where, what, of which resource, and its cells after the name."""
COLUMNS = {
    "deployments": ["Name", "Ready", "Up-to-date", "Available", "Age", "Containers*", "Images*", "Selector*"],
    "services": ["Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector*"],
    "nodes": [
        *("Name", "Status", "Roles", "Age", "Version", "Internal-IP*", "External-IP*", "OS-Image*", "Kernel-Version*"),
        "Container-Runtime*",
    ],
    "pods": ["Name", "Ready", "Status", "Restarts", "Age", "IP*", "Node*", "Nominated Node*", "Readiness Gates*"],
    "events": [
        *("Last Seen", "Type", "Reason", "Object", "Subobject*", "Source*", "Message", "First Seen*", "Count*"),
        "Name*",
    ],
    "jobs": [
        *("Name", "Status", "Completions", "Duration", "Age", "Containers*", "Images*", "Selector*"),
    ],
}
"""Those with a star are for `-o wide`."""


@pytest.mark.parametrize("name", SHOWN)
async def test_cells_say_what_people_look_for(side: Side, name: str) -> None:
    where, body, resource, cells = SHOWN[name]
    async with side.client() as client:
        path = f"/{where}/namespaces/{await client.namespace()}/{resource}"
        made = await client.post(path, {"metadata": {"name": "a"}} | body)
        found = await client.get(path, TABLE, includeObject="None", fieldSelector="metadata.name=a")

    assert made.status == 201, made.body
    (row,) = found.body["rows"]
    said = [AGE if isinstance(cell, str) and re.fullmatch("[0-9]+s", cell) else cell for cell in row["cells"]]
    assert said == ["a", *cells]


@pytest.mark.parametrize("resource", COLUMNS)
async def test_columns_are_in_their_order(side: Side, resource: str) -> None:
    where = {"deployments": "apis/apps/v1", "jobs": "apis/batch/v1"}.get(resource, "api/v1")
    async with side.client() as client:
        found = await client.get(f"/{where}/{resource}", TABLE, limit="1")

    columns = [each["name"] + "*" * each["priority"] for each in found.body["columnDefinitions"]]
    assert columns == COLUMNS[resource]


async def test_a_node_says_what_it_is(side: Side) -> None:
    """The first command on any cluster."""
    name = f"contract-{secrets.token_hex(4)}"
    labels = {"node-role.kubernetes.io/worker": "", "node-role.kubernetes.io/control-plane": ""}
    status = {
        "conditions": [{"type": "Ready", "status": "True", "reason": "r", "message": "m"}],
        "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}],
        "nodeInfo": {"kubeletVersion": "v1.2.3", "osImage": "Odd OS"},
    }
    async with side.client() as client:
        await client.post("/api/v1/nodes", {"metadata": {"name": name}})
        new = await client.get(f"/api/v1/nodes/{name}", TABLE)
        await client.patch(f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}, "spec": {"unschedulable": True}})
        await client.patch(f"/api/v1/nodes/{name}/status", {"status": status})
        well = await client.get(f"/api/v1/nodes/{name}", TABLE)
        await client.delete(f"/api/v1/nodes/{name}")

    cells = [one.body["rows"][0]["cells"] for one in (new, well)]
    unknown = ["<unknown>"] * 2
    assert [row[:3] + row[4:] for row in cells] == [
        [name, "Unknown", NONE, "", NONE, NONE, "<unknown>", *unknown],
        [name, "Ready,SchedulingDisabled", "control-plane,worker", "v1.2.3", "192.0.2.1", NONE, "Odd OS", *unknown],
    ]
