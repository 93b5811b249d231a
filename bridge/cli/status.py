"""`event-bridge status`: the arguments, and the picture of what was found."""

import time
from typing import TYPE_CHECKING

from bridge.cli.answer import Output, answer
from bridge.cli.file import ConfigFile, read

if TYPE_CHECKING:
    from rich.table import Table

    from bridge.status.report import Report, StreamStatus

UNKNOWN = "?"


def status(config: ConfigFile = None, output: Output = "table") -> None:
    """Show every stream, from Kafka alone: who runs it, how far it is, why it last restarted. Changes nothing.

    Exit code 1 where a stream is run by nobody or has not begun, or Kafka could not be asked.
    """
    settings, name = read(config)

    from bridge.status.run import run  # noqa: PLC0415 - heavy

    answer(run(settings, name), output, draw)


def draw(report: "Report") -> None:
    """First the replicas, then two lines for each stream, then what there is to say of them."""
    from rich.console import Console  # noqa: PLC0415 - heavy

    console = Console(highlight=False)
    if not report.streams:
        console.print(f"kafka: {report.problem}", markup=False)
        return
    if report.group is not None:
        console.print(_replicas(report))
        console.print()
    console.print(_streams(report))
    for text, places in _problems(report).items():
        console.print(f"\n{', '.join(places)}: {text}", markup=False)


def _problems(report: "Report") -> dict[str, list[str]]:
    """Whom it befalls, by what it is."""
    found: dict[str, list[str]] = {report.problem: ["bridge"]} if report.problem else {}
    waits = [(f"replica {each.host}", f"waits: {each.waits}") for each in report.replicas if each.waits]
    pending = [(f"replica {each.host}", f"has a new file: {each.pending}") for each in report.replicas if each.pending]
    for place, text in [*waits, *pending, *((state.name, state.problem) for state in report.streams if state.problem)]:
        found.setdefault(text, []).append(place)
    return found


def _table(*columns: str) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - heavy

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def _replicas(report: "Report") -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - heavy

    table = _table("replica", "address", "streams")
    for each in report.replicas:
        table.add_row(escape(each.host or UNKNOWN), escape(each.address), "waits" if each.waits else f"{each.streams}")
    if not report.replicas:
        table.add_row("none", "", "")
    return table


def _streams(report: "Report") -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - heavy

    table = _table("stream", "owner", "position", "last restart", "objects")
    for state in report.streams:
        alone = report.group is None and state.configured and not report.problem
        owner = state.owner or ("standalone" if alone else "none")
        row = (
            [state.name, f"partition {state.partition}"],
            [owner if state.configured else "not in the file"],
            _position(state),
            _restart(state),
            [UNKNOWN if state.objects is None else f"{state.objects}"],
        )
        table.add_row(*(escape("\n".join(lines)) for lines in row))
    return table


def _position(state: "StreamStatus") -> list[str]:
    if state.phase is None or state.age is None:
        return ["no checkpoint"]
    return [state.resource_version or "none", f"{state.phase}, {age(state.age)} old"]


def _restart(state: "StreamStatus") -> list[str]:
    if state.restart is None:
        return [UNKNOWN]
    return [state.restart.reason, f"{age(max(0.0, time.time() - state.restart.time))} ago"]


def age(seconds: float) -> str:
    """In the largest unit of which there are two."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"
