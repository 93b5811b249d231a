"""What a contestant is to the workloads."""

from pathlib import Path
from typing import Protocol

from msgspec import Struct


class Job(Struct, frozen=True):
    """*resource* by its plural, of the core group; all its changes go to *topic*."""

    url: str
    kubeconfig: Path
    brokers: str
    topic: str
    resource: str
    directory: Path
    token: str = ""
    ca: Path | None = None
    """For who reads no kubeconfig; without them, no login and no TLS."""
    namespaces: tuple[str, ...] = ()
    """One stream for each, for who has such a thing; empty: one for all."""
    profile: Path | None = None
    """Where a profile is to be written, by a contestant that can."""


class Contestant(Protocol):
    """Stateless: `command` makes what one run needs below `job.directory`."""

    name: str
    what: str
    """What it is, with its versions and settings."""
    cannot: str
    """What the bridge does and this does not; empty where there is nothing."""
    slow: bool
    """Whether it gets a tenth of the changes, so that a run ends within a coffee."""
    variant: bool
    """Of another one, with other settings: left out where time is short."""

    def missing(self) -> str:
        """What the machine lacks for it; empty if nothing."""
        ...

    def built(self) -> bool:
        """Whether it could start now."""
        ...

    def build(self) -> None:
        """Once; into the cache. Nothing to do where it is there."""
        ...

    def command(self, job: Job) -> list[str]:
        """What is to be run, for as long as the run lasts."""
        ...

    def topics(self, job: Job) -> list[str]:
        """Where it writes, all told."""
        ...


class Plain:
    """What most contestants have in common: nothing to build, and one topic."""

    def missing(self) -> str:
        return ""

    def built(self) -> bool:
        return not self.missing()

    def build(self) -> None:
        """It is there, or a package of every distribution."""

    def topics(self, job: Job) -> list[str]:
        return [job.topic]
