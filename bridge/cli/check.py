"""`event-bridge check`."""

from typing import Annotated, Literal

import typer

from bridge.cli.file import ConfigFile, read

Output = Annotated[
    Literal["table", "json"],
    typer.Option("--output", "-o", help="table for people, json for machines."),
]


def check(config: ConfigFile = None, output: Output = "table") -> None:
    """Check the config file, both ends, and every stream. Changes nothing."""
    settings, name = read(config)

    from bridge.checks.check import run  # noqa: PLC0415 - heavy
    from bridge.cli.picture import draw, encode  # noqa: PLC0415 - heavy

    report = run(settings, name)
    if output == "json":
        typer.echo(encode(report), nl=False)
    else:
        draw(report)
    raise typer.Exit(0 if report.ok else 1)
