"""What follows in the process itself when another configuration is in force."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bridge.config.problem import Problem
from bridge.config.streams import streams
from bridge.reload.current import Current
from bridge.reload.telling import MOST, ConfigApplied, ConfigRejected, RestartRequired, StreamRemoved
from bridge.telemetry import BufferChanged, log
from tests.config.reading import KAFKA, read

ONE = f"{KAFKA}watches: [{{resource: pods}}]\n"
TWO = f"{KAFKA}watches: [{{resource: pods}}, {{resource: jobs, labelSelector: a=b}}]\n"
MiB = 1 << 20


@pytest.fixture
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


def sample(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_streams_and_memory_follow_and_it_is_told(said: list[Any]) -> None:
    """The pool is parted by streams: one more, and each has less of its own."""
    current = Current(read(ONE), "bridge.yaml")
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
        current = Current(read(f"{ONE}log: {{level: error, format: json}}\n"), "bridge.yaml")
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
    name = "bridge_config_reloads_total"
    before = [sample(name, result=result) or 0.0 for result in ("applied", "unchanged", "rejected", "needs_restart")]
    current = Current(read(ONE), "bridge.yaml")
    ConfigRejected.by("bridge.yaml", [Problem("bridge.yaml", 1, "x", "is wrong", "Mend it.")]).emit()
    broken = sample("bridge_config_last_reload_successful")
    current.adopt(read(ONE))
    unchanged = sample("bridge_config_last_reload_successful")
    RestartRequired.by("bridge.yaml", [Problem("bridge.yaml", 1, "name", "has changed", "")]).emit()
    waits = sample("bridge_config_last_reload_successful")
    current.adopt(read(TWO))
    after = [sample(name, result=result) for result in ("applied", "unchanged", "rejected", "needs_restart")]

    assert [broken, unchanged, waits, sample("bridge_config_last_reload_successful")] == [0, 1, 0, 1]
    assert [now - then for now, then in zip(after, before, strict=True) if now is not None] == [1, 1, 1, 1]
    assert said[-1]["event"] == "config applied"


def test_a_stream_that_is_gone_leaves_no_gauge(said: list[Any]) -> None:
    """Its position would grow old for ever, and an alert would ring for it."""
    BufferChanged("gone", 7).emit()
    before = sample("bridge_buffer_bytes", stream="gone")
    StreamRemoved("gone").emit()
    StreamRemoved("never there").emit()

    assert (before, sample("bridge_buffer_bytes", stream="gone")) == (7, None)
    assert [line["event"] for line in said] == ["stream removed", "stream removed"]


def test_a_file_of_another_kind_is_not_told_in_full(said: list[Any]) -> None:
    ConfigRejected.by("x", [Problem("x", line, "", "is wrong", "") for line in range(1, MOST + 3)]).emit()
    ConfigApplied("x").emit()

    assert said[0]["problems"][-2:] == [f"x:{MOST}: is wrong.", "and 2 more"]
