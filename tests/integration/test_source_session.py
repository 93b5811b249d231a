"""Who we are, on a real server: its own tokens, its own certificate, its own refusals."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.config.tree import Kubernetes
from bridge.model.event import Change
from bridge.model.resource import Resource, Selection
from bridge.source import credentials
from bridge.source.api import Api
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import Bookmark
from bridge.source.session import Access, Session, connect
from bridge.source.states import Frames, Newest, Opened
from tests.servers.apiserver import Cluster

pytestmark = pytest.mark.integration

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", True)


def kubeconfig(path: Path, cluster: Cluster, user: dict[str, Any], **more: object) -> str:
    """The cluster's own, with another user and other ways to trust it."""
    content = json.loads(cluster.kubeconfig.read_text())
    content["users"][0]["user"] = user
    content["clusters"][0]["cluster"] |= more
    path.write_text(json.dumps(content))
    return str(path)


async def session(path: str) -> Session:
    return await connect(Kubernetes(kubeconfig=path))


async def allow(cluster: Cluster, namespace: str, name: str) -> None:
    """Let a service account read everything."""
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    binding = {"metadata": {"name": f"{namespace}-{name}"}, "roleRef": reference, "subjects": [subject]}
    async with cluster.kube() as kube:
        await kube.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)


async def test_a_service_account_that_may_nothing(cluster: Cluster) -> None:
    """Behaviour 36: the server's own words reach the operator, and `check` knows before `run`."""
    token = await asyncio.to_thread(cluster.token_for, "nobody", "nothing")
    here = await session(str(cluster.kubeconfig_for(token)))
    selection = Selection(CONFIGMAPS, "nobody")
    api = Api(here, selection)

    replies = [await api.newest(), await api.page("", whole=False), await api.open_list()]
    allowed = [await here.access(verb, selection) for verb in ("list", "watch")]
    uid = await here.cluster_uid()
    await here.close()

    who = 'User "system:serviceaccount:nobody:nothing" cannot'
    where = 'resource "configmaps" in API group "" in the namespace "nobody"'
    mend = "(`event-bridge check` prints what to grant)"
    assert replies == [
        Fault(phase, Kind.HTTP, 403, "Forbidden", f"configmaps is forbidden: {who} {verb} {where} {mend}")
        for phase, verb in ((Phase.PROBE, "list"), (Phase.LIST, "list"), (Phase.INITIAL, "watch"))
    ]
    assert allowed == [Access(False), Access(False)]
    assert uid == ""


async def test_the_administrator(cluster: Cluster) -> None:
    here = await session(str(cluster.kubeconfig))
    async with cluster.kube() as kube:
        system = await kube.get("/api/v1/namespaces/kube-system")

    allowed = await here.access("watch", Selection(CONFIGMAPS))
    uid = await here.cluster_uid()
    await here.close()

    assert isinstance(allowed, Access)
    assert allowed.allowed
    assert uid == system["metadata"]["uid"]


async def test_a_wrong_token(cluster: Cluster) -> None:
    """Behaviour 35."""
    here = await session(str(cluster.kubeconfig_for("wrong")))

    reply = await Api(here, Selection(CONFIGMAPS)).open_list()
    await here.close()

    what = f"{cluster.url} refused our credentials: renew the token or certificate"
    assert reply == Fault(Phase.INITIAL, Kind.HTTP, 401, "Unauthorized", what)


async def test_a_token_is_renewed_under_an_open_watch(cluster: Cluster, tmp_path: Path) -> None:
    """Behaviour 35: the watch that is open goes on, the old token is refused, the file's new one is taken by itself."""
    account = "/api/v1/namespaces/rotation/serviceaccounts"
    token = tmp_path / "token"
    token.write_text(await asyncio.to_thread(cluster.token_for, "rotation", "reader"))
    await allow(cluster, "rotation", "reader")
    here = await session(kubeconfig(tmp_path / "config", cluster, {"tokenFile": "token"}))
    selection = Selection(CONFIGMAPS, "rotation")
    watching, asking = Api(here, selection), Api(here, selection)
    newest = await watching.newest()
    assert isinstance(newest, Newest)
    assert await watching.open(newest.version) == Opened()

    async with cluster.kube() as kube:
        await kube.delete(f"{account}/reader")
        fresh = await asyncio.to_thread(cluster.token_for, "rotation", "reader")
        refused = await _refused(asking)
        await kube.create("/api/v1/namespaces/rotation/configmaps", {"metadata": {"name": "seen"}})
    frames = await _changes(watching)
    token.write_text(fresh + "\n")
    await asking.reauthenticate()
    accepted = await asking.newest()
    watching.close()
    await here.close()

    assert (refused.status, refused.phase) == (401, Phase.PROBE)
    assert [frame.key for frame in frames] == ["configmaps/rotation/seen"]
    assert isinstance(accepted, Newest)


async def _refused(api: Api) -> Fault:
    """The server remembers a token's success for 10 s (TokenSuccessCacheTTL)."""
    async with asyncio.timeout(60):
        while True:
            reply = await api.newest()
            if isinstance(reply, Fault):
                return reply
            await asyncio.sleep(1)


