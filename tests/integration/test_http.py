"""The HTTP side on the real servers: ready, then a watch that nothing comes from any more, then ready again."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from tests.load import CONFIGMAPS, EVENTS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import trial
from tests.web.running import ask, status, until, url_of

WATCHES = [
    {"resource": "configmaps", "topic": "frozen.configmaps", "staleAfter": "20s"},
    {"resource": "events", "topic": "frozen.events", "staleAfter": "20s"},
]

Clusters = Callable[[], Cluster]


async def test_a_watch_that_is_frozen_is_told_and_so_is_its_end(
    new_cluster: Clusters, broker: Broker, tmp_path: Path
) -> None:
    """SIGSTOP: connections stay open and nobody answers. Whoever looks at connections alone sees nothing."""
    cluster = new_cluster()
    async with trial(cluster, broker, tmp_path, WATCHES, name="frozen", verifyInterval="5s") as run:
        bridge = run.bridge
        bridge.start()
        url = await asyncio.to_thread(url_of, bridge)
        writer = await run.writer(CONFIGMAPS, EVENTS)
        ready = await asyncio.to_thread(until, url, "/readyz?verbose", lambda answer: answer.status == 200, bridge)
        await asyncio.to_thread(cluster.process.pause)
        frozen = await asyncio.to_thread(until, url, "/readyz", lambda answer: answer.text.count("[-]") == 2, bridge)
        document = await asyncio.to_thread(status, url)
        livez = await asyncio.to_thread(ask, url, "/livez")
        await asyncio.to_thread(cluster.process.resume)
        back = await asyncio.to_thread(until, url, "/readyz", lambda answer: answer.status == 200, bridge)
        await run.caught_up(writer)
        report = await run.verdict(await writer.ledger())

    assert [line.split()[0] for line in ready.text.splitlines()] == ["[+]configmaps", "[+]events", "readyz"]
    assert frozen.status == 503
    assert all("position is 2" in line and "limit 20s" in line for line in frozen.text.splitlines()[:2])
    assert {stream["ready"] for stream in document["streams"]} == {False}
    assert (livez.status, back.text) == (200, "ok\n")
    assert report.ok
