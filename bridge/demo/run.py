"""The door: both servers, the bridge, a consumer and a screen; and nothing is left of them in the end."""

import asyncio
import re
import signal
import sys
import tempfile
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.live import Live

from bridge.demo.audit import Verdict
from bridge.demo.ledger import STREAMS, Ledger
from bridge.demo.lines import conclusion
from bridge.demo.picture import WIDTH, Picture
from bridge.demo.plain import Plain
from bridge.demo.process import Bridge, topic_of
from bridge.demo.reading import Reading
from bridge.demo.story import Scene, Screen, Stopped, play
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.broker.server import Broker

PARTITIONS = 3
_FONTS = re.compile(r"@font-face \{.*?\}", re.DOTALL)


class Wish(Struct, frozen=True):
    """*plain*: lines instead of a picture. *keep*: go on after the story, for people to look at. *pace*: 1 is as meant.

    *svg*: where the last picture is written to.
    """

    plain: bool = False
    keep: bool = False
    pace: float = 1.0
    svg: Path | None = None


def run(wish: Wish) -> int:
    """The exit code is 0 only if the audit finds nothing."""
    try:
        return asyncio.run(_run(wish))
    except Stopped as stopped:
        print(f"ERROR: {stopped}", file=sys.stderr)  # noqa: T201 - what a person started is answered
        return 1
    except KeyboardInterrupt:
        return 130


async def _run(wish: Wish) -> int:
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    with tempfile.TemporaryDirectory(prefix="event-bridge-demo-") as directory:
        async with ApiServer() as server, Broker() as broker:
            kubeconfig = Path(directory, "kubeconfig")
            kubeconfig.write_text(server.kubeconfig_text())  # noqa: ASYNC240 - a kilobyte, into memory
            for stream in STREAMS:
                broker.create(topic_of(stream), PARTITIONS)
            bridge = Bridge(Path(directory), kubeconfig, broker.bootstrap)
            try:
                return await _show(wish, server, broker, bridge)
            finally:
                await bridge.kill()


async def _show(wish: Wish, server: ApiServer, broker: Broker, bridge: Bridge) -> int:
    console = Console(highlight=False)
    topics = {topic_of(stream): PARTITIONS for stream in STREAMS}
    reading = Reading(broker.bootstrap, topics)
    ledger = Ledger(server)
    scene = Scene(server, bridge, ledger, reading, lambda seconds: seconds * wish.pace)
    if wish.plain or not (console.is_terminal or wish.svg):
        plain = Plain(lambda text: console.print(text, soft_wrap=True, markup=False))
        reading.hear(plain.told)
        verdict = await _together(scene, plain)
    else:
        picture = Picture(ledger.now, reading.now, lambda: bridge.pid)
        reading.hear(picture.told)
        with Live(picture, console=console, refresh_per_second=10):
            verdict = await _together(scene, picture)
        if wish.svg is not None:
            _export(picture, verdict, wish.svg)
    console.print(f"\n{conclusion(verdict)}", style="bold green" if verdict.holds else "bold red", soft_wrap=True)
    if wish.keep:
        await _keep(console, server, broker, bridge)
    return 0 if verdict.holds else 1


async def _together(scene: Scene, screen: Screen) -> Verdict:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(scene.reading.run(), name="consumer")
        verdict = await play(scene, screen)
        reading.cancel()
    return verdict


def _export(picture: Picture, verdict: Verdict, path: Path) -> None:
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, highlight=False)
        picture.go_back()
        console.print(picture)
        console.print(conclusion(verdict), style="bold green" if verdict.holds else "bold red")
    drawn = console.export_svg(title="event-bridge demo")
    path.write_text(_FONTS.sub("", drawn))  # a picture that asks others for its fonts tells them who looks


async def _keep(console: Console, server: ApiServer, broker: Broker, bridge: Bridge) -> None:
    await bridge.start()
    console.print(
        f"\nAll goes on until Ctrl-C, without the cluster's life.\n\n"
        f"export KUBECONFIG={bridge.config.parent / 'kubeconfig'}\n"
        f"export KAFKA_BOOTSTRAP_SERVERS={broker.bootstrap}\n\n"
        f"kubectl get pods --all-namespaces     ({server.url})\n"
        f"event-bridge materialize --bootstrap-servers {broker.bootstrap} --topic {topic_of('pods')} --db pods.db",
        soft_wrap=True,
    )
    await asyncio.Event().wait()
