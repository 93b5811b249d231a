"""The door: both servers, the bridge, a consumer and a screen; and nothing is left of them in the end."""

import asyncio
import os
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
from bridge.demo.picture import ROWS, WIDTH, Picture
from bridge.demo.plain import Plain
from bridge.demo.process import Bridge, topic_of
from bridge.demo.reading import Reading
from bridge.demo.story import Scene, Screen, Stopped, play
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.broker.server import Broker

PARTITIONS = 3
SIGNALLED = 128
"""What shells add to the number of the signal that ended a process."""
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
    code, received = 1, list[int]()
    try:
        code = asyncio.run(_run(wish, received))
    except* Stopped as stopped:
        print(f"ERROR: {_first(stopped)}", file=sys.stderr)  # noqa: T201 - what a person started is answered
    except* BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it ends
    except* OSError as failed:
        print(f"ERROR: {_first(failed)}", file=sys.stderr)  # noqa: T201
    except* KeyboardInterrupt:
        received = received or [signal.SIGINT]
    return SIGNALLED + received[0] if received else code


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


async def _run(wish: Wish, received: list[int]) -> int:
    """A signal ends everything as Ctrl-C does, and is put into *received*."""

    def end(number: int) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)

    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, end, number)
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
        plain = Plain(_write)
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


def _write(text: str) -> None:
    """Not by rich, which ends the process in its own way when nobody reads."""
    print(text, flush=True)  # noqa: T201 - what a person started is answered


async def _together(scene: Scene, screen: Screen) -> Verdict:
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(scene.reading.run(), name="consumer")
        verdict = await play(scene, screen)
        reading.cancel()
    return verdict


def _export(picture: Picture, verdict: Verdict, path: Path) -> None:
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=WIDTH, height=ROWS, file=nowhere, force_terminal=True, highlight=False)
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
        f"kcat -b {broker.bootstrap} -C -X isolation.level=read_committed -t {topic_of('pods')}\n"
        f"event-bridge materialize --bootstrap-servers {broker.bootstrap} --topic {topic_of('pods')} --db pods.db",
        soft_wrap=True,
    )
    await asyncio.Event().wait()
