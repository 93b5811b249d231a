"""The firehose as the benchmark holds it: started, loaded, told to go, asked."""

import json
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import Struct, convert

from tests.servers.directory import Directory
from tests.servers.ports import on_free_ports
from tests.servers.process import Process

START = 30.0
LOAD = 600.0
"""200,000 changes of 20 KB are 4 GB to write."""


class Report(Struct, frozen=True):
    """*requests* are paths; *began* and *ended* are the machine's monotonic clock, 0 before it happened."""

    requests: list[str]
    watching: int
    sent: int
    began: float
    ended: float


class Firehose:
    """Use as a context."""

    def __init__(self) -> None:
        self._directory = Directory()
        self.process = Process("firehose", self._directory.path / "firehose.log")
        self._port = 0

    def __enter__(self) -> Self:
        on_free_ports(1, self._start)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.kill()
        self._directory.remove()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def kubeconfig(self) -> Path:
        return self._directory.path / "kubeconfig"

    def load(self, size: int, count: int) -> None:
        """A new run."""
        self._ask("load", {"size": size, "count": count})

    def go(self) -> None:
        self._ask("go", {})

    def report(self) -> Report:
        return convert(self._ask("state"), Report)

    def _start(self, ports: list[int]) -> None:
        (self._port,) = ports
        path = Path(__file__).parents[2]
        command = ["env", f"PYTHONPATH={path}", sys.executable, "-m", "bench.firehose", str(self._port)]
        self.process.start([*command, str(self._directory.path)], self._answers, START)
        self.kubeconfig.write_text(json.dumps(_kubeconfig(self.url)))

    def _answers(self) -> bool:
        try:
            self._ask("state")
        except OSError:
            return False
        return True

    def _ask(self, what: str, body: dict[str, int] | None = None) -> Any:  # noqa: ANN401 - any document
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/bench/{what}", data), timeout=LOAD) as reply:
            return json.load(reply)


def _kubeconfig(url: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "firehose", "cluster": {"server": url}}],
        "users": [{"name": "nobody", "user": {}}],
        "contexts": [{"name": "firehose", "context": {"cluster": "firehose", "user": "nobody"}}],
        "current-context": "firehose",
    }
