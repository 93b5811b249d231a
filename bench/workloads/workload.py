"""What a workload is to the command."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from bench.contestants.contestant import Contestant
from bench.lab import Lab

Figures = dict[str, float]
"""By the key of a column."""


class Column(Struct, frozen=True):
    """*ratio*: also told as a multiple of the bridge's, first."""

    key: str
    title: str
    digits: int = 1
    ratio: bool = False


CPU = Column("cpu_us", "CPU µs per event", 1, ratio=True)
RATE = Column("rate", "events/s", 0)
RSS = Column("rss_mib", "peak RSS MiB", 0)
BYTES = Column("bytes", "bytes to Kafka per event", 0)
REQUESTS = Column("requests", "API requests", 0)
ARRIVED = Column("arrived", "arrived %", 3)
REPEATED = Column("repeated", "repeated", 0)


class Case(Struct, frozen=True):
    """One size of a workload: *count* of what it counts, *size* in bytes."""

    title: str
    count: int
    size: int = 0


class Workload(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> Sequence[Column]: ...
    @property
    def contestants(self) -> Sequence[Contestant]: ...
    @property
    def cases(self) -> Sequence[Case]: ...
    @property
    def quick(self) -> Sequence[Case]:
        """Those of `make bench-quick`; empty if it takes no part in it."""
        ...

    def run(self, lab: Lab, contestant: Contestant, case: Case) -> Figures:
        """One run."""
        ...
