"""Which cluster, as whom, and how credentials stay fresh.

Where a plugin runs as a process the clock is the real one: these tests run a loop of their own.
"""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import certifi
import msgspec
import pytest

from bridge.config.problem import ConfigError
from bridge.config.tree import Kubernetes
from bridge.model.resource import Resource, Selection
from bridge.source import credentials
from bridge.source.credentials import Credential, Credentials, CredentialsError, Fixed, Plugin, TokenFile
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.kubeconfig import Login, in_cluster, login
from bridge.source.pem import Pem
from bridge.source.session import ANSWER, CONNECT, OPEN, Access, Session, connect
from tests.source.scripted import Request, Script, Server, answer, in_turn

Node = dict[str, Any]
CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def config(user: Node | None = None, cluster: Node | None = None, **top: object) -> Node:
    return {
        "clusters": [{"name": "c", "cluster": {"server": "https://h:6443", **(cluster or {})}}],
        "users": [{"name": "alice", "user": user or {}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "alice"}}],
        "current-context": "here",
        **top,
    }


def write(path: Path, document: Node) -> str:
    path.write_bytes(msgspec.yaml.encode(document))
    return str(path)


def entered(path: str, context: str | None = None) -> Login:
    return login(Kubernetes(kubeconfig=path, context=context), {})


def problem(act: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        act()
    return str(caught.value)


def header(source: Credentials) -> str:
    return asyncio.run(source.now()).header


EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "get-token"}

REFUSED: list[tuple[Node, str]] = [
    (
        config({"auth-provider": {"name": "oidc", "config": {"id-token": "SECRET"}}}),
        (
            "FILE: users[alice].auth-provider: auth-provider oidc is not supported: kubectl gave it up in 1.26. Use an"
            " exec plugin (kubelogin for oidc and azure, gke-gcloud-auth-plugin for gcp), or a token file"
        ),
    ),
    (
        config({"exec": {**EXEC, "interactiveMode": "Always"}}),
        (
            "FILE: users[alice].exec.interactiveMode: the plugin wants to ask a person, and nobody is there. Use a"
            " plugin that can do without"
        ),
    ),
    (
        config({"exec": {**EXEC, "apiVersion": "client.authentication.k8s.io/v1alpha1"}}),
        (
            "FILE: users[alice].exec.apiVersion: apiVersion client.authentication.k8s.io/v1alpha1. Use"
            " client.authentication.k8s.io/v1"
        ),
    ),
    (
        config({"exec": {**EXEC, "command": ""}}),
        "FILE: users[alice].exec.command: no command. Name the plugin's program",
    ),
    (
        config({"client-certificate-data": base64.b64encode(CERTIFICATE).decode()}),
        "FILE: users[alice]: client-certificate and client-key go together. Give both, or none",
    ),
    (
        config({"client-certificate": "gone.crt", "client-key": "gone.key"}),
        (
            "FILE: users[alice].client-certificate: DIR/gone.crt: No such file or directory. Correct the path, or its"
            " permissions"
        ),
    ),
    (
        config(cluster={"certificate-authority": "gone.crt"}),
        (
            "FILE: clusters[c].certificate-authority: DIR/gone.crt: No such file or directory. Correct the path, or its"
            " permissions"
        ),
    ),
    (
        config(cluster={"certificate-authority-data": "*"}),
        (
            "FILE: clusters[c].certificate-authority-data: no base64: Only base64 data is allowed. Encode the PEM file"
            " with base64"
        ),
    ),
    (
        config(cluster={"proxy-url": "socks5://p:1"}),
        "FILE: clusters[c].proxy-url: socks5 proxies are not supported. Use an http proxy",
    ),
    (
        config(cluster={"proxy-url": "http://me:S3CRET#x@p:1"}),
        ("FILE: clusters[c].proxy-url: no URL. Write http://host:port, and special characters of a login as %23"),
    ),
    (
        config(cluster={"server": "https://me:S3CRET@h:6443"}),
        "FILE: clusters[c].server: a URL with a login. Write https://host:port, and the login under users",
    ),
    (config(cluster={"server": "h:6443"}), "FILE: clusters[c].server: no URL: h:6443. Write https://host:port"),
    (
        config({"token": "two words"}),
        (
            "FILE: users[alice].token: the token holds characters that no HTTP header may hold. Copy the token again,"
            " without line breaks"
        ),
    ),
    (
        config({"as": "bob"}),
        "FILE: users[alice].as: impersonation is not supported. Use a user that has the permissions itself",
    ),
    (
        {**config(), "current-context": "nowhere"},
        "FILE: contexts: no context 'nowhere'. Choose one of these with kubernetes.context: here",
    ),
    (
        {**config(), "current-context": None},
        "FILE: current-context: not set. Choose one of these with kubernetes.context: here",
    ),
    (
        config(users=None),
        "FILE: users: context 'here' needs a user 'alice'. Add it, or choose another context",
    ),
    (
        config(clusters=[]),
        "FILE: clusters: context 'here' needs a cluster 'c' with a server. Add it, or choose another context",
    ),
    (
        config(contexts="x"),
        "FILE: no kubeconfig: Expected `array | null`, got `str` - at `$.contexts`. Compare with `kubectl config view`",
    ),
]


