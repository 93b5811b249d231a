"""How a tail looks: lines as they come, or the state as a table. What is no record of it goes to standard error."""

import errno
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import typer
from msgspec import Raw
from rich.console import Console
from rich.live import Live
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from bridge.consumer.intake import Lost
from bridge.following import Waiting
from bridge.tail.follow import Order, run
from bridge.tail.lines import json_line, line, printable
from bridge.tail.reading import Reading, Told

FRAME = 2
"""Pictures of the state per second: as many as an eye can follow."""
ROUND = 6
"""Lines of a terminal that are not for objects: the table's head, what is not shown, the streams."""
EVERYTHING = 1 << 60


class _Console(Console):
    """Rich's own answer to a reader that has gone is exit code 1."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def show_records(order: Order, reading: Reading, output: str) -> int:
    """The exit code."""
    console, shown = _Console(highlight=False), 0

    def tell(tellings: Sequence[Told | Lost | Waiting]) -> None:
        nonlocal shown
        for telling in tellings:
            shown += not isinstance(telling, Waiting)
            if isinstance(telling, Waiting):
                _wait(telling)
            elif output == "json":
                sys.stdout.write(json_line(telling) + "\n")
            else:
                _draw(console, telling, wide=output == "wide")
        sys.stdout.flush()

    def act() -> int:
        problem = run(order, reading, tell)
        if order.once and not shown and not problem:
            words = "records were read, and none is as --stream, --key and --since ask"
            typer.echo(f"nothing to show: {reading.records} {words}", err=True)
        return _end(problem, reading)

    return _piped(act)


def show_state(order: Order, reading: Reading, output: str) -> int:
    """A picture that is renewed on a terminal; one in the end, with *once*."""
    console = _Console(highlight=False)
    if not order.once and (output == "json" or not console.is_terminal):
        raise typer.BadParameter("--state is renewed on a terminal only: add --once")

    def tell(tellings: Sequence[Told | Lost | Waiting]) -> None:
        for telling in tellings:
            if isinstance(telling, Waiting):
                _wait(telling)

    def act() -> int:
        if not order.once:
            with Live(
                get_renderable=lambda: _table(reading, console.height - ROUND),
                console=console,
                refresh_per_second=FRAME,
            ):
                problem = run(order, reading, tell)
        else:
            problem = run(order, reading, tell)
            if output == "json":
                _dump(reading)
            elif not problem:
                console.print(_table(reading, EVERYTHING))
        sys.stdout.flush()
        return _end(problem, reading)

    return _piped(act)


def _draw(console: Console, telling: Told | Lost, *, wide: bool) -> None:
    shown = line(telling, wide=wide)
    text = Text(shown.text, style=shown.colour)
    if shown.rule and len(shown.text) + 4 <= console.width:
        console.print(Rule(text, style=shown.colour))
    elif shown.rule:
        console.print(Text("── ", style=shown.colour) + text, soft_wrap=True)
    else:
        console.print(text, soft_wrap=True)


def _table(reading: Reading, rows: int) -> Table:
    objects, chapters = reading.state()
    table = Table(box=None, pad_edge=False, caption_justify="left", header_style="bold")
    for name in ("KEY", "STREAM", "PARTITION", "VERSION", "EPOCH"):
        table.add_column(name, overflow="fold")
    standings = Counter(
        (stream, topic, chapter.epoch, chapter.standing) for (topic, _, stream), chapter in chapters.items()
    )
    rows = max(rows - len(standings), 1)
    for scope, key, held in objects[:rows]:
        table.add_row(*map(Text, (printable(key), scope.stream, f"{scope.partition}", held.version, f"{held.epoch}")))
    words = [f"and {len(objects) - rows} more"] if len(objects) > rows else []
    for (stream, topic, epoch, standing), count in standings.items():
        words.append(f"{stream}  {topic}, {count} partition{'s' * (count > 1)}: epoch {epoch}, {standing.value}")
    table.caption = Text("\n".join([f"{len(objects)} objects", *map(printable, words)]))
    return table


def _dump(reading: Reading) -> None:
    for (topic, partition, stream), key, held in reading.state()[0]:
        body = Raw(held.body.replace(b"\n", b" ").replace(b"\r", b" "))
        place = {"topic": topic, "partition": partition, "stream": stream, "key": key}
        fields = {**place, "resourceVersion": held.version, "epoch": held.epoch, "object": body}
        sys.stdout.write(msgspec.json.encode(fields).decode() + "\n")


def _wait(waiting: Waiting) -> None:
    typer.echo(f"waiting {waiting.seconds:.0f} s: {waiting.why}", err=True)


def _end(problem: str, reading: Reading) -> int:
    if (wrong := reading.violation) is not None:
        place = f"{wrong.log.topic}[{wrong.log.partition}] at offset {wrong.offset}"
        typer.echo(f"event-bridge tail: {place}: {printable(wrong.what)}", err=True)
    elif problem:
        typer.echo(f"event-bridge tail: {problem}", err=True)
    elif reading.checked:
        typer.echo(f"{reading.records} records, and all as the protocol has it", err=True)
    return 1 if wrong is not None or problem else 0


def _piped(act: Callable[[], int]) -> int:
    """Who reads us may go: `tail | head`. That ends it, and is no failure; a full disk is one."""
    try:
        return act()
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
        if error.errno == errno.EPIPE:
            return 0
        typer.echo(f"event-bridge tail: cannot write what was read: {error.strerror}", err=True)
        return 1
