"""What is told to operators of a config file that has changed, as `bridge.telemetry` has it of all else."""

from collections.abc import Sequence

from msgspec import Struct

from bridge import metrics
from bridge.config.problem import Problem
from bridge.telemetry import log

MOST = 50
"""Problems of a file that are told: who has more of them has another kind of file."""


class ConfigApplied(Struct, frozen=True):
    """Another configuration is in force. Streams that are not named here run on as they were."""

    file: str
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    changed: Sequence[str] = ()
    settings: Sequence[str] = ()
    """Fields beside the watches."""

    def emit(self) -> None:
        metrics.RELOADS.labels("applied").inc()
        _succeed()
        log.info(
            "config applied",
            config=self.file,
            added=list(self.added),
            removed=list(self.removed),
            changed=list(self.changed),
            settings=list(self.settings),
        )


class ConfigUnchanged(Struct, frozen=True):
    """The file was written anew, or we were asked to look, and it says what is in force."""

    file: str

    def emit(self) -> None:
        metrics.RELOADS.labels("unchanged").inc()
        _succeed()
        log.info("config unchanged", config=self.file)


class ConfigRejected(Struct, frozen=True):
    """The file cannot be taken up; the configuration before stays in force, all of it. Said once for each content."""

    file: str
    needs_restart: bool
    """The file is right, and only a new process can take it up."""
    problems: Sequence[Problem]

    def emit(self) -> None:
        metrics.RELOADS.labels("needs_restart" if self.needs_restart else "invalid").inc()
        metrics.CONFIG_SUCCESSFUL.set(0)
        told = [str(problem) for problem in self.problems[:MOST]]
        if left := len(self.problems) - MOST:
            told += [f"and {left} more"] if left > 0 else []
        what = "config needs a restart" if self.needs_restart else "config rejected"
        log.error(f"{what}, the one before stays in force", config=self.file, problems=told)


class StreamRemoved(Struct, frozen=True):
    """The configuration has it no longer, and it has ended here. Its checkpoint stays."""

    stream: str

    def emit(self) -> None:
        metrics.forget(self.stream)
        log.info("stream removed", stream=self.stream)


def _succeed() -> None:
    metrics.CONFIG_SUCCESSFUL.set(1)
    metrics.CONFIG_TIME.set_to_current_time()
