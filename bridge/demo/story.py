"""The acts, in order. What is seen of them is the screen's business; what they prove is the audit's."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from bridge.consumer.records import Restarted, Synced
from bridge.demo.audit import Verdict, judge
from bridge.demo.ledger import STREAMS, Ledger
from bridge.demo.process import Bridge
from bridge.demo.reading import Reading
from bridge.sandbox import life
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.operations import Delete, apply

RATE = 14.0
"""Changes per second of the cluster: lively, and yet can be followed."""
SEED = 7
LIMIT = 30.0
"""Seconds for anything that is waited for; it takes one or two."""
LOOK = 0.05


class Screen(Protocol):
    """What a story needs of the screen."""

    def say(self, words: str) -> None:
        """What happens now."""


class Scene(Struct, frozen=True):
    """Everything that plays a part."""

    server: ApiServer
    bridge: Bridge
    ledger: Ledger
    reading: Reading
    pace: Callable[[float], float]
    """How long a pause of so many seconds is."""


class Stopped(Exception):  # noqa: N818 - the word for what the other side did
    """The bridge did not do what was waited for; its log says why."""


async def play(scene: Scene, screen: Screen) -> Verdict:
    """The whole story. The verdict is that of the audit, with the consumer's state equal to the cluster's."""
    async with asyncio.TaskGroup() as group:
        living = group.create_task(_live(scene), name="life")
        for act in (_begin, _killed, _forgotten):
            await act(scene, screen)
        living.cancel()
    screen.say("the cluster rests: does the consumer know all of it?")
    await _until(scene, lambda: scene.reading.now() == scene.ledger.now(), "the consumer to know all of the cluster")
    await scene.bridge.terminate()
    return judge(scene.ledger.done, scene.reading.records)


async def _begin(scene: Scene, screen: Screen) -> None:
    screen.say("a cluster lives; event-bridge run")
    await scene.bridge.start()
    await _until(scene, lambda: _synced(scene, 1), "the first snapshot")
    screen.say("every change goes to Kafka, in one transaction with the position it brings the stream to")
    await asyncio.sleep(scene.pace(8))


async def _killed(scene: Scene, screen: Screen) -> None:
    screen.say(f"kill -9 {scene.bridge.pid}; the cluster lives on")
    await scene.bridge.kill()
    await asyncio.sleep(scene.pace(4))
    dead = len(scene.ledger.done)
    screen.say("the bridge starts again: it goes on where it was, without a LIST; nothing is lost, nothing is doubled")
    await scene.bridge.start()
    await _until(scene, lambda: _knows(scene, dead), "what happened while it was dead")
    await asyncio.sleep(scene.pace(5))


async def _forgotten(scene: Scene, screen: Screen) -> None:
    screen.say(f"kill -9 {scene.bridge.pid} once more; three pods are deleted, which nobody sees")
    await scene.bridge.kill()
    await asyncio.sleep(scene.pace(1))
    for pod in scene.server.list("pods")[:3]:
        apply(Delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"]), scene.server)
    await asyncio.sleep(scene.pace(2))
    screen.say("and the API server forgets all history: every position is 410 Gone now")
    scene.server.expire_everything()
    await asyncio.sleep(scene.pace(3))
    screen.say("the bridge starts: RESTARTED says that there is a gap, then come the deletes, a snapshot, SYNCED")
    await scene.bridge.start()
    await _until(scene, lambda: _synced(scene, 2), "the second snapshot")
    await asyncio.sleep(scene.pace(6))


async def _live(scene: Scene) -> None:
    """The life of the cluster, from the first day on."""
    await life.run(life.Life(SEED), scene.server, RATE)


def _synced(scene: Scene, epochs: int) -> bool:
    """Whether every stream has told so many whole snapshots, the last of them as its newest epoch."""
    opened: dict[str, set[int]] = {stream: set() for stream in STREAMS}
    closed: dict[str, set[int]] = {stream: set() for stream in STREAMS}
    for keyed in scene.reading.records:
        if isinstance(keyed.record, Restarted):
            opened[keyed.record.stream].add(keyed.record.epoch)
        elif isinstance(keyed.record, Synced):
            closed[keyed.record.stream].add(keyed.record.epoch)
    return all(len(closed[stream]) >= epochs and max(opened[stream]) in closed[stream] for stream in STREAMS)


def _knows(scene: Scene, count: int) -> bool:
    """Whether the first *count* changes were told."""
    return judge(scene.ledger.done[:count], scene.reading.records).lost == 0


async def _until(scene: Scene, holds: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(LIMIT):
            while True:
                if holds():
                    return
                await asyncio.sleep(LOOK)
    except TimeoutError as error:
        last = "\n".join(scene.bridge.log.read_text(errors="replace").splitlines()[-10:])
        raise Stopped(f"waited {LIMIT:g} s for {what}, in vain. The bridge's last words:\n{last}") from error
