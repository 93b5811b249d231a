"""`event-bridge schema`."""

import typer

from bridge.config.schema import schema_text


def schema() -> None:
    """Print the JSON Schema of the config file, for editors."""
    typer.echo(schema_text(), nl=False)
