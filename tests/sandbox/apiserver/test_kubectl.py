"""What people type: a real kubectl against the sandbox. On the real clock, as kubectl is another process."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.sandbox.apiserver.server import ApiServer

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="KUBECTL MISSING: it is not on the path"),
]

Kubectl = Callable[..., Coroutine[None, None, str]]
PATIENCE = 30.0
"""Seconds for one command, on a busy machine."""


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[ApiServer, Kubectl]]:
    async with ApiServer() as server:
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig_text())
        environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "KUBECONFIG": str(kubeconfig)}

        async def kubectl(*words: str, stdin: str = "", fails: bool = False, answers: bool = False) -> str:
            """What it prints; of one that *fails* what it complains of, unless it *answers* all the same."""
            process = await asyncio.create_subprocess_exec(
                "kubectl",
                *words,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
            )
            async with asyncio.timeout(PATIENCE):
                out, error = await process.communicate(stdin.encode())
            assert (process.returncode != 0) is fails, error.decode()
            return (error if fails and not answers else out).decode()

        yield server, kubectl


def names(table: str) -> list[str]:
    return [line.split()[0] for line in table.splitlines()[1:]]


POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {tier: front}}
spec:
  containers: [{name: main, image: "web:1"}]
"""


async def test_a_configmap_from_its_creation_to_its_end(tmp_path: Path) -> None:
    """Including protobuf, which kubectl sends for what it builds itself."""
    async with running(tmp_path) as (server, kubectl):
        said = [
            await kubectl("create", "configmap", "a", "--from-literal=k=v"),
            await kubectl("label", "configmap", "a", "tier=front"),
            await kubectl("annotate", "cm", "a", "note=x y"),
        ]
        table = await kubectl("get", "cm", "-l", "tier=front")
        yaml = await kubectl("get", "cm", "a", "-o", "yaml")
        found = server.get("configmaps", "default", "a")
        said.append(await kubectl("delete", "cm", "a"))
        missing = await kubectl("get", "cm", "a", fails=True)

    assert said == [
        "configmap/a created\n",
        "configmap/a labeled\n",
        "configmap/a annotated\n",
        'configmap "a" deleted\n',
    ]
    assert table.split()[:5] == ["NAME", "DATA", "AGE", "a", "1"]
    assert "\ndata:\n  k: v\nkind: ConfigMap\n" in yaml
    assert found is not None
    assert (found["data"], found["metadata"]["annotations"]) == ({"k": "v"}, {"note": "x y"})
    assert 'configmaps "a" not found' in missing


async def test_files_are_created_applied_and_deleted(tmp_path: Path) -> None:
    """`apply` in both kinds, its second time being a strategic patch."""
    async with running(tmp_path) as (server, kubectl):
        said = [await kubectl("apply", "-f", "-", stdin=POD)]
        said.append(await kubectl("apply", "-f", "-", stdin=POD))
        said.append(await kubectl("apply", "-f", "-", stdin=POD.replace("web:1", "web:2")))
        said.append(await kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=POD))
        found = server.get("pods", "default", "web")
        said.append(await kubectl("delete", "-f", "-", stdin=POD))
        said.append(await kubectl("create", "-f", "-", stdin=POD))
        twice = await kubectl("create", "-f", "-", stdin=POD, fails=True)

    assert said == [
        "pod/web created\n",
        "pod/web unchanged\n",
        "pod/web configured\n",
        "pod/web serverside-applied\n",
        'pod "web" deleted\n',
        "pod/web created\n",
    ]
    assert found is not None
    assert found["spec"]["containers"] == [{"name": "main", "image": "web:1"}]
    assert 'pods "web" already exists' in twice


