"""One server process: started until it answers, stopped or killed, its log at hand when something is wrong."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TETHER = Path(__file__).parents[2] / "bridge" / "demo" / "tether.py"

_forker = ThreadPoolExecutor(1, "forker")
"""All servers are forked by one thread that lives as long as we do: the tether follows the forking thread, and a
coroutine test starts servers from worker threads that end with the test."""


class StartError(Exception):
    """The process ended or did not answer in time; the message ends with the last of its log."""

    def __init__(self, message: str, log: Path) -> None:
        self.port_taken = "address already in use" in log.read_text(errors="replace").lower()
        super().__init__(f"{message}; the end of {log}:\n{tail(log)}")


class Process:
    """Blocking by design: fixtures start servers outside any loop; coroutines call through `asyncio.to_thread`."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        return self._running.pid if self._running else None

    def start(self, command: list[str], answers: Callable[[], bool], seconds: float) -> None:
        """Returns when it answers; when it does not, nothing is left running."""
        assert self._running is None, f"{self.name} runs already"
        self._running = _forker.submit(_fork, command, self.log).result()
        try:
            self._wait_until(answers, seconds)
        except BaseException:
            self.kill()
            raise

    def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL to what is still there after `seconds`. No error when it does not run."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"{self.name} did not stop within {seconds} s: killed", file=sys.stderr)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to its whole group; returns when it is gone, and its ports with it."""
        if self._running is None:
            return
        if self._running.poll() is None:
            os.killpg(self._running.pid, signal.SIGKILL)
            self._running.wait()
        self._running = None

    def pause(self) -> None:
        """SIGSTOP: it answers nobody, connections stay open. Returns when it stands still."""
        assert self._running is not None, f"{self.name} does not run"
        os.killpg(self._running.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self._running.pid, os.WSTOPPED)

    def resume(self) -> None:
        assert self._running is not None, f"{self.name} does not run"
        os.killpg(self._running.pid, signal.SIGCONT)

    def _wait_until(self, answers: Callable[[], bool], seconds: float) -> None:
        assert self._running is not None
        deadline = time.monotonic() + seconds
        while not answers():
            if self._running.poll() is not None:
                raise StartError(f"{self.name} ended with {self._running.returncode}", self.log)
            if time.monotonic() > deadline:
                raise StartError(f"{self.name} did not answer within {seconds} s", self.log)
            time.sleep(0.05)


def _fork(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *command],
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def tail(log: Path, lines: int = 30) -> str:
    return "\n".join(f"    {line[:400]}" for line in log.read_text(errors="replace").splitlines()[-lines:])