async def _changes(api: Api) -> list[Change]:
    """The next changes; a bookmark may come before."""
    while True:
        reply = await api.frames()
        assert isinstance(reply, Frames), reply
        if changes := [frame for frame in reply.frames if isinstance(frame, Change)]:
            return changes
        assert all(isinstance(frame, Bookmark) for frame in reply.frames)


UNTRUSTED = "its certificate is not trusted: "


@pytest.mark.parametrize(
    ("more", "trusted"),
    [
        ({}, True),
        ({"certificate-authority": ""}, False),
        ({"tls-server-name": "elsewhere.example"}, False),
        ({"tls-server-name": "kubernetes.default"}, True),
        ({"certificate-authority": "", "insecure-skip-tls-verify": True}, True),
    ],
)
async def test_whom_we_trust(cluster: Cluster, more: dict[str, object], trusted: bool, tmp_path: Path) -> None:
    """A certificate that does not fit is a fault that says so, on every kind of request; never is it looked past."""
    here = await session(kubeconfig(tmp_path / "config", cluster, {"token": cluster.token}, **more))
    api = Api(here, Selection(CONFIGMAPS))

    replies = [await api.newest(), await api.open_list()]
    api.close()
    await here.close()

    if trusted:
        assert [type(reply) for reply in replies] == [Newest, Opened]
        return
    for reply, phase in zip(replies, (Phase.PROBE, Phase.INITIAL), strict=True):
        assert isinstance(reply, Fault)
        assert (reply.phase, reply.kind) == (phase, Kind.NETWORK)
        assert reply.message.startswith(f"{cluster.url}: {UNTRUSTED}")


def openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


def authority(directory: Path) -> Path:
    openssl(
        directory,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=ca",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
    )
    return directory / "ca.crt"


def certify(directory: Path, name: str, subject: str) -> tuple[str, str]:
    """A client certificate and its key, signed by the authority there."""
    openssl(
        directory,
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        subject,
        "-keyout",
        f"{name}.key",
        "-out",
        f"{name}.csr",
    )
    openssl(
        directory,
        "x509",
        "-req",
        "-in",
        f"{name}.csr",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        f"{name}.crt",
    )
    return (directory / f"{name}.crt").read_text(), (directory / f"{name}.key").read_text()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl signs the client certificates")
async def test_client_certificates_are_renewed_too(
    servers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From files and from a plugin: the next request shows the new one, and an open watch is not disturbed."""
    assert servers.name
    monkeypatch.setattr(credentials, "SETTLED", 0.0)
    ca = await asyncio.to_thread(authority, tmp_path)
    king = await asyncio.to_thread(certify, tmp_path, "king", "/O=system:masters/CN=king")
    beggar = await asyncio.to_thread(certify, tmp_path, "beggar", "/CN=beggar")
    cluster = await asyncio.to_thread(Cluster(f"--client-ca-file={ca}").__enter__)
    try:
        await _renewed_files(cluster, tmp_path, king, beggar)
        await _renewed_by_plugin(cluster, tmp_path, king, beggar)
    finally:
        await asyncio.to_thread(cluster.close)


Pair = tuple[str, str]


async def _renewed_files(cluster: Cluster, directory: Path, king: Pair, beggar: Pair) -> None:
    certificate, key = directory / "client.crt", directory / "client.key"

    def show(pair: Pair) -> None:
        certificate.write_text(pair[0])
        key.write_text(pair[1])

    show(beggar)
    user = {"client-certificate": "client.crt", "client-key": str(key)}
    here = await session(kubeconfig(directory / "config", cluster, user))
    await _rises(here, lambda: show(king), lambda: show(beggar))


async def _renewed_by_plugin(cluster: Cluster, directory: Path, king: Pair, beggar: Pair) -> None:
    version = "client.authentication.k8s.io/v1"

    def show(pair: Pair) -> None:
        status = {"clientCertificateData": pair[0], "clientKeyData": pair[1]}
        answer = {"apiVersion": version, "kind": "ExecCredential", "status": status}
        (directory / "answer").write_text(json.dumps(answer))

    show(beggar)
    user = {"exec": {"apiVersion": version, "command": "cat", "args": [str(directory / "answer")]}}
    here = await session(kubeconfig(directory / "config", cluster, user))
    await _rises(here, lambda: show(king), lambda: show(beggar))


async def _rises(here: Session, rise: Callable[[], None], fall: Callable[[], None]) -> None:
    """From one who may nothing to one who may all, and back, in one session."""
    api = Api(here, Selection(CONFIGMAPS))

    before = await api.newest()
    rise()
    await api.reauthenticate()
    risen = await api.newest()
    opened = await api.open_list()
    fall()
    await api.reauthenticate()
    fallen = await Api(here, Selection(CONFIGMAPS)).newest()
    frames = await api.frames()
    api.close()
    await here.close()

    assert isinstance(before, Fault)
    assert isinstance(fallen, Fault)
    assert (before.status, fallen.status) == (403, 403)
    assert 'User "beggar" cannot list' in fallen.message
    assert isinstance(risen, Newest)
    assert opened == Opened()
    assert isinstance(frames, Frames)
