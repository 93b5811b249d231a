"""The HTTP side of a bridge that runs, between the sandbox's servers: as a process, and asked as a kubelet does."""

import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.background import Sandbox
from tests.bridge_process import BridgeProcess
from tests.web.running import ask, status, until, url_of

SLOW_LOGIN = """
apiVersion: v1
kind: Config
current-context: slow
contexts: [{name: slow, context: {cluster: slow, user: slow}}]
clusters: [{name: slow, cluster: {server: "http://127.0.0.1:9"}}]
users:
  - name: slow
    user:
      exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ["50"], interactiveMode: Never}
"""


def config(**fields: object) -> dict[str, Any]:
    kafka = {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}"}
    watches = [{"resource": "pods"}, {"resource": "configmaps"}]
    return {"standalone": True, "kafka": kafka, "topics": {"partitions": 1}, "watches": watches, **fields}


@pytest.mark.parametrize("standalone", [True, False])
def test_a_slow_login_delays_no_probe(tmp_path: Path, standalone: bool) -> None:
    """A kubelet that gets no answer kills the pod, and the login begins anew: for ever."""
    (tmp_path / "kubeconfig").write_text(SLOW_LOGIN)
    fields = {"kafka": {"bootstrapServers": "127.0.0.1:9"}, "kubernetes": {"kubeconfig": str(tmp_path / "kubeconfig")}}
    with BridgeProcess(config(**fields, standalone=standalone), tmp_path) as bridge:
        bridge.start()
        url = url_of(bridge)
        bridge.says("bridge started", 30)
        livez, readyz, page = ask(url, "/livez"), ask(url, "/readyz"), ask(url, "/")
        code = bridge.terminate()

    assert (livez.status, readyz.status, page.status, code) == (200, 503, 200, 0)
    assert readyz.text.endswith("readyz check failed\n")


