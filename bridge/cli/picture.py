"""How the report of a check looks: for people, in 80 columns and without colours when piped; for machines, JSON."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bridge.checks.report import Report, StreamState, TopicState
from bridge.cli.status import age

GOOD, BAD = "[green]ok[/]", "[red]NO[/]"
UNKNOWN = "?"


def draw(report: Report) -> None:
    """Print the report to standard output: first the ends, then the streams, then what there is to say of them."""
    console = Console(highlight=False)
    console.print(_ends(report))
    console.print()
    console.print(_streams(report))
    for place, text in _problems(report):
        _tell(console, place, text, "bold red")
    for place, text in _notes(report):
        _tell(console, place, text, "bold")


def _tell(console: Console, place: str, text: str, style: str) -> None:
    """A text, wrapped, and under it the commands to copy, which a wrap would break."""
    words, _, commands = text.partition("\n")
    console.print()
    console.print(Text.assemble((f"{place}: ", style), words))
    if commands:
        console.print(Text(commands), soft_wrap=True)


def _ends(report: Report) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    kubernetes, topic = report.kubernetes, report.checkpoints
    where = f"{kubernetes.server}, as {kubernetes.account}" if kubernetes.account else kubernetes.server
    table.add_row(GOOD, "config", escape(report.config))
    table.add_row(BAD if kubernetes.problem else GOOD, "kubernetes", escape(where))
    table.add_row("", "cluster", escape(report.cluster or UNKNOWN))
    table.add_row(BAD if report.kafka.problem else GOOD, "kafka", escape(", ".join(report.kafka.servers)))
    if topic is not None:
        table.add_row(BAD if topic.problem else GOOD, "checkpoints", escape(", ".join(_topic(topic))))
    if (group := report.group) is not None:
        count = "1 replica" if group.members == 1 else f"{group.members} replicas"
        row = group.name if group.problem else f"{group.name}, {count}"
        table.add_row(BAD if group.problem else GOOD, "group", escape(row))
    return table


def _streams(report: Report) -> Table:
    """Two lines for each: what it is, and how that is."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", "stream", "resource", "topic", "checkpoint"):
        table.add_column(name, overflow="fold")
    for state in report.streams:
        table.add_row(
            GOOD if state.ok else BAD,
            escape(state.name),
            escape("\n".join(_resource(state))),
            escape("\n".join(line for topic in state.topics for line in _topic(topic)) or UNKNOWN),
            escape("\n".join(_place(state))),
        )
    return table


def _resource(state: StreamState) -> list[str]:
    if state.resource is None:
        return [UNKNOWN]
    verbs = {"list": state.access.list, "watch": state.access.watch}
    if None in verbs.values():
        return [state.resource.name]
    forbidden = [verb for verb, allowed in verbs.items() if not allowed]
    return [state.resource.name, f"may not {' or '.join(forbidden)}" if forbidden else "list, watch"]


def _topic(topic: TopicState) -> list[str]:
    if topic.exists:
        return [topic.name, f"{topic.partitions} partitions"]
    return [topic.name, "cannot be made" if topic.problem else f"to be made: {topic.partitions}"]


def _place(state: StreamState) -> list[str]:
    """Where the stream stands, and how it would go on from there."""
    checkpoint, start = state.checkpoint, state.start
    if checkpoint is None:
        return ["none" if start is not None else UNKNOWN, *([start.reason] if start is not None else [])]
    lines = [f"{checkpoint.phase}, {age(checkpoint.age)} old"]
    if start is not None:
        lines.append("resumes" if start.how == "resume" else f"new epoch: {start.reason}")
    return lines


def _problems(report: Report) -> list[tuple[str, str]]:
    topic = report.checkpoints
    general = [
        ("kubernetes", report.kubernetes.problem),
        ("kafka", report.kafka.problem),
        ("checkpoints", topic.problem if topic is not None else ""),
        ("group", report.group.problem if report.group is not None else ""),
    ]
    streams = [(state.name, problem) for state in report.streams for problem in state.problems]
    return [(place, problem) for place, problem in [*general, *streams] if problem]


def _notes(report: Report) -> list[tuple[str, str]]:
    """What is worth knowing and keeps nothing from running: why a stream would not go on from its checkpoint."""
    unnamed = [("cluster", report.kubernetes.note)] if report.kubernetes.note else []
    kept = [report.checkpoints] if report.checkpoints is not None else []
    topics = {topic.name: topic.note for state in report.streams for topic in (*kept, *state.topics) if topic.note}
    group = [("group", report.group.note)] if report.group is not None and report.group.note else []
    return (
        unnamed
        + group
        + [*topics.items()]
        + [
            (state.name, f"the next start begins a new epoch, {state.start.reason}: {state.start.message}")
            for state in report.streams
            if state.checkpoint is not None and state.start is not None and state.start.how == "restart"
        ]
    )
