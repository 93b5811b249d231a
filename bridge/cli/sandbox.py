"""`event-bridge sandbox`."""

import asyncio
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bridge.sandbox.pair import Pair, Wish

Port = Annotated[int, typer.Option(metavar="PORT", min=0, max=65_535, help="0: any free one.")]

PICTURE = """\
A cluster and a Kafka, both in this process and in its memory only. Ctrl-C ends them, and nothing stays.

export KUBECONFIG={kubeconfig}
export KAFKA_BOOTSTRAP_SERVERS={bootstrap}

In another terminal, after the two exports:

  kubectl get pods --all-namespaces --watch
  kcat -b $KAFKA_BOOTSTRAP_SERVERS -L

and a bridge between the two, with this in bridge.yaml, by `event-bridge run`:

  standalone: true
  kafka: {{bootstrapServers: "${{KAFKA_BOOTSTRAP_SERVERS}}"}}
  watches:
    - {{resource: pods, topic: k8s.pods}}
    - {{resource: events, topic: k8s.events}}
  http: {{listen: "127.0.0.1:0"}}

Its status page is at a free port, which its first lines name: http listening.
"""


def sandbox(
    api_port: Port = 0,
    kafka_port: Port = 0,
    rate: Annotated[
        float,
        typer.Option(metavar="N", min=0, help="Changes per second that happen in the cluster. 0: yours alone."),
    ] = 5.0,
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed, the same life.")] = 1,
    auto_create: Annotated[
        bool,
        typer.Option(help="Topics that a client asks for are made, as in a Kafka that nobody has configured."),
    ] = True,
) -> None:
    """Run a small API server and a small Kafka to try things on, until Ctrl-C. Nothing needs to be installed."""
    from bridge.sandbox.pair import Wish  # noqa: PLC0415 - heavy

    wish = Wish(api_port, kafka_port, rate, seed, auto_create)
    try:
        asyncio.run(_serve(wish))
    except* OSError as error:
        typer.echo(f"cannot listen: {error.exceptions[0]}. Choose another --api-port or --kafka-port.", err=True)
        raise typer.Exit(1) from error


async def _serve(wish: "Wish") -> None:
    from bridge.sandbox.pair import together  # noqa: PLC0415 - heavy

    ending, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    with tempfile.TemporaryDirectory(prefix="event-bridge-sandbox-") as directory:
        async with together(wish) as pair:
            _tell(pair, Path(directory, "kubeconfig"))
            await ending.wait()


def _tell(pair: "Pair", kubeconfig: Path) -> None:
    kubeconfig.write_text(pair.api.kubeconfig_text())
    typer.echo(PICTURE.format(kubeconfig=kubeconfig, bootstrap=pair.broker.bootstrap))