@pytest.mark.parametrize(("document", "message"), REFUSED)
def test_kubeconfigs_that_cannot_work(document: Node, message: str, tmp_path: Path) -> None:
    """Each says where, what and the mend; none says a secret, and none waits for the first request to fail."""
    path = write(tmp_path / "config", document)

    said = problem(lambda: entered(path))

    assert said.replace(path, "FILE").replace(str(tmp_path), "DIR") == message


@pytest.mark.parametrize(
    "text", ["users:\n- user:\n    token: S3CRET: x\n", "token: !S3CRET x", "token: *S3CRET", "token: 'S3CRET\n"]
)
def test_a_kubeconfig_that_is_no_yaml_is_not_quoted(text: str, tmp_path: Path) -> None:
    """The line that cannot be read may be the one with the token."""
    path = tmp_path / "config"
    path.write_text(text)

    said = problem(lambda: entered(str(path)))

    assert said.startswith(f"{path}: no YAML, line ")
    assert "S3CRET" not in said


def test_a_kubeconfig_that_is_not_there(tmp_path: Path) -> None:
    gone = tmp_path / "gone"

    assert problem(lambda: entered(str(gone))) == (
        f"{gone}: cannot be read: No such file or directory. Check kubernetes.kubeconfig"
    )
    assert problem(lambda: login(Kubernetes(), {"KUBECONFIG": f"{gone}:{gone}"})) == (
        f"{gone}:{gone}: no such file, and this is no pod of a cluster. Set kubernetes.kubeconfig, or $KUBECONFIG"
    )


def test_a_whole_kubeconfig(tmp_path: Path) -> None:
    """Paths are relative to the file; data wins over a path."""
    (tmp_path / "ca.crt").write_bytes(b"CA")
    data = {"client-certificate-data": base64.b64encode(b"CERT").decode(), "client-key-data": "S0VZ"}
    cluster = {
        "server": "https://h:6443/",
        "certificate-authority": "ca.crt",
        "tls-server-name": "n",
        "proxy-url": "http://p:3128",
        "insecure-skip-tls-verify": True,
    }
    path = write(tmp_path / "config", config({**data, "client-certificate": "gone"}, cluster))

    found = entered(path)

    certificate, key, ca = Pem(data=b"CERT"), Pem(data=b"KEY"), Pem(str(tmp_path / "ca.crt"))
    source = found.credentials
    assert found == Login(
        path, "https://h:6443", source, ca, certificate, key, verify=False, server_name="n", proxy="http://p:3128"
    )
    assert header(source) == ""


def test_an_empty_file_is_one_that_is_being_written(tmp_path: Path) -> None:
    """Taken for none, an empty authority would trust every public one with our token."""
    (tmp_path / "ca.crt").write_bytes(b"")

    with pytest.raises(OSError, match="it is empty"):
        Pem(str(tmp_path / "ca.crt")).read()


