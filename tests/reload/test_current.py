"""What follows in the process itself when another configuration is in force."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bridge import metrics
from bridge.audience import listening
from bridge.config.problem import Problem
from bridge.config.streams import streams
from bridge.reload.current import Current
from bridge.reload.telling import MOST, ConfigApplied, ConfigRejected, RestartRequired
from bridge.telemetry import log
from bridge.web.board import Board
from bridge.web.gauges import readings
from bridge.web.serving import setup_of
from tests.config.reading import KAFKA, read

ONE = f"{KAFKA}watches: [{{resource: pods}}]\n"
TWO = f"{KAFKA}watches: [{{resource: pods}}, {{resource: jobs, labelSelector: a=b}}]\n"
MiB = 1 << 20


@pytest.fixture
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def ignore(_: object) -> None:
    """No page is served."""


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_streams_and_memory_follow_and_it_is_told(said: list[Any]) -> None:
    """The pool is parted by streams: one more, and each has less of its own."""
    current = Current(read(ONE), "bridge.yaml", ignore)
    before = (current.count, current.pool.own)
    current.adopt(read(f"{TWO}buffer: 16MiB\n"))
    specs = [spec for place in range(32) for spec in current.specs(place)]

    assert (before, (current.count, current.pool.own)) == ((1, 32 * MiB), (2, 4 * MiB))
    assert sorted(specs, key=lambda spec: spec.name) == sorted(streams(current.config), key=lambda spec: spec.name)
    assert said == [
        {
            "event": "config applied",
            "log_level": "info",
            "config": "bridge.yaml",
            "added": ("jobs",),
            "removed": (),
            "changed": (),
            "settings": ("buffer",),
        }
    ]


def test_the_log_follows(capsys: pytest.CaptureFixture[str]) -> None:
    """A level is changed in trouble, for what is going on now."""
    try:
        current = Current(read(f"{ONE}log: {{level: error, format: json}}\n"), "bridge.yaml", ignore)
        current.adopt(read(f"{ONE}log: {{level: debug, format: json}}\n"))
        log.debug("one")
        current.adopt(read(f"{ONE}log: {{level: error, format: json}}\n"))
        log.info("two")
    finally:
        structlog.reset_defaults()
    lines = capsys.readouterr().err

    assert '"event": "one"' in lines
    assert "two" not in lines


def test_metrics_are_those_that_people_know_from_prometheus(said: list[Any]) -> None:
    """Alerts that exist for it work."""
    name, results = "bridge_config_reloads_total", ("applied", "unchanged", "rejected", "needs_restart")
    before = [sample(name, result=result) or 0.0 for result in results]
    successful = []
    board = Board(setup_of(read(ONE)), lambda: False)
    with listening(board.hear):
        current = Current(read(ONE), "bridge.yaml", lambda config: setattr(board, "setup", setup_of(config)))
        ConfigRejected.by("bridge.yaml", [Problem("bridge.yaml", 1, "x", "is wrong", "Mend it.")]).emit()
        successful.append(gauge(board))
        current.adopt(read(ONE))
        successful.append(gauge(board))
        RestartRequired.by("bridge.yaml", [Problem("bridge.yaml", 1, "name", "has changed", "")]).emit()
        successful.append(gauge(board))
        told = board.read().rejected
        current.adopt(read(TWO))
        successful.append(gauge(board))
    after = [sample(name, result=result) for result in results]

    assert successful == [0, 1, 0, 1]
    assert told == "bridge.yaml:1: name: has changed."
    assert board.read().elsewhere == ("pods", "jobs")
    assert [now - then for now, then in zip(after, before, strict=True) if now is not None] == [1, 1, 1, 1]
    assert said[-1]["event"] == "config applied"


def gauge(board: Board) -> float:
    ((_, value),) = readings(board.read(), ("", "", ""), 0.0)[metrics.CONFIG_SUCCESSFUL]
    return value


def test_a_file_of_another_kind_is_not_told_in_full(said: list[Any]) -> None:
    ConfigRejected.by("x", [Problem("x", line, "", "is wrong", "") for line in range(1, MOST + 3)]).emit()
    ConfigApplied("x").emit()

    assert said[0]["problems"][-2:] == [f"x:{MOST}: is wrong.", "and 2 more"]