def test_ready_stale_and_ready_again(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """The whole point: the API server is away, and the replica says which streams stand still since when, and why."""
    stale = [{"resource": "pods", "staleAfter": "4s"}, {"resource": "configmaps", "staleAfter": "1h"}]
    fields = {"verifyInterval": "3s", "watches": stale}
    with BridgeProcess(config(**fields), tmp_path, event_bridge_sandbox.environment) as bridge:
        bridge.start()
        url = url_of(bridge)
        until(url, "/readyz", lambda answer: answer.status == 200, bridge)
        event_bridge_sandbox.wait(lambda servers: servers.api.close())
        away = until(url, "/readyz", lambda answer: "delayed" in answer.text, bridge)
        event_bridge_sandbox.wait(lambda servers: servers.api.start())
        back = until(url, "/readyz?verbose", lambda answer: answer.status == 200, bridge)

    (pods, configmaps) = (line for line in sorted(away.text.splitlines(), reverse=True)[1:] if line.startswith("["))
    assert (away.status, pods.startswith("[-]pods failed: position is "), ", limit 4s (delayed: " in pods) == (
        503,
        True,
        True,
    )
    assert configmaps.startswith("[+]configmaps ok: ")
    assert [line[:8] for line in back.text.splitlines()] == ["[+]confi", "[+]pods ", "readyz c"]


def test_it_is_served_until_the_end(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """While last commits hang: alive, for it works, and not ready, for it goes."""
    with BridgeProcess(config(), tmp_path, event_bridge_sandbox.environment) as bridge:
        bridge.start()
        url = url_of(bridge)
        until(url, "/readyz", lambda answer: answer.status == 200, bridge)
        event_bridge_sandbox.do(lambda servers: servers.broker.delay(30))
        event_bridge_sandbox.do(lambda servers: servers.api.create("pods", {"metadata": {"name": "late"}}))
        until(url, "/status", lambda answer: '"lag":0.0' not in answer.text.partition('"name":"pods"')[2], bridge)
        bridge.send(signal.SIGTERM)
        readyz = until(url, "/readyz", lambda answer: "stopping" in answer.text, bridge)
        livez = ask(url, "/livez")
        code = bridge.wait(10)

    assert (livez.status, readyz.status, code) == (200, 503, 0)


def test_an_address_that_is_taken_ends_it_at_once(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """Nothing is begun that would have to be undone, and the log names the setting and the mend."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with BridgeProcess(config(http={"listen": listen}), tmp_path, event_bridge_sandbox.environment) as bridge:
            bridge.start()
            code = bridge.wait(30)
            log = bridge.log.read_text()

    assert code == 1
    assert f'"what": "http.listen: cannot listen on {listen}: ' in log
    assert "bridge started" not in log


def test_nothing_is_served_where_nothing_is_wanted(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """`http: {listen: null}`: no socket listens, as /proc has it."""
    with BridgeProcess(config(http={"listen": None}), tmp_path, event_bridge_sandbox.environment) as bridge:
        bridge.start()
        bridge.says("relist completed", 30)
        inodes = {str(fd.readlink()) for fd in Path(f"/proc/{bridge.pid}/fd").iterdir() if fd.is_symlink()}
        listening = {
            f"socket:[{line.split()[9]}]"
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{bridge.pid}/net/{table}").read_text().splitlines()
            if line.split()[3] == "0A"
        }
        log = bridge.log.read_text()

    assert inodes & listening == set()
    assert "http listening" not in log


def test_streams_and_their_gauges_go_where_they_run(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """Two replicas share them; when one ends, the other has all, and is the only one that tells of them."""
    watches = [{"resource": "configmaps", "namespaces": ["a", "b", "c", "d", "e", "f"]}]
    both = config(standalone=False, watches=watches, checkpoints={"partitions": 32}, topics={"partitions": 1})
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    environment = event_bridge_sandbox.environment
    with (
        BridgeProcess(both, tmp_path / "1", environment) as one,
        BridgeProcess(both, tmp_path / "2", environment) as two,
    ):
        one.start()
        first = url_of(one)
        until(first, "/status", lambda answer: answer.text.count('"state":"live"') == 6, one)
        two.start()
        second = url_of(two)
        until(second, "/status", lambda answer: answer.text.count('"state":"live"') == 3, two)
        until(first, "/status", lambda answer: answer.text.count('"staleAfter"') == 3, one)
        owned = [
            {line for line in ask(url, "/metrics").text.splitlines() if line.startswith("bridge_stream_ready")}
            for url in (first, second)
        ]
        document = status(first)
        two.terminate()
        until(first, "/status", lambda answer: answer.text.count('"state":"live"') == 6, one)

    assert [len(gauges) for gauges in owned] == [3, 3]
    assert owned[0] & owned[1] == set()
    assert (document["group"]["member"], len(document["elsewhere"])) == (True, 3)


def test_a_replica_of_a_group_is_ready_without_streams(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """There are more replicas than partitions: a rolling update waits until each is ready."""
    one_stream = config(standalone=False, watches=[{"resource": "pods"}], checkpoints={"partitions": 1})
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    environment = event_bridge_sandbox.environment
    with (
        BridgeProcess(one_stream, tmp_path / "1", environment) as one,
        BridgeProcess(one_stream, tmp_path / "2", environment) as two,
    ):
        one.start()
        until(url_of(one), "/readyz", lambda answer: answer.status == 200, one)
        two.start()
        ready = until(url_of(two), "/readyz?verbose", lambda answer: answer.status == 200, two)

    assert ready.text == "[+]group ok: a member, no stream is given to this replica\nreadyz check passed\n"


def test_records_that_may_be_doubled_are_counted(tmp_path: Path, event_bridge_sandbox: Sandbox) -> None:
    """At-least-once: a platform team wants to know whether that ever happens."""
    kafka = {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}", "delivery": "at-least-once", "transactionTimeout": "3s"}
    with BridgeProcess(config(kafka=kafka), tmp_path, event_bridge_sandbox.environment) as bridge:
        bridge.start()
        url = url_of(bridge)
        until(url, "/readyz", lambda answer: answer.status == 200, bridge)
        event_bridge_sandbox.do(lambda servers: servers.api.create("pods", {"metadata": {"name": "late"}}))
        until(
            url,
            "/metrics",
            lambda answer: 'bridge_records_total{stream="pods",type="ADDED"} 1.0' in answer.text,
            bridge,
        )
        before = ask(url, "/metrics").text
        event_bridge_sandbox.do(lambda servers: servers.broker.delay(30))
        touched = {"metadata": {"name": "late", "labels": {"touched": "yes"}}}
        event_bridge_sandbox.do(lambda servers: servers.api.update("pods", touched))
        counted = 'bridge_redelivered_records_total{stream="pods"}'
        after = until(url, "/metrics", lambda answer: f"{counted} 0.0" not in answer.text, bridge).text
        event_bridge_sandbox.do(lambda servers: servers.broker.delay(0))

    assert f"{counted} 0.0" in before
    assert f"{counted} 1.0" in after
