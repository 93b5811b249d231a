"""`event-bridge verify`: the arguments, and the picture of what was found."""

from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.answer import Output, answer
from bridge.cli.file import ConfigFile, read
from bridge.cli.murmur import murmur
from bridge.config.streams import streams

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from bridge.verify.report import Finding, Report, StreamReport

FIRST = 5
"""Keys of each kind that the table shows; JSON has all."""


def verify(
    config: ConfigFile = None,
    stream: Annotated[
        list[str] | None,
        typer.Option("--stream", metavar="NAME", help="A stream of the file; may be repeated. Without it: all."),
    ] = None,
    grace: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long a difference must last: shorter, and it may be lag."),
    ] = 10.0,
    output: Output = "table",
) -> None:
    """Compare what the topics say with what the cluster holds now. Exit code 1 where they differ. Changes nothing."""
    settings, name = read(config)
    known = {spec.name: spec for spec in streams(settings)}
    if unknown := [wanted for wanted in stream or [] if wanted not in known]:
        raise typer.BadParameter(f"{name} has no stream {unknown[0]}: it has {', '.join(known)}")
    specs = [spec for spec in known.values() if not stream or spec.name in stream]

    from bridge.verify.run import run  # noqa: PLC0415 - heavy

    murmur()
    answer(run(settings, name, specs, grace), output, draw)


def draw(report: "Report") -> None:
    """A line for each stream, then the first keys of each kind, then what there is to say."""
    from rich.console import Console  # noqa: PLC0415 - heavy

    console = Console(highlight=False)
    console.print(_table(report))
    for state in report.streams:
        _detail(console, state)


def _table(report: "Report") -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - heavy
    from rich.table import Table  # noqa: PLC0415 - heavy

    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold")
    for name in ("stream", "topic"):
        table.add_column(name, overflow="fold")
    for name in ("in\ncluster", "in\ntopic", "missing", "extra", "stale"):
        table.add_column(name, justify="right")
    table.add_column("verdict", no_wrap=True)
    for state in report.streams:
        numbers = [_number(state, number) for number in (state.in_cluster, state.in_topic)]
        numbers += [_number(state, len(found)) for found in (state.missing, state.extra, state.stale)]
        style = "green" if state.verdict == "equal" else "red"
        verdict = f"[{style}]{state.verdict}[/]"
        table.add_row(escape(state.name), escape("\n".join(state.topics) or "?"), *numbers, verdict)
    return table


def _number(state: "StreamReport", number: int | None) -> str:
    return "?" if number is None or state.verdict == "unknown" else f"{number}"


def _detail(console: "Console", state: "StreamReport") -> None:
    kinds = [("missing", state.missing), ("extra", state.extra), ("stale", state.stale), ("lagging", state.lagging)]
    for kind, found in kinds:
        if found:
            console.print(f"\n{state.name}: {len(found)} {kind}", markup=False, style="bold")
            for finding in found[:FIRST]:
                console.print(f"  {_line(finding)}", markup=False, soft_wrap=True)
            if len(found) > FIRST:
                console.print(f"  and {len(found) - FIRST} more: --output json has all")
    for words in (*_remarks(state), *state.notes, *([state.problem] if state.problem else [])):
        console.print(f"\n{state.name}: {words}", markup=False)


def _line(finding: "Finding") -> str:
    """The key; where both sides have it, what differs."""
    here, told = finding.cluster, finding.topic
    if here is None or told is None:
        return finding.key
    if told.uid and here.uid != told.uid:
        return f"{finding.key}: uid is {here.uid} in the cluster, {told.uid} in the topic"
    return f"{finding.key}: version is {here.resource_version} in the cluster, {told.resource_version} in the topic"


def _remarks(state: "StreamReport") -> list[str]:
    remarks = []
    if state.unjudged:
        remarks.append(f"not judged, for the watch's `types` leave it open: {', '.join(state.unjudged)}")
    if state.changing:
        remarks.append(f"changed while they were compared, and not judged: {state.changing}")
    return remarks
