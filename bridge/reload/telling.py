"""What is told to operators of a config file that has changed, as `bridge.telemetry` has it of all else."""

from collections.abc import Sequence
from typing import Self

from msgspec import Struct
from msgspec.structs import asdict

from bridge import metrics
from bridge.config.problem import Problem
from bridge.telemetry import log

MOST = 50
"""Problems of a file that are told: who has more of them has another kind of file."""


class ConfigApplied(Struct, frozen=True):
    """Another configuration is in force. Streams that are not named here run on as they were."""

    config: str
    """The file, here and below."""
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    changed: Sequence[str] = ()
    settings: Sequence[str] = ()
    """Fields beside the watches."""

    def emit(self) -> None:
        metrics.RELOADS.labels("applied").inc()
        _succeed()
        log.info("config applied", **asdict(self))


class ConfigUnchanged(Struct, frozen=True):
    """The file was written anew, or we were asked to look, and it says what is in force."""

    config: str

    def emit(self) -> None:
        metrics.RELOADS.labels("unchanged").inc()
        _succeed()
        log.info("config unchanged", **asdict(self))


class ConfigRejected(Struct, frozen=True):
    """The file cannot be used; the configuration before stays in force. Said once for each content."""

    config: str
    problems: Sequence[str]
    """Each with its line, its field and the mend."""

    @classmethod
    def by(cls, config: str, problems: Sequence[Problem]) -> Self:
        return cls(config, _listed(problems))

    def emit(self) -> None:
        metrics.RELOADS.labels("rejected").inc()
        metrics.CONFIG_SUCCESSFUL.set(0)
        log.error("config rejected", **asdict(self))


class RestartRequired(Struct, frozen=True):
    """The file is right, and only a new process can take it up; all of the configuration before stays in force."""

    config: str
    problems: Sequence[str]
    """Each with the line and the field that have changed."""

    @classmethod
    def by(cls, config: str, problems: Sequence[Problem]) -> Self:
        return cls(config, _listed(problems))

    def emit(self) -> None:
        metrics.RELOADS.labels("needs_restart").inc()
        metrics.CONFIG_SUCCESSFUL.set(0)
        log.error("config needs a restart", **asdict(self))


class StreamRemoved(Struct, frozen=True):
    """The configuration has it no longer, and it has ended here. Its checkpoint stays."""

    stream: str

    def emit(self) -> None:
        metrics.forget(self.stream)
        log.info("stream removed", **asdict(self))


def _succeed() -> None:
    metrics.CONFIG_SUCCESSFUL.set(1)
    metrics.CONFIG_TIME.set_to_current_time()


def _listed(problems: Sequence[Problem]) -> list[str]:
    told = [str(problem) for problem in problems[:MOST]]
    return [*told, f"and {len(problems) - MOST} more"] if len(problems) > MOST else told