@pytest.mark.parametrize(
    ("user", "value"),
    [
        ({"token": "T\n"}, "Bearer T"),
        ({"username": "u", "password": "p:ä"}, "Basic dTpwOsOk"),
        ({"tokenFile": "token", "token": "old"}, "Bearer of-file"),
        ({}, ""),
    ],
)
def test_users(user: Node, value: str, tmp_path: Path) -> None:
    """A trailing newline, which editors and `echo` add, would break every request."""
    (tmp_path / "token").write_text("of-file\n")

    assert header(entered(write(tmp_path / "config", config(user))).credentials) == value


def test_several_files_are_merged_as_kubectl_does(tmp_path: Path) -> None:
    """The first to say something wins, also for the current context; missing files are passed over."""
    first, second = tmp_path / "a", tmp_path / "b" / "config"
    second.parent.mkdir()
    (second.parent / "token").write_text("of-b")
    write(first, {"current-context": "here", "users": [{"name": "bob", "user": {"token": "of-a"}}]})
    users = [{"name": "alice", "user": {"tokenFile": "token"}}, {"name": "bob", "user": {"token": "hidden"}}]
    contexts = [
        {"name": name, "context": {"cluster": "c", "user": who}} for name, who in (("here", "alice"), ("x", "bob"))
    ]
    write(second, {**config(users=users, contexts=contexts), "current-context": "x"})
    environment = {"KUBECONFIG": f"{tmp_path / 'gone'}:{first}:{second}"}

    assert header(login(Kubernetes(), environment).credentials) == "Bearer of-b"
    assert header(login(Kubernetes(context="x"), environment).credentials) == "Bearer of-a"


def test_in_cluster(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("T1")
    environment = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}

    found = in_cluster(environment, str(tmp_path))

    assert (found.server, found.ca, found.verify) == ("https://[fd00::1]:6443", Pem(str(tmp_path / "ca.crt")), True)
    assert header(found.credentials) == "Bearer T1"


def test_certificates_that_are_none_are_noticed_at_the_start(tmp_path: Path) -> None:
    path = write(tmp_path / "config", config(cluster={"certificate-authority-data": "Tk9ORQ=="}))

    with pytest.raises(ConfigError, match=r"authority, certificate or key of .*config: .*Correct or renew the file"):
        asyncio.run(connect(Kubernetes(kubeconfig=path)))


async def test_a_token_file_is_read_anew_for_every_request(tmp_path: Path) -> None:
    """The kubelet renews tokens at 80 % of an hour; a token of before is refused once it has expired (vector#8616)."""
    token = tmp_path / "token"
    token.write_text("T1\n")
    async with Server(lambda _: answer("{}")) as server:
        session = server.session(TokenFile(str(token)))
        await session.get("/a", [])
        token.write_text("T2\n")
        await session.get("/b", [])
        token.write_text("")
        empty = await session.get("/c", [])
        token.unlink()
        gone = await session.get("/d", [])
        token.write_text("T 3")
        broken = await session.get("/e", [])
        await session.close()

    assert [request.headers["authorization"] for request in server.requests] == ["Bearer T1", "Bearer T2"]
    assert [empty, gone, broken] == [
        Fault(Phase.PROBE, Kind.CREDENTIALS, message=f"token file {token} is empty"),
        Fault(Phase.PROBE, Kind.CREDENTIALS, message=f"token file {token}: No such file or directory"),
        Fault(Phase.PROBE, Kind.CREDENTIALS, message="the token holds characters that no HTTP header may hold"),
    ]


def plugin(tmp_path: Path, script: str, **more: object) -> Credentials:
    """The credentials of a kubeconfig whose plugin is this shell script, beside it."""
    program = tmp_path / "bin" / "plugin"
    program.parent.mkdir(exist_ok=True)
    program.write_text("#!/bin/sh\n" + script)
    program.chmod(0o755)
    path = write(tmp_path / "config", config({"exec": {**EXEC, "command": "./bin/plugin", **more}}))
    return entered(path).credentials


def says(token: str, expires: float | None = None, **more: str) -> str:
    """The shell line of a plugin that answers. *expires* counts from now."""
    status: Node = {"token": token, **more}
    if expires is not None:
        status["expirationTimestamp"] = (datetime.now(UTC) + timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ")
    credential = {"kind": "ExecCredential", "apiVersion": EXEC["apiVersion"], "status": status}
    return f"printf '%s' '{msgspec.json.encode(credential).decode()}'\n"


def count(tmp_path: Path) -> str:
    """The shell line of a plugin that leaves a trace of every run."""
    return f"echo run >> '{tmp_path}/runs'\n"


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "runs").read_text().splitlines())


