"""Which API server, and as whom: from a kubeconfig, or from inside a cluster. Read once; what is wrong names its mend.

Contents are merged as kubectl does: of several files the first that says something wins.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct, field

from bridge.config.problem import ConfigError, Problem
from bridge.config.tree import Kubernetes
from bridge.source import address
from bridge.source.credentials import (
    Credentials,
    CredentialsError,
    Fixed,
    Plugin,
    PluginCommand,
    TokenFile,
    Variable,
    basic,
    bearer,
    reason,
)
from bridge.source.pem import Pem

SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the kubelet puts a pod's token and its cluster's authority."""
COMPARE = "Compare with `kubectl config view`"
EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class Login(Struct, frozen=True):
    """Everything needed to speak to one API server. *source* is the file it comes from, for messages."""

    source: str
    server: str
    credentials: Credentials
    ca: Pem = Pem()
    certificate: Pem = Pem()
    key: Pem = Pem()
    verify: bool = True
    server_name: str = ""
    proxy: str = ""


class _Cluster(Struct, frozen=True, rename="kebab"):
    server: str = ""
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    extensions: list["_Extension"] | None = None


class _Extension(Struct, frozen=True):
    name: str
    extension: object = None


class _Exec(Struct, frozen=True, rename="camel"):
    api_version: str = ""
    command: str = ""
    args: list[str] | None = None
    env: list[Variable] | None = None
    install_hint: str = ""
    interactive_mode: str = ""
    provide_cluster_info: bool = False


class _Provider(Struct, frozen=True):
    name: str = ""


class _User(Struct, frozen=True, rename="kebab"):
    token: str = ""
    token_file: str = field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    exec: _Exec | None = None
    auth_provider: _Provider | None = None
    impersonate: str = field(default="", name="as")


class _Context(Struct, frozen=True):
    cluster: str = ""
    user: str = ""


class _NamedCluster(Struct, frozen=True):
    name: str
    cluster: _Cluster


class _NamedUser(Struct, frozen=True):
    name: str
    user: _User | None = None


class _NamedContext(Struct, frozen=True):
    name: str
    context: _Context


class _File(Struct, frozen=True, rename="kebab"):
    current_context: str | None = None
    clusters: list[_NamedCluster] | None = None
    users: list[_NamedUser] | None = None
    contexts: list[_NamedContext] | None = None


def login(kubernetes: Kubernetes, environment: Mapping[str, str]) -> Login:
    """Where *kubernetes* leads: its kubeconfig, else in-cluster, else $KUBECONFIG or ~/.kube/config."""
    if kubernetes.kubeconfig is not None:
        return _from_files([Path(kubernetes.kubeconfig).expanduser()], kubernetes.context)
    inside = kubernetes.context is None and environment.get("KUBERNETES_SERVICE_HOST")
    if inside and Path(SERVICE_ACCOUNT, "token").exists():
        return in_cluster(environment, SERVICE_ACCOUNT)
    listed = [part for part in environment.get("KUBECONFIG", "").split(":") if part]
    paths = [Path(part).expanduser() for part in listed or ["~/.kube/config"]]
    present = [path for path in paths if path.exists()]
    if not present:
        what = "no such file, and this is no pod of a cluster"
        raise _wrong(":".join(map(str, paths)), "", what, "Set kubernetes.kubeconfig, or $KUBECONFIG")
    return _from_files(present, kubernetes.context)


def in_cluster(environment: Mapping[str, str], directory: str) -> Login:
    """As a pod: *directory* is where its service account is mounted."""
    host, port = environment["KUBERNETES_SERVICE_HOST"], environment.get("KUBERNETES_SERVICE_PORT", "443")
    where = f"[{host}]" if ":" in host else host
    account = Path(directory)
    return Login(
        str(account), f"https://{where}:{port}", TokenFile(str(account / "token")), Pem(str(account / "ca.crt"))
    )


def _from_files(paths: list[Path], wanted: str | None) -> Login:
    """The login that a context names. Relative paths are relative to the file that they stand in."""
    files = [(path, _read(path)) for path in paths]
    source = ":".join(map(str, paths))
    name = wanted or next((file.current_context for _, file in files if file.current_context), None)
    known = [entry.name for _, file in files for entry in file.contexts or []]
    mend = f"Choose one of these with kubernetes.context: {', '.join(known) or 'there are none'}"
    if name is None:
        raise _wrong(source, "current-context", "not set", mend)
    context = next((entry.context for _, file in files for entry in file.contexts or [] if entry.name == name), None)
    if context is None:
        raise _wrong(source, "contexts", f"no context {name!r}", mend)
    clusters = ((path, entry) for path, file in files for entry in file.clusters or [])
    cluster = next(((path, entry.cluster) for path, entry in clusters if entry.name == context.cluster), None)
    if cluster is None or not cluster[1].server:
        what = f"context {name!r} needs a cluster {context.cluster!r} with a server"
        raise _wrong(source, "clusters", what, "Add it, or choose another context")
    users = ((path, entry) for path, file in files for entry in file.users or [])
    user = next(((path, entry.user or _User()) for path, entry in users if entry.name == context.user), None)
    if user is None and context.user:
        what = f"context {name!r} needs a user {context.user!r}"
        raise _wrong(source, "users", what, "Add it, or choose another context")
    return _Entry(cluster[0], "clusters", context.cluster).login(
        cluster[1], _Entry(user[0] if user else cluster[0], "users", context.user), user[1] if user else _User()
    )


