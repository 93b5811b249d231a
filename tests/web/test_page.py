"""The status page in a real browser, of a bridge that runs between the sandbox's servers."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox.apiserver.replies import Answer
from bridge.sandbox.background import Sandbox
from bridge.sandbox.pair import Pair
from tests.bridge_process import BridgeProcess
from tests.web.browser import MISSING, Tab, browser, chromium
from tests.web.running import until, url_of

pytestmark = [
    pytest.mark.integration(timeout=180),
    pytest.mark.skipif(chromium() is None, reason=MISSING),
]
WATCHES = [{"resource": "pods"}, {"resource": "configmaps"}, {"resource": "deployments.apps"}]
NAMES = "[...document.querySelectorAll('.stream h3')].map(node => node.textContent).sort().join()"
OVERFLOWS = "document.documentElement.scrollWidth > innerWidth"
STATES = "[...document.querySelectorAll('.stream')].map(node => node.querySelector('.state').innerText.trim()).join()"
EVIL = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>'


class Stage:
    """A bridge, the servers that it runs between, and a page that shows it."""

    def __init__(self, bridge: BridgeProcess, sandbox: Sandbox, tab: Tab, url: str) -> None:
        self.bridge = bridge
        self.tab = tab
        self.url = url
        self._sandbox = sandbox

    async def happens(self, act: Callable[[Pair], Any]) -> None:
        await asyncio.to_thread(self._sandbox.do, act)

    async def reads(self, text: str) -> None:
        await self.tab.until(f"document.body.innerText.includes({json.dumps(text)})")


@asynccontextmanager
async def shown(
    sandbox: Sandbox, directory: Path, width: int = 1400, *, dark: bool = False, **fields: object
) -> AsyncIterator[Stage]:
    kafka = {"bootstrapServers": "${KAFKA_BOOTSTRAP_SERVERS}"}
    config = {"standalone": True, "kafka": kafka, "topics": {"partitions": 1}, "watches": WATCHES, **fields}
    with BridgeProcess(config, directory, sandbox.environment) as bridge:
        bridge.start()
        url = await asyncio.to_thread(url_of, bridge)
        async with browser() as program, program.tab() as tab:
            await tab.show(f"{url}/", width, dark=dark)
            await tab.until(
                f"{STATES} == 'live,live,live'" if "watches" not in fields else "!!document.querySelector('.stream')"
            )
            yield Stage(bridge, sandbox, tab, url)
            assert tab.complaints == []
            assert {address.removeprefix(url) for address in tab.requests if not address.startswith("data:")} == {
                "/",
                "/status",
            }


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [400, 1400])
async def test_every_stream_is_shown_on_every_screen(
    event_bridge_sandbox: Sandbox, tmp_path: Path, width: int, dark: bool
) -> None:
    """On a phone at three in the morning as on a wall: nothing to scroll sideways, and no request to anybody else."""
    async with shown(event_bridge_sandbox, tmp_path, width, dark=dark) as stage:
        tab = stage.tab
        await tab.run("document.querySelectorAll('.more').forEach(button => button.click())")
        names, overflows = await tab.run(NAMES), await tab.run(OVERFLOWS)
        ground = await tab.run("getComputedStyle(document.body).backgroundColor")
        text = await tab.text()

    assert (names, overflows) == ("configmaps,deployments.apps,pods", False)
    assert ground == ("rgb(13, 17, 23)" if dark else "rgb(244, 246, 249)")
    assert all(
        word in text
        for word in ("Ready", "Position", "Lag to Kafka", "Resource version", "initial", "No gap in the last")
    )


async def test_restarts_and_gaps_appear_while_one_looks(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """Nobody reloads a page in an incident: the epochs, the reasons and the gaps come by themselves."""
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        await stage.happens(lambda servers: servers.api.create("secrets", {"metadata": {"name": "later"}}))
        await stage.happens(lambda servers: servers.api.expire_everything())
        await stage.reads("3 gaps in 3 streams in the last 1 h.")
        lines = await stage.tab.run("document.querySelectorAll('#lines .gap').length")
        reasons = await stage.tab.run(
            "[...document.querySelectorAll('.epoch-more')].map(node => node.textContent).join()"
        )

    assert (lines, reasons) == (3, "expired,expired,expired")


async def test_a_stream_in_trouble_comes_first_and_says_why(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """In words and with a sign of its own: a colour alone tells many people nothing."""
    watches = [{"resource": "configmaps"}, {"resource": "pods", "staleAfter": "4s"}]
    async with shown(event_bridge_sandbox, tmp_path, watches=watches, verifyInterval="3s") as stage:
        await stage.tab.until(f"{STATES} == 'live,live'")
        await stage.happens(lambda servers: servers.api.access.forbid("list", "pods"))
        await stage.happens(lambda servers: servers.api.access.forbid("watch", "pods"))
        await stage.happens(lambda servers: servers.api.close_watches(cut=True))
        await stage.reads("1 of 2 not ready")
        await stage.reads("Position is stale")
        first = await stage.tab.run(
            "(() => { const node = document.querySelector('.stream'); return [node.querySelector('h3').textContent,"
            " node.querySelector('.state').innerText.trim(), node.querySelector('.state use').getAttribute('href'),"
            " node.querySelector('.trouble').innerText] })()"
        )
        title = await stage.tab.run("document.title")

    assert first[:3] == ["pods", "delayed", "#delayed"]
    assert "403 Forbidden" in first[3]
    assert title.startswith("1 of 2 not ready")


async def test_what_the_api_server_says_stays_text(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """Its messages, and a proxy's, are shown as they are: a page that ran them would give the cluster away."""
    refusal = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "Forbidden",
        "code": 403,
        "message": EVIL,
    }
    evil = Answer(403, json.dumps(refusal).encode(), {"Content-Type": "application/json"})
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        await stage.happens(lambda servers: servers.api.answer("/api/v1/pods", *[evil] * 50))
        await stage.happens(lambda servers: servers.api.close_watches(cut=True))
        await stage.reads("<img src=x onerror=")
        title, images = await stage.tab.run(
            "[document.title, document.querySelectorAll('.trouble img, .trouble script').length]"
        )

    assert images == 0
    assert "taken" not in title


