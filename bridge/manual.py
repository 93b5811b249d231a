"""What operators are told, as a page for people: every metric, every log line. It becomes `docs/telemetry.md`."""

from collections.abc import Iterator
from pathlib import Path

from bridge.metrics import described
from bridge.ownership import telling as of_groups
from bridge.reload import telling as of_files
from bridge.sink import telling as of_kafka
from bridge.source import telling as of_sources
from bridge.telemetry import Told

MODULES = (of_kafka, of_sources, of_groups, of_files)
"""Imported, so that their types are known."""
TARGET = "docs/telemetry.md"

_HEAD = """# What the bridge tells

<!-- Made by `make schema` from the types in `bridge/telemetry.py`, the `telling.py` files and `bridge/metrics.py`. -->

Everything is told once, by one type: it is logged, counted and shown on the status page, so these never disagree. What
to do about a line: [operations](operations.md).

## Metrics

`/metrics` answers in Prometheus' text format, and in OpenMetrics to who asks for it. Beside these there are `process_*`
and `python_*` of the Prometheus client.

- **Gauges** of a stream are there only where it runs: when it moves to another replica they go with it.
- **Counters** count since the process began. Those that alerts look at stand at 0 from when a stream is acquired.
- **A silent watch** shows in `time() - bridge_position_timestamp_seconds > bridge_stale_after_seconds`, whatever keeps
  it silent: nothing moves that time but a commit to Kafka.
"""
_LINES = """## Log lines

`log.format` is `json` where standard error is no terminal. Every line has `timestamp`, `level`, `event` and these:
"""


def manual() -> str:
    return "\n".join([_HEAD, *_metrics(), "", _LINES, *_lines()]) + "\n"


def told() -> list[type[Told]]:
    """All that is ever logged, by its name in the log."""
    return sorted((kind for kind in Told.__subclasses__() if kind.line), key=lambda kind: kind.line.lower())


def _metrics() -> Iterator[str]:
    yield "| metric | | labels | |"
    yield "| --- | --- | --- | --- |"
    for metric in described():
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        yield f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |"


def _lines() -> Iterator[str]:
    yield "| `event` | level | fields | |"
    yield "| --- | --- | --- | --- |"
    names = {f"`{kind.__name__}`": f"`{kind.line}`" for kind in told()}
    for kind in told():
        fields = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
        words = (kind.__doc__ or "").split()
        about = " ".join(names.get(word.rstrip(".,:"), word) for word in words)
        yield f"| `{kind.line}` | {', '.join(kind.levels)} | {fields} | {about} |"


if __name__ == "__main__":
    Path(TARGET).write_text(manual(), encoding="utf-8")