def _read(path: Path) -> _File:
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=_File)
    except OSError as error:
        raise _wrong(str(path), "", f"cannot be read: {reason(error)}", "Check kubernetes.kubeconfig") from error
    except msgspec.ValidationError as error:
        raise _wrong(str(path), "", f"no kubeconfig: {error}", COMPARE) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # which may quote the file
        line = re.search(r"line \d+", str(error))
        near = f", {line[0]}" if line else ""
        raise _wrong(str(path), "", f"no YAML{near}", COMPARE) from None


class _Entry(Struct, frozen=True):
    """One entry of a kubeconfig: where it stands, so that paths and messages are right."""

    file: Path
    kind: str
    name: str

    def wrong(self, what: str, mend: str, of: str = "") -> ConfigError:
        return _wrong(str(self.file), f"{self.kind}[{self.name}]{of and '.'}{of}", what, mend)

    def path(self, written: str) -> str:
        return str(self.file.parent / Path(written).expanduser())

    def pem(self, what: str, path: str, data: str) -> Pem:
        """Data wins, as with kubectl."""
        if data:
            try:
                return Pem(data=base64.b64decode(data, validate=True))
            except binascii.Error as error:
                raise self.wrong(f"no base64: {error}", "Encode the PEM file with base64", f"{what}-data") from error
        if not path:
            return Pem()
        where = self.path(path)
        try:
            Path(where).read_bytes()
        except OSError as error:
            raise self.wrong(f"{where}: {reason(error)}", "Correct the path, or its permissions", what) from error
        return Pem(where)

    def login(self, cluster: _Cluster, at: "_Entry", user: _User) -> Login:
        """As the *user* that stands *at*."""
        if (unfit := address.judge(cluster.server, cluster.proxy_url)) is not None:
            raise self.wrong(unfit.what, unfit.mend, unfit.field)
        if user.impersonate:
            raise at.wrong("impersonation is not supported", "Use a user that has the permissions itself", "as")
        ca = self.pem("certificate-authority", cluster.certificate_authority, cluster.certificate_authority_data)
        certificate = at.pem("client-certificate", user.client_certificate, user.client_certificate_data)
        key = at.pem("client-key", user.client_key, user.client_key_data)
        if (certificate == Pem()) != (key == Pem()):
            raise at.wrong("client-certificate and client-key go together", "Give both, or none")
        verify, name, proxy = not cluster.insecure_skip_tls_verify, cluster.tls_server_name, cluster.proxy_url
        credentials = at.credentials(user, cluster, ca)
        server = cluster.server.rstrip("/")
        return Login(str(at.file), server, credentials, ca, certificate, key, verify, name, proxy)

    def credentials(self, user: _User, cluster: _Cluster, ca: Pem) -> Credentials:
        if user.auth_provider is not None:
            what = f"auth-provider {user.auth_provider.name} is not supported: kubectl gave it up in 1.26"
            mend = "Use an exec plugin (kubelogin for oidc and azure, gke-gcloud-auth-plugin for gcp), or a token file"
            raise self.wrong(what, mend, "auth-provider")
        if user.exec is not None:
            return Plugin(self._command(user.exec, cluster, ca))
        if user.token_file:  # it wins over a token, as in client-go (rest/config.go)
            return TokenFile(self.path(user.token_file))
        try:
            return Fixed(_header(user))
        except CredentialsError as error:
            raise self.wrong(str(error), "Copy the token again, without line breaks", "token") from error

    def _command(self, plugin: _Exec, cluster: _Cluster, ca: Pem) -> PluginCommand:
        if plugin.api_version not in EXEC_VERSIONS:
            what = f"apiVersion {plugin.api_version or 'is not set'}"
            raise self.wrong(what, f"Use {EXEC_VERSIONS[0]}", "exec.apiVersion")
        if not plugin.command:
            raise self.wrong("no command", "Name the plugin's program", "exec.command")
        if plugin.interactive_mode == "Always":
            what = "the plugin wants to ask a person, and nobody is there"
            raise self.wrong(what, "Use a plugin that can do without", "exec.interactiveMode")
        command = self.path(plugin.command) if "/" in plugin.command else plugin.command
        spec: dict[str, object] = {"interactive": False}
        if plugin.provide_cluster_info:
            spec["cluster"] = _cluster_info(cluster, ca)
        info = {"kind": "ExecCredential", "apiVersion": plugin.api_version, "spec": spec}
        arguments, environment = (command, *(plugin.args or ())), tuple(plugin.env or ())
        return PluginCommand(
            plugin.api_version, arguments, environment, msgspec.json.encode(info), plugin.install_hint.strip()
        )


def _header(user: _User) -> str:
    if user.token:
        return bearer(user.token.strip())
    return basic(user.username, user.password) if user.username else ""


def _cluster_info(cluster: _Cluster, ca: Pem) -> dict[str, object]:
    """The cluster, as ExecCredential has it; its config is the extension of this name (client-go, exec/cluster.go)."""
    config = next(
        (e.extension for e in cluster.extensions or [] if e.name == "client.authentication.k8s.io/exec"), None
    )
    return {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(ca.read()).decode(),
        "proxy-url": cluster.proxy_url,
        "config": config,
    }


def _wrong(file: str, path: str, what: str, mend: str) -> ConfigError:
    return ConfigError([Problem(file, 0, path, what, mend)])