async def test_nothing_else_may_run_in_the_page(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """Should something get in nevertheless, the browser refuses it: the policy holds, and is not only sent."""
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        tab = stage.tab
        await tab.run(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(EVIL)})")
        await tab.run(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))"
        )
        asked = await tab.run("fetch('http://127.0.0.1:9/').then(() => 'let through', () => 'refused')")
        title = await tab.run("document.title")
        refused, tab.complaints = tab.complaints, []
        tab.requests = [
            address for address in tab.requests if address.startswith(stage.url) and not address.endswith("/x")
        ]

    assert (asked, title) == ("refused", "Ready · kube-event-bridge")
    assert len([line for line in refused if "Content Security Policy" in line]) >= 3


async def test_a_bridge_that_is_gone_is_told_and_so_is_its_return(
    event_bridge_sandbox: Sandbox, tmp_path: Path
) -> None:
    """What was seen last must not pass for what is: the page says so, and goes on by itself."""
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        bridge = stage.bridge
        bridge.config.write_text(re.sub("127.0.0.1:0", stage.url.removeprefix("http://"), bridge.config.read_text()))
        bridge.kill()
        await stage.reads("This page cannot reach the bridge.")
        gone = await stage.tab.text()
        bridge.start()
        await stage.tab.until("!document.body.innerText.includes('cannot reach') && document.title.startsWith('Ready')")
        stage.tab.complaints = [line for line in stage.tab.complaints if "ERR_CONNECTION_REFUSED" not in line]

    assert "Not reachable" in gone
    assert "what you see is from then" in gone


async def test_a_bridge_that_ends_is_told(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """Else its last seconds look like trouble."""
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        await stage.happens(lambda servers: servers.broker.delay(30))
        await stage.happens(lambda servers: servers.api.create("pods", {"metadata": {"name": "late"}}))
        held = '"name":"pods","resource":"pods"'
        await asyncio.to_thread(
            until, stage.url, "/status", lambda answer: '"lag":0.0' not in answer.text.partition(held)[2], stage.bridge
        )
        stage.bridge.send(signal.SIGTERM)
        await stage.reads("The bridge is stopping.")


async def test_it_can_be_used_without_a_mouse(event_bridge_sandbox: Sandbox, tmp_path: Path) -> None:
    """Every control has a name, and says whether it is open; pictures say what they show."""
    async with shown(event_bridge_sandbox, tmp_path) as stage:
        tab = stage.tab
        named = await tab.run("[...document.querySelectorAll('button')].every(node => node.innerText.trim())")
        sparks = await tab.run("[...document.querySelectorAll('.spark')].map(node => node.getAttribute('aria-label'))")
        await tab.run("document.querySelector('.more').focus()")
        await tab.ask("Input.dispatchKeyEvent", type="keyDown", key="Enter", text="\r")
        await tab.ask("Input.dispatchKeyEvent", type="keyUp", key="Enter")
        opened = await tab.until("document.querySelector('.more').getAttribute('aria-expanded')")

    assert (named, opened) == (True, "true")
    assert all(
        re.fullmatch(r"Records per second in the last 5 minutes: now [\d.]+, at most [\d.]+", spark) for spark in sparks
    )
