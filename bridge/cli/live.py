"""`event-bridge live`: for health checks of containers that have no curl."""

import urllib.error
import urllib.request
from pathlib import Path

import typer

from bridge.cli.file import ConfigFile, read
from bridge.config.problem import ConfigError
from bridge.config.tree import Http

DEADLINE = 4.0
"""Seconds. `/livez` computes nothing."""
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - what is compared with, not bound to


def live(config: ConfigFile = None) -> None:
    """Ask the bridge that runs on this machine with this config file whether it is alive. Starts nothing.

    Exit code 1 where it does not answer; 0 also where its http.listen is null, for then nobody can ask.
    """
    listen = _listen(config)
    if listen is None:
        typer.echo("http.listen is null: nobody can ask")
        return
    host, _, port = listen.rpartition(":")
    url = f"http://{'localhost' if host.strip('[]') in EVERYWHERE else host}:{port}/livez"
    try:
        with _plain().open(url, timeout=DEADLINE) as answer:
            typer.echo(answer.read().decode(), nl=False)
    except urllib.error.HTTPError as refused:
        typer.echo(refused.read().decode(), nl=False)
        raise typer.Exit(1) from refused
    except OSError as error:
        typer.echo(f"{url}: {error}")
        raise typer.Exit(1) from error


def _listen(config: Path | None) -> str | None:
    """A file that was spoilt while the bridge runs says nothing against the bridge: the default is asked."""
    try:
        return read(config)[0].http.listen
    except ConfigError:
        return Http().listen


def _plain() -> urllib.request.OpenerDirector:
    """Without the proxies of the environment: it is this machine that is asked."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
