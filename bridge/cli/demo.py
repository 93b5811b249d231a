"""`event-bridge demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    *,
    plain: Annotated[bool, typer.Option("--plain", help="Lines instead of a picture.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Go on after the story, for kubectl and Kafka's clients to look at.")
    ] = False,
    pace: Annotated[float, typer.Option(metavar="N", min=0.05, max=10, help="2: half as fast.")] = 1.0,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the last picture there.", hidden=True)] = None,
) -> None:
    """See it in a minute: a cluster and a Kafka in this process, and the bridge between them, killed twice."""
    from bridge.demo.run import Wish, run  # noqa: PLC0415 - heavy

    raise typer.Exit(run(Wish(plain, keep, pace, svg)))
