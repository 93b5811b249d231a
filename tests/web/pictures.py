"""Takes the pictures of the status page for the documents: of a bridge that has lived through something.

`python -m tests.web.pictures`: two minutes, and a chromium.
"""

import asyncio
import tempfile
from pathlib import Path

from bridge.sandbox.background import Sandbox
from bridge.sandbox.pair import Wish
from tests.bridge_process import ROOT, BridgeProcess
from tests.web.browser import browser
from tests.web.running import PATIENCE, url_of

CONFIG = {
    "cluster": "prod-eu",
    "kafka": {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}"},
    "topics": {"partitions": 3},
    "watches": [
        {"resource": "events", "topic": "k8s.events"},
        {"resource": "pods", "topic": "k8s.pods"},
        {"resource": "deployments.apps", "topic": "k8s.deployments"},
        {"resource": "nodes", "topic": "k8s.nodes"},
        {"resource": "configmaps", "namespaces": ["shop"], "topic": "k8s.configmaps"},
    ],
}
BUSY = 40.0
"""Seconds of life before something happens, and again before the picture."""
SHOTS = {"status-page": (1200, False), "status-page-dark": (1200, True), "status-phone": (400, False)}
OPEN = "document.querySelector('.stream[data-state=live] .more').click()"


async def main() -> None:
    """The pictures go to docs/pictures/."""
    with (
        tempfile.TemporaryDirectory() as name,
        Sandbox(Wish(rate=25.0)) as sandbox,
        BridgeProcess(CONFIG, Path(name), {**sandbox.environment, "HOSTNAME": "event-bridge-7d9c4-x2x8q"}) as bridge,
    ):
        bridge.start()
        url = url_of(bridge)
        await asyncio.sleep(BUSY)
        sandbox.do(lambda servers: servers.api.expire_everything())
        await asyncio.sleep(BUSY)
        sandbox.do(lambda servers: servers.api.access.forbid("list", "configmaps"))
        sandbox.do(lambda servers: servers.api.access.forbid("watch", "configmaps"))
        sandbox.do(lambda servers: servers.api.close_watches(cut=True))
        bridge.says("stream delayed", PATIENCE)
        await asyncio.sleep(BUSY / 2)
        await take(url)


async def take(url: str) -> None:
    folder = ROOT / "docs" / "pictures"
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    async with browser() as program:
        for name, (width, dark) in SHOTS.items():
            async with program.tab() as tab:
                await tab.show(f"{url}/", width, 700, dark=dark)
                await tab.until("!!document.querySelector('.stream')")
                await tab.run(OPEN if width > 400 else "0")
                await asyncio.sleep(1)
                await asyncio.to_thread((folder / f"{name}.png").write_bytes, await tab.picture())


if __name__ == "__main__":
    asyncio.run(main())
