"""What Kafka's client says by itself while brokers are away, for people: now and then, not forty lines a second."""

import logging

import typer

CLIENT = "aiokafka"
PAUSE = 30.0
"""Seconds of silence after a line of the client's. A broker that restarts is back by then."""


class Murmur(logging.Handler):
    """Owns when the client has last been heard."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._silent_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        name = record.name.partition(".")[0]
        if name == CLIENT:
            if record.created < self._silent_until:
                return
            self._silent_until = record.created + PAUSE
        typer.echo(f"{name}: {record.getMessage()}", err=True)


def murmur() -> None:
    """From now on, in this process: at the root, where Python would print everything if nobody else listened."""
    logging.getLogger().addHandler(Murmur())
