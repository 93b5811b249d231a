"""`event-bridge resync STREAM`."""

import getpass
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.file import ConfigFile, read
from bridge.config.streams import streams

if TYPE_CHECKING:
    from bridge.config.tree import Config
    from bridge.model.checkpoint import Checkpoint
    from bridge.sink.covers import Request


def resync(
    stream: Annotated[str, typer.Argument(help="The stream's name, as `event-bridge status` shows it.")],
    config: ConfigFile = None,
    wait: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long to wait until the new epoch has begun. 0: not at all."),
    ] = 30.0,
) -> None:
    """Begin a new epoch of a stream: RESTARTED `requested`, a whole snapshot, SYNCED. Works whoever runs it.

    Exit code 1 where Kafka does not take the request, or the epoch has not begun in time; the request then stays, and
    is followed once, by whoever runs the stream next.
    """
    settings, name = read(config)
    known = [spec.name for spec in streams(settings)]
    if stream not in known:
        raise typer.BadParameter(f"{name} has no stream {stream}: it has {', '.join(known)}")

    import asyncio  # noqa: PLC0415 - heavy

    from bridge.sink.connection import KafkaFault  # noqa: PLC0415 - heavy
    from bridge.telemetry import configure_logging  # noqa: PLC0415 - heavy

    configure_logging("warning", console=True)
    try:
        began = asyncio.run(_ask(settings, stream, wait))
    except KafkaFault as fault:
        typer.echo(f"{fault}.", err=True)
        raise typer.Exit(1) from fault
    if not began and wait:
        typer.echo(f"asked, but no epoch of {stream} has begun within {wait:g} s. The request stays.", err=True)
        raise typer.Exit(1)


async def _ask(config: "Config", stream: str, wait: float) -> bool:
    from bridge.sink import requests  # noqa: PLC0415 - heavy

    request = await requests.ask(config, stream, f"{_user()}@{socket.gethostname()}")
    typer.echo(f"asked for a new epoch of {stream}")
    epoch = await _began(config, stream, request, wait) if wait else None
    if epoch is not None:
        typer.echo(f"epoch {epoch} has begun")
    return epoch is not None


async def _began(config: "Config", stream: str, request: "Request", wait: float) -> int | None:
    """The epoch in which *request* was followed; None if there is none in time."""
    import asyncio  # noqa: PLC0415 - heavy

    from bridge.sink import checkpoints  # noqa: PLC0415 - heavy

    loop = asyncio.get_running_loop()
    until = loop.time() + wait
    while loop.time() < until:
        await asyncio.sleep(0.5)
        checkpoint = (await checkpoints.read(config, stream)).checkpoint
        if checkpoint is not None and (checkpoint.honoured == request.id or _covers(checkpoint, request)):
            return checkpoint.epoch
    return None


def _covers(checkpoint: "Checkpoint", request: "Request") -> bool:
    """Whether a later request, followed with ours, has taken its place."""
    began = checkpoint.began
    return bool(checkpoint.honoured) and began is not None and began.time >= request.time


def _user() -> str:
    """A uid that nobody knows has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "somebody"
