"""On what was measured, and with which versions."""

import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.servers import versions

PACKAGES = ("kube-event-bridge", "aiohttp", "aiokafka", "kubernetes-asyncio", "msgspec", "uvloop")


def described() -> dict[str, str]:
    """In words, for the head of a report."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said("git", "describe", "--always", "--dirty", "--abbrev=12"),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory() >> 30} GiB, Linux {platform.release()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "python": platform.python_version(),
        "packages": ", ".join(f"{package} {version(package)}" for package in PACKAGES),
        "servers": f"kube-apiserver {versions.KUBERNETES}, etcd {versions.ETCD}, Kafka {versions.KAFKA}, one node each",
        "tools": "; ".join(
            _said(*command)
            for command in (("go", "version"), ("rustc", "--version"), ("curl", "--version"), ("kcat", "-V"))
        ),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _said(*command: str) -> str:
    """The line that has a version, of what a program says of itself."""
    if not shutil.which(command[0]):
        return f"no {command[0]}"
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line for line in result.stdout.splitlines() if any(letter.isdigit() for letter in line)]
    return lines[0][:100] if lines else ""
