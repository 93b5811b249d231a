"""What is told to operators of a config file that has changed, as `bridge.telemetry` has it of all else."""

from collections.abc import Sequence
from typing import ClassVar, Self

from bridge import metrics
from bridge.config.problem import Problem
from bridge.telemetry import Level, Told

MOST = 50
"""Problems of a file that are told: who has more of them has another kind of file."""


class ConfigApplied(Told, frozen=True):
    """Another configuration is in force. Streams that are not named here run on as they were."""

    line: ClassVar[str] = "config applied"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    config: str
    """The file, here and below."""
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    changed: Sequence[str] = ()
    settings: Sequence[str] = ()
    """Fields beside the watches."""

    def count(self) -> None:
        metrics.RELOADS.labels("applied").inc()


class ConfigUnchanged(Told, frozen=True):
    """The file was written anew, or we were asked to look, and it says what is in force."""

    line: ClassVar[str] = "config unchanged"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    config: str

    def count(self) -> None:
        metrics.RELOADS.labels("unchanged").inc()


class ConfigRejected(Told, frozen=True):
    """The file cannot be used; the configuration before stays in force. Said once for each content."""

    line: ClassVar[str] = "config rejected"
    levels: ClassVar[tuple[Level, ...]] = ("error",)

    config: str
    problems: Sequence[str]
    """Each with its line, its field and the mend."""

    @classmethod
    def by(cls, config: str, problems: Sequence[Problem]) -> Self:
        return cls(config, _listed(problems))

    def count(self) -> None:
        metrics.RELOADS.labels("rejected").inc()


class RestartRequired(Told, frozen=True):
    """The file is right, and only a new process can take it up; all of the configuration before stays in force."""

    line: ClassVar[str] = "config needs a restart"
    levels: ClassVar[tuple[Level, ...]] = ("error",)

    config: str
    problems: Sequence[str]
    """Each with the line and the field that have changed."""

    @classmethod
    def by(cls, config: str, problems: Sequence[Problem]) -> Self:
        return cls(config, _listed(problems))

    def count(self) -> None:
        metrics.RELOADS.labels("needs_restart").inc()


class StreamRemoved(Told, frozen=True):
    """The configuration has it no longer, and it has ended here. Its checkpoint stays."""

    line: ClassVar[str] = "stream removed"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    stream: str


def _listed(problems: Sequence[Problem]) -> list[str]:
    told = [str(problem) for problem in problems[:MOST]]
    return [*told, f"and {len(problems) - MOST} more"] if len(problems) > MOST else told
