"""How a command that looks at something answers: a table for people, JSON for machines, and the exit code."""

from collections.abc import Callable
from typing import Annotated, Literal, NoReturn, Protocol, TypeVar

import typer

Output = Annotated[
    Literal["table", "json"],
    typer.Option("--output", "-o", help="table for people, json for machines."),
]


class Report(Protocol):
    """*ok*: nothing is wrong."""

    @property
    def ok(self) -> bool: ...


Found = TypeVar("Found", bound=Report)


def answer(report: Found, output: Output, draw: Callable[[Found], None]) -> NoReturn:
    """Say it, and end the command: with 0 if nothing is wrong, else with 1."""
    if output == "json":
        typer.echo(encode(report), nl=False)
    else:
        draw(report)
    raise typer.Exit(0 if report.ok else 1)


def encode(report: Report) -> str:
    import msgspec  # noqa: PLC0415 - heavy

    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
