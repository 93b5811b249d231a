"""etcd, the API server's storage: compacted, copied and put back on demand."""

import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.servers import build
from tests.servers.ports import on_free_ports
from tests.servers.process import Process

START = 30.0
"""It answers within half a second; the rest is for a busy machine."""


class Etcd:
    """One member. `start` after `stop` or `kill` goes on with the same data on the same ports."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "etcd"
        self.process = Process("etcd", directory / "etcd.log")
        self._ports: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports[0]}"

    def start(self) -> None:
        if self._ports:
            self._start(self._ports)
        else:
            on_free_ports(2, self._start)

    def stop(self) -> None:
        self.process.stop(10)

    def kill(self) -> None:
        self.process.kill()

    def compact(self) -> int:
        """Forget all history: whoever resumes at a version handed out before gets 410. Returns the revision.

        Two writes of no interest go first, since etcd keeps a watch from the compacted revision itself possible.
        """
        for _ in range(2):
            revision = int(self._ask("/v3/kv/put", key="dGVzdHM=", value="")["header"]["revision"])
        self._ask("/v3/kv/compaction", revision=str(revision), physical=True)
        return revision

    def copy_to(self, target: Path) -> None:
        """A copy such as a crash would leave: etcd stands still for the moment, and nobody else notices."""
        self.process.pause()
        try:
            shutil.copytree(self.data, target)
        finally:
            self.process.resume()

    def replace_by(self, copy: Path) -> None:
        """Only while it is down."""
        assert self.process.pid is None
        shutil.rmtree(self.data)
        shutil.copytree(copy, self.data)

    def _start(self, ports: list[int]) -> None:
        self._ports = ports
        client, peer = (f"http://127.0.0.1:{port}" for port in ports)
        command = [
            str(build.place() / "bin" / "etcd"),
            f"--data-dir={self.data}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",  # a disk sync for each write otherwise; the data need not outlive a power cut
            "--log-level=warn",
        ]
        self.process.start(command, self._answers, START)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as reply:
                return bool(json.load(reply)["health"] == "true")
        except (OSError, json.JSONDecodeError):  # not listening yet; or it listens, and has no leader
            return False

    def _ask(self, path: str, **body: object) -> dict[str, Any]:
        """Over the JSON gateway on the client port: keys and values in base64, 64-bit numbers as strings."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as reply:
            answer: dict[str, Any] = json.load(reply)
            return answer