async def test_what_kubectl_builds_is_stored_as_it_would_print_it(tmp_path: Path) -> None:
    """All of these are sent in protobuf: not a field may be lost, or come out in another form."""
    built = (
        "configmap a --from-literal=k=v",
        "secret generic a --from-literal=k=v",
        "serviceaccount a",
        "job a --image=b -- echo hi",
        "cronjob a --image=b --schedule=@daily -- echo hi",
        "deployment a --image=b --port=80 --replicas=2",
        "service clusterip a --tcp=80:8080",
        "service nodeport b --tcp=80:http --node-port=30000",
        "ingress a --rule=a.b/c=svc:80 --rule=a.b/d*=svc:http,tls=e",
        "poddisruptionbudget a --selector=a=b --min-available=50%",
        "role a --verb=get,list --resource=pods,deployments.apps --resource-name=n",
        "rolebinding a --role=a --serviceaccount=default:d --user=u",
        "clusterrole a --verb=get --non-resource-url=/x",
        "clusterrolebinding a --clusterrole=a --group=g",
    )
    found, printed = [], []
    async with running(tmp_path) as (_, kubectl):
        for words in built:
            command, *rest = words.partition(" -- ")
            create = ["create", *command.split(), "-o", "json", *"".join(rest).split()]
            printed.append(_told(await kubectl("create", "--dry-run=client", *create[1:])))
            found.append(_told(await kubectl(*create)))

    assert found == printed


def _told(text: str) -> dict[str, object]:
    """Without what the server adds, and what is empty."""
    body = json.loads(text)
    own = {"kind": body["kind"], "metadata": {"name": body["metadata"]["name"]}}
    return _full({name: value for name, value in body.items() if name != "status"} | own)  # type: ignore[return-value]


def _full(value: object) -> object:
    if isinstance(value, dict):
        inner = {name: _full(each) for name, each in value.items()}
        return {name: each for name, each in inner.items() if each not in ({}, None)}
    return [_full(each) for each in value] if isinstance(value, list) else value


async def test_a_node_is_drained(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, kubectl):
        server.create("nodes", {"metadata": {"name": "n"}})
        for name, node in (("a", "n"), ("b", "other")):
            spec = {"nodeName": node, "containers": [{"name": "main", "image": "i"}]}
            server.create("pods", {"metadata": {"name": name}, "spec": spec})
        said = await kubectl("drain", "n", "--ignore-daemonsets", "--force")
        left = [pod["metadata"]["name"] for pod in server.list("pods")]
        drained = server.get("nodes", "", "n")

    assert said == "node/n cordoned\npod/a deleted\nnode/n drained\n"
    assert left == ["b"]
    assert drained is not None
    assert drained["spec"] == {"unschedulable": True}


async def test_a_dry_run_of_the_server_changes_nothing(tmp_path: Path) -> None:
    """`kubectl diff` is one, by server-side apply; of `delete` kubectl says it in the body alone."""
    changed = POD.replace("web:1", "web:2")
    async with running(tmp_path) as (server, kubectl):
        said = [await kubectl("create", "--dry-run=server", "-f", "-", stdin=POD)]
        await kubectl("create", "-f", "-", stdin=POD)
        version = server.version
        said += [
            await kubectl("apply", "--dry-run=server", "-f", "-", stdin=changed),
            await kubectl("delete", "--dry-run=server", "-f", "-", stdin=POD),
            await kubectl("delete", "pods", "--all", "--dry-run=server"),
        ]
        difference = await kubectl("diff", "-f", "-", stdin=changed, fails=True, answers=True)
        left = server.version

    assert said == [
        "pod/web created (server dry run)\n",
        "pod/web configured (server dry run)\n",
        'pod "web" deleted (server dry run)\n',
        'pod "web" deleted (server dry run)\n',
    ]
    assert [line for line in difference.splitlines() if "image:" in line] == ["-  - image: web:1", "+  - image: web:2"]
    assert left == version


async def test_a_watch_prints_what_happens(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, kubectl):
        server.create("configmaps", {"metadata": {"name": "a"}})
        words = ("get", "configmaps", "--watch", "--output-watch-events", "--no-headers", "--request-timeout=4s")
        watching = asyncio.create_task(kubectl(*words))
        async with asyncio.timeout(PATIENCE):
            while server.open_watches == 0:  # noqa: ASYNC110  # another process opens it
                await asyncio.sleep(0.01)
        server.create("configmaps", {"metadata": {"name": "b"}})
        server.update("configmaps", {"metadata": {"name": "b"}, "data": {"k": "v"}})
        server.delete("configmaps", "default", "a")
        printed = [line.split()[:2] for line in (await watching).splitlines()]

    assert printed == [["ADDED", "a"], ["ADDED", "b"], ["MODIFIED", "b"], ["DELETED", "a"]]


