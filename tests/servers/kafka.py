"""Kafka brokers (KRaft), one or several: killed, restarted, and none the worse for it."""

import base64
import shutil
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import build
from tests.servers.directory import Directory
from tests.servers.ports import on_free_ports
from tests.servers.process import Process, StartError

START = 120.0
"""It answers after 4 to 8 s on two idle cores; the rest is for a busy machine."""

STOP = 60.0

JAVA = [
    "java",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the quick compiler only: brokers live for seconds here
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
]

SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "5",  # 50 by default: the first commit would wait for as many directories
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.num.partitions": "5",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "auto.create.topics.enable": "false",
    "broker.session.timeout.ms": "3000",  # 9 s by default: that long a killed broker's return is refused
    "broker.heartbeat.interval.ms": "500",
    "log.cleaner.dedupe.buffer.size": "16777216",  # 128 MiB by default, a quarter of the heap
}

SWIFT = {"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000"}
"""Transactions that time out are looked for every second, not every 10. Only for brokers that are never killed: one
that aborts transactions while it is still starting loses the markers (it takes partitions without a leader for deleted
ones, "likely deleted already and hence can be skipped"), and the transactions hang."""


THREEFOLD = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
}
"""As in production: one broker may be lost, and nothing with it."""


class Broker:
    """Use as a context, or `start` and `close`. All methods block; coroutines call through `asyncio.to_thread`.

    `start` after `stop` or `kill` goes on with the same records on the same port.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """`settings` go over `SETTINGS`: for instance `{"message.max.bytes": "100000"}`."""
        self._directory = Directory()
        self.directory = self._directory.path
        self.process = Process("Kafka", self.directory / "kafka.log")
        self._settings = {**SETTINGS, **(settings or {})}
        self._ports: list[int] = []
        self._cluster = _cluster_id()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._ports[0]}"

    def settle(self, settings: Mapping[str, str]) -> None:
        """More settings, before the first start."""
        self._settings |= settings

    def start(self) -> None:
        if self._ports:
            self._start()
            return
        try:
            on_free_ports(2, lambda ports: self.start_on(ports, self._cluster))
        except BaseException:
            self.close()
            raise

    def stop(self) -> None:
        """SIGTERM, as in an upgrade."""
        self.process.stop(STOP)

    def kill(self) -> None:
        """SIGKILL: what is in flight is lost, what was acknowledged is on the page cache and stays."""
        self.process.kill()

    def restart(self, *, kill: bool = False) -> None:
        if kill:
            self.kill()
        else:
            self.stop()
        self.start()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nobody answers, as with a machine that hangs."""
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def close(self) -> None:
        """For good: the records go too."""
        self.process.kill()
        if self.directory.exists():
            self._directory.remove()

    def start_on(self, ports: list[int], cluster: str) -> None:
        """For the first time, as a node of the cluster of that id: a port for clients, and one for controllers."""
        self._ports, self._cluster = ports, cluster
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        self._write_settings()
        self._format()
        self._start()

    def _start(self) -> None:
        command = [*JAVA, "-cp", _classes(), "kafka.Kafka", str(self._properties)]
        self.process.start(command, self._answers, START)

    def _format(self) -> None:
        """A KRaft node refuses a directory without a cluster id."""
        command = [*JAVA, "-cp", _classes(), "kafka.tools.StorageTool", "format"]
        result = subprocess.run(
            [
                *command,
                f"--cluster-id={self._cluster}",
                f"--config={self._properties}",
            ],  # with "=": an id may begin with "-"
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RuntimeError(f"formatting Kafka's directory failed:\n{result.stdout}{result.stderr}")

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _write_settings(self) -> None:
        broker, controller = (f"127.0.0.1:{port}" for port in self._ports)
        settings = {
            "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{broker}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self.directory / "data"),
            **self._settings,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _answers(self) -> bool:
        """Asks for its API versions, the first thing that a client asks."""
        try:
            with socket.create_connection(("127.0.0.1", self._ports[0]), timeout=2) as connection:
                connection.sendall(API_VERSIONS_REQUEST)
                head = connection.recv(10, socket.MSG_WAITALL)
        except OSError:  # not listening yet, or it closes what comes too early
            return False
        return len(head) == 10 and struct.unpack(">iih", head)[1:] == (1, 0)


class Brokers:
    """Several, each of them a controller too; what is acknowledged is on two. Use as a context. All methods block."""

    def __init__(self, count: int = 3) -> None:
        self.nodes = [Broker(THREEFOLD | {"node.id": f"{number}"}) for number in range(1, count + 1)]

    def __enter__(self) -> Self:
        try:
            on_free_ports(2 * len(self.nodes), self._start)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def bootstrap(self) -> list[str]:
        return [node.bootstrap for node in self.nodes]

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    def _start(self, ports: list[int]) -> None:
        """All at once: none answers before most of them have found each other."""
        pairs = list(zip(ports[::2], ports[1::2], strict=True))
        voters = ",".join(f"{number}@127.0.0.1:{controller}" for number, (_, controller) in enumerate(pairs, 1))
        cluster = _cluster_id()
        with ThreadPoolExecutor(len(pairs)) as pool:
            starts = []
            for node, pair in zip(self.nodes, pairs, strict=True):
                node.settle({"controller.quorum.voters": voters})
                starts.append(pool.submit(node.start_on, list(pair), cluster))
        try:
            for start in starts:
                start.result()
        except StartError:
            for node in self.nodes:
                node.kill()
            raise


API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)
"""Length 10, API key 18, version 0, correlation id 1, no client id. The reply: length, correlation id, error code."""


def _cluster_id() -> str:
    """16 bytes, base64url."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _classes() -> str:
    return f"{build.place() / 'lib'}/*"
