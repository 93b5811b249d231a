"""What a process and its children have used, as the kernel counts it: from outside, with nothing asked of them."""

import os
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

TICKS = os.sysconf("SC_CLK_TCK")
"""Clock ticks per second: CPU is counted in steps of 10 ms, so a run should use seconds."""
PROC = Path("/proc")


class Usage(Struct, frozen=True):
    """Seconds of CPU until now, and bytes of memory: the most that each process has held, added up."""

    cpu: float
    peak_rss: int


class Stat(Struct, frozen=True):
    """The fields of /proc/<pid>/stat that count (proc(5)). *reaped* is the CPU of children that were waited for."""

    state: str
    group: int
    cpu: float
    reaped: float


def members(group: int) -> list[int]:
    """The processes of a process group that have not ended."""
    found = []
    for place in PROC.iterdir():
        if place.name.isdigit():
            with suppress(OSError):  # it has just ended
                stat = parse_stat((place / "stat").read_text())
                if stat.group == group and stat.state != "Z":
                    found.append(int(place.name))
    return found


def usage(pids: list[int]) -> Usage:
    """Of these together. CPU of children that have ended is with who waited for them."""
    cpu, peak = 0.0, 0
    for pid in pids:
        stat = parse_stat((PROC / str(pid) / "stat").read_text())
        cpu += stat.cpu + stat.reaped
        peak += parse_peak((PROC / str(pid) / "status").read_text())
    return Usage(cpu, peak)


def parse_stat(text: str) -> Stat:
    """A program's name stands in parentheses, and may hold more of them."""
    fields = text.rpartition(")")[2].split()
    group, (user, system, reaped_user, reaped_system) = int(fields[2]), map(int, fields[11:15])
    return Stat(fields[0], group, (user + system) / TICKS, (reaped_user + reaped_system) / TICKS)


def parse_peak(status: str) -> int:
    """VmHWM, in bytes; a process that has ended and was not waited for has none."""
    return sum(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))