def failure(source: Credentials) -> str:
    with pytest.raises(CredentialsError) as caught:
        asyncio.run(source.now())
    return str(caught.value)


def test_a_plugin_is_told_what_it_needs(tmp_path: Path) -> None:
    """`env`, `args`, KUBERNETES_EXEC_INFO; a relative command is beside the kubeconfig."""
    script = f"printf '%s' \"$KUBERNETES_EXEC_INFO\" > '{tmp_path}/info'\necho $1 $X > '{tmp_path}/said'\n{says('T')}"
    source = plugin(tmp_path, script, args=["one"], env=[{"name": "X", "value": "two"}], provideClusterInfo=True)

    assert header(source) == "Bearer T"

    assert (tmp_path / "said").read_text() == "one two\n"
    info = msgspec.json.decode((tmp_path / "info").read_bytes())
    assert (info["apiVersion"], info["spec"]["interactive"]) == (EXEC["apiVersion"], False)
    assert info["spec"]["cluster"]["server"] == "https://h:6443"


def test_a_chatty_plugin(tmp_path: Path) -> None:
    """400 KB of complaints on stderr, and an answer: whoever reads one after the other waits for ever."""
    began = time.monotonic()

    assert header(plugin(tmp_path, f"head -c 400000 /dev/zero >&2\n{says('T')}")) == "Bearer T"

    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo my token is S3CRET >&2; exit 3", "exec plugin PLUGIN ended with 3. What it printed is not shown"),
        ("yes", "exec plugin PLUGIN printed more than 1 MiB, which is no credential"),
        (
            'echo \'{"apiVersion": "S3CRET", "kind": "", "status": {}}\'',
            "exec plugin PLUGIN: it speaks another version",
        ),
        (says("T", -3600), "exec plugin PLUGIN: its credential expired at 20"),
        ("echo hello", "exec plugin PLUGIN: its answer is no ExecCredential: JSON is malformed"),
        (says("").replace("/v1", "/v1beta1"), "exec plugin PLUGIN: it speaks client.authentication.k8s.io/v1beta1"),
        (says(""), "exec plugin PLUGIN: its answer has neither a token nor a certificate with its key"),
    ],
)
def test_plugins_that_fail(script: str, message: str, tmp_path: Path) -> None:
    """Each is told for what it is. What the plugin printed is never shown: it may be the token itself."""
    said = failure(plugin(tmp_path, script)).replace(f"{tmp_path}/./bin/plugin", "PLUGIN")

    assert said.replace(str(tmp_path / "bin" / "plugin"), "PLUGIN").startswith(message)
    assert "S3CRET" not in said


def test_a_slow_plugin_that_fails_is_not_run_for_each_who_waits(tmp_path: Path) -> None:
    """A hundred streams behind a login that times out would wait for a hundred times a minute."""
    source = plugin(tmp_path, f"{count(tmp_path)}sleep 0.2\nexit 3\n")

    async def together() -> list[BaseException | Credential]:
        return await asyncio.gather(*(source.now() for _ in range(100)), return_exceptions=True)

    assert {str(error).partition(" ended ")[2][:2] for error in asyncio.run(together())} == {"wi"}
    assert runs(tmp_path) == 1


def test_a_plugin_that_is_not_installed(tmp_path: Path) -> None:
    user = {"exec": {**EXEC, "command": "no-such-plugin", "installHint": "See https://example.com\n"}}

    assert failure(entered(write(tmp_path / "config", config(user))).credentials) == (
        "exec plugin no-such-plugin: No such file or directory. See https://example.com"
    )


