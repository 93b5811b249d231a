"""What is renewed, or breaks, under a session to a real API server: its authority, and the plugin that logs us in."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from bridge.model.resource import Selection
from bridge.source import credentials
from bridge.source.api import Api
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.states import Newest
from tests.integration.test_source_session import CONFIGMAPS, UNTRUSTED, kubeconfig, session
from tests.servers.apiserver import Cluster
from tests.servers.secure import certificate

VERSION = "client.authentication.k8s.io/v1"


class Renewable(Cluster):
    """Its certificate is `server.crt` in a directory of ours, and signed by itself."""

    def __init__(self, directory: Path) -> None:
        files = directory / "server.crt", directory / "server.key"
        super().__init__(f"--tls-cert-file={files[0]}", f"--tls-private-key-file={files[1]}")
        self._served = files[0]

    @property
    def ca(self) -> Path:
        return self._served


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
async def test_a_renewed_authority_is_taken(servers: Path, tmp_path: Path) -> None:
    """Once in years a cluster gets a new one, and the file is replaced: no restart, and half a file is waited out."""
    assert servers.name
    await asyncio.to_thread(certificate, tmp_path, "server")
    cluster = await asyncio.to_thread(Renewable(tmp_path).__enter__)
    try:
        authority = tmp_path / "ca.crt"
        authority.write_bytes(cluster.ca.read_bytes())
        user = {"token": cluster.token}
        here = await session(
            kubeconfig(tmp_path / "config", cluster, user, **{"certificate-authority": str(authority)})
        )
        api = Api(here, Selection(CONFIGMAPS))
        before = await api.newest()

        await asyncio.to_thread(certificate, tmp_path, "server")
        await asyncio.to_thread(lambda: cluster.restart_api(kill=True))
        refused = await api.newest()
        authority.write_bytes(cluster.ca.read_bytes()[:600])
        half = await api.newest()
        authority.write_bytes(cluster.ca.read_bytes())
        after = await api.newest()
        await here.close()
    finally:
        await asyncio.to_thread(cluster.close)

    assert isinstance(before, Newest)
    assert isinstance(refused, Fault)
    assert refused.message.startswith(f"{cluster.url}: {UNTRUSTED}")
    assert isinstance(half, Fault)
    assert (half.kind, str(tmp_path / "config") in half.message) == (Kind.CREDENTIALS, True)
    assert isinstance(after, Newest)


async def test_a_plugin_of_all_sorts(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a cloud's login anything happens. Each is told for what it is, never shown, and over when it is over."""
    monkeypatch.setattr(credentials, "SETTLED", 0.0)
    monkeypatch.setattr(credentials, "PAUSE", 0.0)
    monkeypatch.setattr(credentials, "PLUGIN_TIMEOUT", 3.0)
    program = tmp_path / "plugin"

    def does(script: str) -> None:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    good = says(cluster.token)
    does(good)
    user = {"exec": {"apiVersion": VERSION, "command": str(program), "interactiveMode": "Never"}}
    here = await session(kubeconfig(tmp_path / "config", cluster, user))
    api = Api(here, Selection(CONFIGMAPS))
    replies = []
    for script in (
        good,
        f"sleep 1; {good}",
        f"yes {cluster.token} | head -c 3000000 >&2; {good}",
        f"echo {cluster.token}; echo {cluster.token} >&2; exit 5",
        good,
        f"echo bearer {cluster.token}",
        "sleep 60",
        says(cluster.token, "2020-01-02T03:04:05Z"),
        says("no-token-of-this-cluster"),
        good,
    ):
        does(script)
        await api.reauthenticate()
        replies.append(await api.newest())
    await here.close()

    faults = [reply for reply in replies if isinstance(reply, Fault)]
    assert [type(reply) is Newest for reply in replies] == [True, True, True, False, True, *[False] * 4, True]
    assert [(fault.phase, fault.message) for fault in faults] == [
        (Phase.PROBE, message)
        for message in (
            (
                f"exec plugin {program} ended with 5."
                " What it printed is not shown, for it may hold a credential: run it by hand to see it"
            ),
            f"exec plugin {program}: its answer is no ExecCredential: JSON is malformed: invalid character (byte 0)",
            f"exec plugin {program} gave no answer within 3 s",
            f"exec plugin {program}: its credential expired at 2020-01-02T03:04:05Z. Log in anew, or set the clock",
            f"{cluster.url} refused our credentials: renew the token or certificate",
        )
    ]
    assert [fault for fault in faults if cluster.token in fault.message] == []


def says(token: str, expires: str = "2100-01-01T00:00:00Z") -> str:
    """The shell line of a plugin that answers."""
    status = {"token": token, "expirationTimestamp": expires}
    return f"echo '{json.dumps({'apiVersion': VERSION, 'kind': 'ExecCredential', 'status': status})}'"
