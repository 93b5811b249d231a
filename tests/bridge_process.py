"""The bridge as users run it: a process with a config file, killed and ended as the world does it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from tests.servers.process import TETHER, tail

ROOT = Path(__file__).parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class BridgeProcess:
    """Use as a context: what still runs at its end is killed. Blocking, but for moments only.

    All its lives write to one log, each after a line that says so. `start` belongs to the main thread: the tether ties
    the process to the thread that forked it.
    """

    def __init__(self, config: dict[str, Any] | str, directory: Path, environment: Mapping[str, str] = {}) -> None:
        """`environment` is put over our own. Bridges of one machine serve on ports of their own."""
        self.config = directory / "bridge.yaml"
        text = config if isinstance(config, str) else yaml.safe_dump(config)
        self.config.write_text(
            text if re.search("^http:", text, re.MULTILINE) else f'{text}\nhttp: {{listen: "127.0.0.1:0"}}\n'
        )
        self._environment = {**os.environ, **environment}
        self.log = directory / "bridge.log"
        self.lives = 0
        self.peak_rss = 0
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def start(self) -> None:
        assert self._running is None
        self.lives += 1
        command = [sys.executable, "-m", "bridge", "run", "-c", str(self.config)]
        with self.log.open("ab") as output:
            output.write(f"---- life {self.lives}\n".encode())
            output.flush()
            self._running = subprocess.Popen(
                [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )

    def kill(self) -> None:
        """SIGKILL; no error when it is not running."""
        if self._running is None:
            return
        if self._running.poll() is None:
            self.measure()
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
        self._running = None

    def terminate(self, seconds: float = 10.0) -> int:
        """SIGTERM; the exit code. Within 10 s, as it promises; later is an error."""
        assert self._running is not None
        self.measure()
        self._running.terminate()
        try:
            return self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the bridge did not end within {seconds} s:\n{self.tail()}") from None
        finally:
            self.kill()

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self, seconds: float) -> int:
        """Until it ends by itself; the exit code."""
        assert self._running is not None
        try:
            return self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the bridge still runs after {seconds} s:\n{self.tail()}") from None

    def measure(self) -> int:
        """The most memory that this life has held, in bytes; *peak_rss* remembers it over all lives."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        high = [int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")]
        self.peak_rss = max([self.peak_rss, *high])
        return max(high, default=0)

    def rss(self) -> int:
        """Memory held now, in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu(self) -> float:
        """Seconds of CPU that this life has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def says(self, text: str, seconds: float) -> None:
        """Wait until its log has *text*."""
        until = time.monotonic() + seconds
        while text not in self.log.read_text(errors="replace"):
            assert self.is_running, f"the bridge ended:\n{self.tail()}"
            assert time.monotonic() < until, f"no {text!r} in the log within {seconds} s:\n{self.tail()}"
            time.sleep(0.1)

    def tail(self, lines: int = 40) -> str:
        return f"the end of {self.log}:\n{tail(self.log, lines)}"
