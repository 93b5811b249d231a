"""kube-apiserver on its own etcd: everything that a watch can see of a cluster, and everything that can happen to one.

Nothing runs pods there (no scheduler, no kubelet, no controllers): objects are just objects, and namespaces stay when
deleted. RBAC is on, ServiceAccount tokens are real ones, CustomResourceDefinitions work.
"""

import json
import secrets
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers import build
from tests.servers.directory import Directory
from tests.servers.etcd import Etcd
from tests.servers.kube import Kube
from tests.servers.ports import on_free_ports
from tests.servers.process import Process

START = 120.0
"""It answers within 3 to 5 s on two idle cores; the rest is for a busy machine."""

STOP = 70.0
"""It lets requests finish for 60 s (--request-timeout); watches are ended at once."""


class Cluster:
    """Use as a context, or `start` and `close`. All methods block; coroutines call through `asyncio.to_thread`."""

    def __init__(self, *flags: str) -> None:
        """*flags* go to the kube-apiserver beside ours, such as `--event-ttl=10s`."""
        self._flags = flags
        self._directory = Directory()
        self.directory = self._directory.path
        self.etcd = Etcd(self.directory)
        self.process = Process("kube-apiserver", self.directory / "kube-apiserver.log")
        self.token = secrets.token_urlsafe(16)
        self._port = 0
        self._snapshots = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def ca(self) -> Path:
        """The server signs its own certificate, for 127.0.0.1; the file holds the chain and stays over restarts."""
        return self.directory / "certs" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        """For the administrator (group system:masters)."""
        return self.directory / "kubeconfig"

    def kube(self, token: str | None = None) -> Kube:
        """A client for coroutines; for the administrator unless a token says otherwise."""
        return Kube(self.url, token or self.token, self.ca)

    # Start and end

    def start(self) -> None:
        try:
            self._write_secrets()
            self.etcd.start()
            on_free_ports(1, self._start_on)
            self.kubeconfig_for(self.token, self.kubeconfig)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """For good: the data go too, so nothing needs to end in order."""
        self.process.kill()
        self.etcd.kill()
        if self.directory.exists():
            self._directory.remove()

    # What can happen to a cluster

    def start_api(self) -> None:
        self._start_on([self._port])

    def stop_api(self) -> None:
        """SIGTERM: as in an upgrade, watches are ended in order."""
        self.process.stop(STOP)

    def kill_api(self) -> None:
        """SIGKILL: connections are reset in the middle of a line."""
        self.process.kill()

    def restart_api(self, *, kill: bool = False) -> None:
        if kill:
            self.kill_api()
        else:
            self.stop_api()
        self.start_api()

    def compact(self) -> int:
        """Forget etcd's history, which costs the position of uncached resources (`events`), and of no other.

        An open watch goes on. The API server does this every five minutes by itself.
        """
        return self.etcd.compact()

    def expire_everything(self, *, kill: bool = False) -> None:
        """Every version handed out until now is 410 afterwards, for every resource: a new server knows no history."""
        if kill:
            self.kill_api()
        else:
            self.stop_api()
        self.etcd.compact()
        self.start_api()

    def snapshot(self) -> Path:
        """A copy of the whole state, for `rewind`; the cluster goes on meanwhile."""
        self._snapshots += 1
        copy = self.directory / f"snapshot-{self._snapshots}"
        self.etcd.copy_to(copy)
        return copy

    def rewind(self, snapshot: Path) -> None:
        """As after the restore of a backup: versions go back, and will be handed out again for other changes."""
        self.kill_api()
        self.etcd.kill()
        self.etcd.replace_by(snapshot)
        self.etcd.start()
        self.start_api()

    # Identities

    def token_for(self, namespace: str, service_account: str) -> str:
        """A real ServiceAccount token (TokenRequest), good for an hour. Makes namespace and account where missing."""
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self._make("/api/v1/namespaces", {"metadata": {"name": namespace}})
        self._make(accounts, {"metadata": {"name": service_account}})
        answer = self._ask(f"{accounts}/{service_account}/token", {"spec": {"expirationSeconds": 3600}})
        return str(answer["status"]["token"])

    def kubeconfig_for(self, token: str, path: Path | None = None) -> Path:
        """A kubeconfig that carries the token (JSON is YAML too); readable by us alone, as kubectl wants it."""
        path = path or self.directory / f"kubeconfig-{secrets.token_hex(4)}"
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "tests", "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}],
            "users": [{"name": "tests", "user": {"token": token}}],
            "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
            "current-context": "tests",
        }
        path.touch(0o600)
        path.write_text(json.dumps(content, indent=1))
        return path

    # Inside

    def _write_secrets(self) -> None:
        certs = self.directory / "certs"
        certs.mkdir()
        (certs / "tokens.csv").write_text(f'{self.token},admin,admin,"system:masters"\n')
        key = subprocess.run([build.place() / "bin" / "signing-key"], check=True, stdout=subprocess.PIPE)
        (certs / "signing.key").write_bytes(key.stdout)

    def _start_on(self, ports: list[int]) -> None:
        (self._port,) = ports
        certs = self.directory / "certs"
        command = [
            str(build.place() / "bin" / "kube-apiserver"),
            f"--etcd-servers={self.etcd.url}",
            f"--cert-dir={certs}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=RBAC",
            f"--token-auth-file={certs / 'tokens.csv'}",
            f"--service-account-issuer={self.url}/",
            f"--service-account-key-file={certs / 'signing.key'}",
            f"--service-account-signing-key-file={certs / 'signing.key'}",
            "--disable-admission-plugins=ServiceAccount",  # no controller makes a `default` account for pods here
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            "--shutdown-watch-termination-grace-period=2s",  # without it, one open watch delays the end by 60 s
            *self._flags,
        ]
        self.process.start(command, self._answers, START)

    def _answers(self) -> bool:
        """Ready, and the namespace `default` made, which a fresh server does a moment later."""
        try:
            self._ask("/readyz?verbose")
            self._ask("/api/v1/namespaces/default")
        except OSError:  # not listening, no certificate yet, not ready (500), no namespace yet (404)
            return False
        return True

    def _make(self, path: str, body: dict[str, Any]) -> None:
        try:
            self._ask(path, body)
        except urllib.error.HTTPError as error:
            if error.code != 409:  # it exists: as wished
                raise

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10, context=ssl.create_default_context(cafile=self.ca)) as reply:
            content = reply.read()
        answer: dict[str, Any] = json.loads(content) if content.startswith(b"{") else {}
        return answer
