"""`event-bridge tail`."""

from datetime import UTC, datetime
from enum import Enum
from typing import Annotated

import typer

from bridge.cli.brokers import BootstrapServers, Login, PasswordFile, TlsCa, TlsCert, flagged, source
from bridge.cli.file import ConfigFile
from bridge.cli.murmur import murmur
from bridge.config.problem import Misread


class Output(Enum):
    TEXT = "text"
    WIDE = "wide"
    JSON = "json"


def tail(  # noqa: PLR0913 - one for each option
    *,
    topics: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TOPIC]...", help="Without any: those of the config's watches."),
    ] = None,
    config: ConfigFile = None,
    bootstrap_servers: BootstrapServers = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    sasl: Login = None,
    password_file: PasswordFile = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="WHEN",
            help="10m (back from now), a time (2026-11-23T08:30:00Z), beginning, or now. "
            "Without it: now, but the beginning with --once, --state or --check.",
        ),
    ] = None,
    stream: Annotated[str, typer.Option(metavar="GLOB", help="Show only these streams.")] = "*",
    key: Annotated[str, typer.Option(metavar="GLOB", help="Show only these objects: pods/default/web-*")] = "*",
    output: Annotated[Output, typer.Option("--output", "-o", help="How records are shown.")] = Output.TEXT,
    state: Annotated[bool, typer.Option("--state", help="Show the objects that there are, not the changes.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="End with exit code 1 at the first record that breaks the protocol.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End when all is read that is there now.")] = False,
) -> None:
    """Show the changes in topics as they come, and the gaps, until SIGTERM or Ctrl-C."""
    if state and since is not None:
        raise typer.BadParameter("--state must read from the beginning: leave --since out")
    if state and output is Output.WIDE:
        raise typer.BadParameter("--state is a table, or --output json with --once")
    flags = flagged(bootstrap_servers, tls_ca, tls_cert, sasl, password_file)
    kafka, patterns = source(config, flags, topics or [], "TOPIC")

    from bridge.cli import tellings  # noqa: PLC0415 - heavy
    from bridge.tail.follow import Order  # noqa: PLC0415 - heavy
    from bridge.tail.reading import Choice, Reading  # noqa: PLC0415 - heavy
    from bridge.tail.since import since as begin  # noqa: PLC0415 - heavy

    try:
        when = begin(since or ("beginning" if once or state or check else "now"), datetime.now(UTC))
    except Misread as misread:
        raise typer.BadParameter(f"--since: {misread.what}. {misread.mend}") from misread
    order = Order(kafka, patterns, when, once)
    reading = Reading(Choice(stream, key), checked=check)
    murmur()
    shown = tellings.show_state if state else tellings.show_records
    raise typer.Exit(shown(order, reading, output.value))