def test_a_plugin_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It must not hold up its stream for ever, nor leave processes behind."""
    monkeypatch.setattr(credentials, "PLUGIN_TIMEOUT", 0.5)
    source = plugin(tmp_path, f"sleep 600 &\necho $! > '{tmp_path}/child'\nwait\n")

    assert failure(source).endswith("gave no answer within 0 s")

    child = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    deadline = time.monotonic() + 5
    while child.exists() and child.read_text().split()[2] != "Z" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_one_run_serves_all_who_wait(tmp_path: Path) -> None:
    """A hundred streams that start together ask the cloud's login once."""
    source = plugin(tmp_path, f"{count(tmp_path)}sleep 0.2\n{says('T', 3600)}")

    async def together() -> list[Credential]:
        return await asyncio.gather(*(source.now() for _ in range(100)))

    assert asyncio.run(together()) == [Credential("Bearer T")] * 100
    assert runs(tmp_path) == 1


def steps(source: Credentials, *acts: Callable[[], object] | None) -> list[str]:
    """The header, or what went wrong, before and after each of *acts*."""
    assert isinstance(source, Plugin)

    async def walk() -> list[str]:
        headers = []
        for act in (None, *acts):
            if act is not None:
                act()
            try:
                headers.append((await source.now()).header)
            except CredentialsError as error:
                headers.append(str(error).rpartition(" ")[2])
        return headers

    return asyncio.run(walk())


def test_a_token_is_kept_until_shortly_before_it_expires(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "SETTLED", 0.0)
    fresh = plugin(tmp_path, count(tmp_path) + says("T", 3600))
    assert steps(fresh, lambda: None, lambda: None) == ["Bearer T"] * 3
    assert runs(tmp_path) == 1

    due = plugin(tmp_path, count(tmp_path) + says("T", 30))
    assert steps(due, lambda: None, lambda: None) == ["Bearer T"] * 3
    assert runs(tmp_path) == 1 + 3


def test_a_token_that_still_holds_outlives_a_failing_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cloud's login is down for a minute: the streams must not stop before their token does."""
    monkeypatch.setattr(credentials, "SETTLED", 0.0)
    source = plugin(tmp_path, says("T", 2))

    headers = steps(source, lambda: plugin(tmp_path, "exit 3"), lambda: time.sleep(2.1))

    assert headers == ["Bearer T", "Bearer T", "it"]


def test_a_refused_token_is_renewed_but_not_twice_in_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a 401 the plugin runs again, once for all streams: SETTLED keeps a hundred of them from a hundred runs."""
    source = plugin(tmp_path, says("T1", 3600))
    assert steps(source, lambda: plugin(tmp_path, says("T2", 3600)), source.forget) == ["Bearer T1"] * 3
    monkeypatch.setattr(credentials, "SETTLED", 0.0)

    assert steps(source, source.forget) == ["Bearer T1", "Bearer T2"]


def test_a_refused_token_is_not_sent_again_if_the_plugin_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the plugin failed is more use to the operator than a second 401."""
    monkeypatch.setattr(credentials, "SETTLED", 0.0)
    source = plugin(tmp_path, says("T", 3600))
    steps(source)
    plugin(tmp_path, "exit 3")
    source.forget()

    assert "ended with 3." in failure(source)


async def test_who_we_are_asked_about() -> None:
    """`check` tells what is allowed before anything runs."""
    review = answer('{"status":{"allowed":false,"reason":"no RBAC"}}', 201)
    pods = Resource("apps", "v1", "deployments", "Deployment", True)
    async with Server(in_turn(review, answer("", 403))) as server:
        session = server.session(Fixed("Bearer T"))
        replies = [await session.access("list", Selection(pods, "d")), await session.access("watch", Selection(pods))]
        await session.close()

    assert replies == [Access(False, "no RBAC"), Fault(Phase.PROBE, Kind.HTTP, 403)]
    first = server.requests[0]
    assert (first.method, first.path) == ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews")
    assert first.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("script", "uid"),
    [
        (answer('{"metadata":{"uid":"u-1"}}'), "u-1"),
        (answer("", 403), ""),
        (answer("", 404), ""),
        (answer("", 500), Fault(Phase.PROBE, Kind.HTTP, 500)),
    ],
)
async def test_the_name_of_the_cluster(script: Script, uid: str | Fault) -> None:
    """Behaviour 39: where it may not be read it is empty, and proves nothing."""
    assert await _asked(lambda session: session.cluster_uid(), script) == uid