async def test_tables_of_what_a_demo_shows(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, kubectl):
        server.create("nodes", {"metadata": {"name": "n1"}})
        about = {"kind": "Pod", "namespace": "default", "name": "web"}
        event = {
            "metadata": {"name": "e"},
            "involvedObject": about,
            "reason": "Started",
            "type": "Normal",
            "message": "up",
        }
        server.create("events", event)
        await kubectl("create", "deployment", "web", "--image=web:1", "--replicas=2", "--port=80")
        found = [await kubectl("get", what) for what in ("ns", "nodes", "deployments", "events", "all")]
        await kubectl("scale", "deployment", "web", "--replicas=3")
        everything = await kubectl("get", "deployments", "--all-namespaces")

    heads = [table.split("\n")[0].split() for table in found]
    assert names(found[0]) == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert heads[1:4] == [
        ["NAME", "STATUS", "ROLES", "AGE", "VERSION"],
        ["NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE"],
        ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"],
    ]
    assert found[3].split()[-4:] == ["Normal", "Started", "pod/web", "up"]
    assert names(found[4]) == ["deployment.apps/web"]
    assert everything.splitlines()[1].split()[:3] == ["default", "web", "0/3"]


async def test_events_are_sorted_by_their_time(tmp_path: Path) -> None:
    """The first thing that is typed when something is wrong; kubectl sorts by what is in the objects."""
    async with running(tmp_path) as (server, kubectl):
        for name, time in (("c", "12:00:02"), ("a", "12:00:03"), ("b", "12:00:01")):
            about = {"kind": "Pod", "namespace": "default", "name": name}
            body = {"metadata": {"name": name}, "involvedObject": about, "lastTimestamp": f"2026-01-01T{time}Z"}
            server.create("events", body | {"type": "Normal", "reason": "Tested", "message": name})
        printed = await kubectl("get", "events", "--sort-by=.lastTimestamp")

    assert [line.split()[-1] for line in printed.splitlines()[1:]] == ["b", "c", "a"]


async def test_a_custom_resource(tmp_path: Path) -> None:
    """Served as soon as its definition is there, and found by its short name."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
            ],
        },
    }
    widget = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}, "spec": {"size": 1}}
    async with running(tmp_path) as (_, kubectl):
        await kubectl("create", "-f", "-", stdin=json.dumps(definition))
        await kubectl("wait", "--for=condition=Established", "crd/widgets.example.com", "--timeout=5s")
        await kubectl("apply", "-f", "-", stdin=json.dumps(widget))
        await kubectl("patch", "wd", "w", "--type=merge", '--patch={"spec":{"size":2}}')
        size = await kubectl("get", "wd", "w", "-o", "jsonpath={.spec.size}")
        await kubectl("delete", "crd", "widgets.example.com")
        missing = await kubectl("get", "widgets", fails=True)

    assert size == "2"
    assert "NotFound" in missing or "doesn't have a resource type" in missing


async def test_namespaces_access_and_version(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, kubectl):
        server.access.forbid("delete", "pods")
        said = [
            await kubectl("create", "namespace", "team"),
            await kubectl("create", "secret", "generic", "s", "--from-literal=p=q", "--namespace=team"),
            await kubectl("get", "secret", "s", "--namespace=team", "-o", "jsonpath={.data.p}"),
            await kubectl("auth", "can-i", "list", "pods"),
            await kubectl("delete", "namespace", "team"),
        ]
        denied = await kubectl("auth", "can-i", "delete", "pods", fails=True)
        version = json.loads(await kubectl("version", "-o", "json"))["serverVersion"]["minor"]
        left = server.list("secrets")

    assert said == ["namespace/team created\n", "secret/s created\n", "cQ==", "yes\n", 'namespace "team" deleted\n']
    assert (denied, version, left) == ("", "37", [])
