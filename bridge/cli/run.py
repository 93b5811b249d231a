"""`event-bridge run`."""

import typer

from bridge.cli.file import ConfigFile, read


def run(config: ConfigFile = None) -> None:
    """Watch and publish until SIGTERM or Ctrl-C. Logs go to stderr."""
    settings, name = read(config)

    from bridge import app  # noqa: PLC0415 - heavy

    raise typer.Exit(app.run(settings, name))
