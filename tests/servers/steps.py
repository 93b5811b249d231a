"""Commands that take minutes, run side by side, with a sign of life every few seconds."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from tests.servers.process import tail

SIGN_OF_LIFE = 15.0
"""Silence longer than this looks like a hang."""


class BuildError(Exception):
    """Says what is missing or what failed, for the person at the terminal."""


class Step(msgspec.Struct, frozen=True):
    """One command; what it prints goes to its log, and the last of it to the terminal when it fails."""

    name: str
    command: list[str]
    directory: Path
    log: Path
    environment: dict[str, str] = {}


def run_together(steps: list[Step], say: Callable[[str], None]) -> None:
    """Returns when all have succeeded; the first failure ends the others."""
    started = time.monotonic()
    running = {step.name: (step, _start(step)) for step in steps}
    spoken = started
    try:
        while running:
            time.sleep(0.2)
            now = time.monotonic()
            for step, process in list(running.values()):
                if process.poll() is not None:
                    del running[step.name]
                    _judge(step, process.returncode)
                    say(f"{step.name}: done after {_duration(now - started)}")
            if running and now - spoken >= SIGN_OF_LIFE:
                spoken = now
                for step, _ in running.values():
                    say(f"{step.name}: {_progress(step.log)}, {_duration(now - started)} so far")
    finally:
        for _, process in running.values():
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def _start(step: Step) -> subprocess.Popen[bytes]:
    """In a group of its own: compilers have children, and they must end with it."""
    with step.log.open("wb") as log:
        return subprocess.Popen(
            step.command,
            cwd=step.directory,
            env=os.environ | step.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )


def _judge(step: Step, code: int) -> None:
    if code != 0:
        raise BuildError(f"{step.name} failed (exit {code}): {' '.join(step.command)}\n{tail(step.log)}")


def _progress(log: Path) -> str:
    """Both tools print a line for each thing they fetch or finish."""
    lines = log.read_text(errors="replace").splitlines()
    fetched = sum(line.startswith(("go: downloading", "[INFO] Downloading", "Downloading")) for line in lines)
    return f"{fetched} downloads, {len(lines) - fetched} steps"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
