"""`event-bridge live`: for health checks of containers that have no curl."""

import urllib.error
import urllib.request
from pathlib import Path

import typer

from bridge.cli.file import ConfigFile, read
from bridge.config.problem import ConfigError, Problem
from bridge.config.tree import Http

DEADLINE = 4.0
"""Seconds. `/livez` computes nothing."""
EVERYWHERE = {"", "0.0.0.0", "::"}  # noqa: S104 - what is compared with, not bound to


def live(config: ConfigFile = None) -> None:
    """Ask the bridge that runs on this machine with this config file whether it is alive. Starts nothing.

    Exit code 1 where it does not answer; 0 also where its http.listen is null, for then nobody can ask; 2 where that
    has port 0, for then nobody knows the port.
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
        settings, file = read(config)
    except ConfigError:
        return Http().listen
    listen = settings.http.listen
    if listen is not None and int(listen.rpartition(":")[2]) == 0:
        raise ConfigError([_nowhere(listen, file)])
    return listen


def _nowhere(listen: str, file: str) -> Problem:
    what = f"{listen} is a free port, which only the bridge's log names: nobody can ask there"
    mend = f"Name a port, for example {listen.rpartition(':')[0]}:8080, or write null, and it is not asked."
    return Problem(file, 0, "http.listen", what, mend)


def _plain() -> urllib.request.OpenerDirector:
    """Without the proxies of the environment: it is this machine that is asked."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({}))