async def _asked(act: Callable[[Session], Awaitable[str | Fault]], script: Script) -> str | Fault:
    async with Server(in_turn(script)) as server:
        session = server.session()
        reply = await act(session)
        await session.close()
        return reply


async def test_many_watches_at_once() -> None:
    """The library's pool of 100 would let the 101st hang for ever."""
    async with Server(lambda _: [b"HTTP/1.1 200 OK\r\n\r\n", 500.0]) as server:
        session = server.session()
        streams = [await session.stream("/w", [], Phase.OPEN) for _ in range(150)]
        assert not [stream for stream in streams if isinstance(stream, Fault)]
        for stream in streams:
            assert not isinstance(stream, Fault)
            stream.close()
        await session.close()


async def test_certificates_that_change_again_and_again_cut_no_stream(tmp_path: Path) -> None:
    """A file is written in two steps, or a plugin answers with a new certificate each time: watches are not its matter.

    And what nobody uses any more is closed.
    """
    authority = tmp_path / "ca.crt"
    certificate, end, _ = certifi.contents().partition("-----END CERTIFICATE-----\n")
    async with Server(lambda _: [b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", 30.0, b"123456789"]) as server:
        session = Session(Login("test", server.url, Fixed(""), Pem(str(authority))))
        streams = []
        for number in range(4):
            authority.write_text(f"{certificate}{end}# {number}\n")
            streams.append(await session.stream("/w", [], Phase.OPEN))
        kept = len(session._connections)
        bodies = [await stream.read() for stream in streams if not isinstance(stream, Fault)]
        assert isinstance(await session.get("/", []), bytes)
        left = len(session._connections)
        await session.close()

    assert (bodies, kept, left) == ([b"123456789"] * 4, 4, 1)


async def test_a_question_that_the_library_gives_up_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiohttp cancels those that look a name up when a pool is closed; who waits for it must not take it for an end."""

    async def never(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    session = Session(Login("test", "http://slow.example:1", Fixed("")))
    asking = asyncio.create_task(session.get("/", []))
    await asyncio.sleep(1)
    await session.close()

    assert await asking == Fault(Phase.PROBE, Kind.NETWORK, message="http://slow.example:1: given up by a library")


async def test_a_proxy_that_does_not_answer_is_given_up() -> None:
    """CONNECT is none of the waits that the library's limits are for: a watch would hang in it for ever."""
    async with Server(lambda _: [9999.0]) as proxy:
        session = Session(Login("test", "https://far.example:1", Fixed(""), proxy=proxy.url))
        loop = asyncio.get_running_loop()
        began = loop.time()
        opened = await session.stream("/w", [], Phase.OPEN)
        asked_at = loop.time()
        asked = await session.get("/", [])
        ended = loop.time()
        await session.close()

    what = "https://far.example:1: no answer in time"
    assert [request.method for request in proxy.requests] == ["CONNECT", "CONNECT"]
    assert opened == Fault(Phase.OPEN, Kind.NETWORK, message=what)
    assert asked == Fault(Phase.PROBE, Kind.NETWORK, message=what)
    assert (asked_at - began, ended - asked_at) == pytest.approx((OPEN, CONNECT + ANSWER), abs=1)


async def test_netrc_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library's own session would refuse to send our header to a host that ~/.netrc knows."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login l password p\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async with Server(lambda _: answer("{}")) as server:
        session = server.session(Fixed("Bearer T"))
        assert await session.get("/", []) == b"{}"
        await session.close()

    assert server.requests[0].headers["authorization"] == "Bearer T"


async def test_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As kubectl: HTTPS_PROXY counts, and NO_PROXY takes hosts out."""

    def proxied(request: Request) -> Script:
        return answer(f'"{request.path}"')

    async with Server(proxied) as server:
        monkeypatch.setenv("http_proxy", server.url)
        session = Session(Login("test", "http://far.example:1", Fixed("")))
        assert await session.get("/a", []) == b'"/a"'
        await session.close()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        near = server.session()
        assert await near.get("/b", []) == b'"/b"'
        await near.close()

    assert [request.headers["host"] for request in server.requests] == ["far.example:1", server.url[7:]]
