"""What can be typed after `event-bridge`, and what its exit code says.

Heavy imports stand inside the commands: `--version`, `--help` and `schema` need neither Kubernetes nor Kafka.
"""

import importlib.metadata
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.acls import acls
from bridge.cli.check import check
from bridge.cli.demo import demo
from bridge.cli.live import live
from bridge.cli.materialize import materialize
from bridge.cli.rbac import rbac
from bridge.cli.resync import resync
from bridge.cli.run import run
from bridge.cli.sandbox import sandbox
from bridge.cli.schema import schema
from bridge.cli.status import status
from bridge.cli.tail import tail
from bridge.cli.verify import verify
from bridge.config.problem import ConfigError

NESTING = 12_000
"""Levels of JSON. The API server takes custom resources of 10,000 (sigs.k8s.io/json); Python's readers give up at 1000,
and whoever may write one object would stop its stream."""
USAGE = 2
"""The exit code for a config or a command line that is wrong; click uses the same for the latter."""

app = typer.Typer(
    name="event-bridge",
    help="Watches Kubernetes resources and publishes every change to Apache Kafka.",
    epilog="Exit codes: 0 fine; 1 it failed; 2 the config file or the command line is wrong.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, check, rbac, acls, status, resync, tail, verify, demo, materialize, sandbox, schema, live):
    app.command()(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"event-bridge {importlib.metadata.version('kube-event-bridge')}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Watches Kubernetes resources and publishes every change to Apache Kafka."""


def main() -> None:
    """Run the command line. A config that cannot be used is told problem by problem."""
    if not __debug__:
        sys.exit("event-bridge does not run under python -O (PYTHONOPTIMIZE): assertions guard what it commits")
    _settle()
    try:
        app()
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)  # noqa: T201 - what a person typed is answered, not logged
        sys.exit(USAGE)


def _settle() -> None:
    """What Python has too little of for us: levels of recursion, and, in some containers, a home.

    An account without one (no $HOME, a uid that nobody knows) gets `/`: kubernetes_asyncio asks for it when it is
    imported, and fails without.
    """
    sys.setrecursionlimit(NESTING)
    try:
        Path.home()
    except RuntimeError:
        os.environ["HOME"] = "/"
