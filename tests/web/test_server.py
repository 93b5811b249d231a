"""What is answered over HTTP, on real sockets: to kubelets, to Prometheus, to scripts, and to who is lost."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest

from bridge.ownership.telling import MembershipChanged
from bridge.web.pulse import DEAD, Pulse
from bridge.web.server import Unbindable, serve
from tests.web.test_board import LIVE, Life

BUILDS = ("0.1.0", "3.13.1", "0.14.0")
Reply = tuple[int, str, Mapping[str, str]]


class Asker:
    """Asks one server. Owns the session."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def __call__(self, path: str, method: str = "GET", **headers: str) -> Reply:
        async with self._session.request(method, self.url + path, headers=headers) as answer:
            return answer.status, await answer.text(), answer.headers


@asynccontextmanager
async def served(life: Life) -> AsyncIterator[Asker]:
    async with serve("127.0.0.1:0", life.board, BUILDS) as url, aiohttp.ClientSession() as session:
        yield Asker(session, url)


async def test_a_bridge_without_a_stream_lives_and_is_not_ready() -> None:
    """While its kubeconfig's login takes its time: killing it would not help, sending it work neither."""
    async with served(Life()) as ask:
        livez, readyz = await ask("/livez"), await ask("/readyz")

    assert (livez[0], livez[1]) == (200, "ok\n")
    assert (readyz[0], readyz[1]) == (503, "[-]group failed: not a member\nreadyz check failed\n")


async def test_ready_is_one_word_and_all_on_demand() -> None:
    """As Kubernetes' own probes have it."""
    life = Life(now=1000.0)
    life.hears(*LIVE)
    async with served(life) as ask:
        short, verbose = await ask("/readyz"), await ask("/readyz?verbose")

    assert (short[0], short[1]) == (200, "ok\n")
    assert (verbose[0], verbose[1]) == (200, "[+]pods ok: live, position is 10s old\nreadyz check passed\n")


async def test_not_ready_tells_each_stream_unasked() -> None:
    """`kubectl describe pod` shows what the probe has said."""
    life = Life(now=990.0)
    life.hears(*LIVE)
    life.now = 1400.0
    async with served(life) as ask:
        status, text, _ = await ask("/readyz")

    assert (status, text) == (
        503,
        "[-]pods failed: position is 410s old, limit 300s (live)\nreadyz check failed\n",
    )


async def test_a_bridge_that_ends_lives_and_is_not_ready() -> None:
    """A kubelet that finds it dead would kill it in the middle of its last commits."""
    life = Life(stopping=True)
    life.hears(*LIVE)
    async with served(life) as ask:
        livez, readyz = await ask("/livez"), await ask("/readyz")

    assert (livez[0], readyz[0]) == (200, 503)
    assert readyz[1].startswith("[-]shutdown failed: stopping\n")


async def test_the_pulse_is_dead_when_the_loop_has_not_turned() -> None:
    """And beats again as soon as it does."""
    pulse = Pulse()
    await asyncio.sleep(DEAD + 1)
    dead = pulse.beats
    beating = asyncio.create_task(pulse.run())
    await asyncio.sleep(2)
    beating.cancel()

    assert (dead, pulse.beats) == (False, True)


async def test_the_status_is_the_boards_document() -> None:
    life = Life()
    life.hears(MembershipChanged(member=True), *LIVE)
    async with served(life) as ask:
        status, text, headers = await ask("/status")

    document = json.loads(text)
    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (document["ready"], document["streams"][0]["name"]) == (True, "pods")


@pytest.mark.parametrize(
    ("accept", "kind", "last"),
    [
        ("text/plain;version=0.0.4", "text/plain; version=0.0.4; charset=utf-8", ""),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text", "# EOF"),
    ],
)
async def test_metrics_come_in_the_format_that_is_asked_for(accept: str, kind: str, last: str) -> None:
    """Prometheus asks for OpenMetrics, others do not know it."""
    life = Life()
    life.hears(*LIVE)
    async with served(life) as ask:
        status, text, headers = await ask("/metrics", Accept=accept)

    assert (status, headers["Content-Type"].startswith(kind), text.split("\n")[-2 if last else -1]) == (200, True, last)
    assert 'bridge_stream_ready{stream="pods"} 1.0' in text


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/status"])
async def test_head_is_answered_as_get_without_a_body(path: str) -> None:
    """Uptime monitors ask so."""
    life = Life()
    life.hears(*LIVE)
    async with served(life) as ask:
        status, text, headers = await ask(path, "HEAD")

    assert (status, text, int(headers["Content-Length"]) > 0) == (200, "", True)


async def test_who_is_lost_is_told_the_paths() -> None:
    async with served(Life()) as ask:
        status, text, _ = await ask("/healthz")

    assert status == 404
    assert [line.split()[0] for line in text.splitlines()[1:]] == ["/", "/livez", "/readyz", "/metrics", "/status"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(method: str) -> None:
    """There is no login: whoever reaches it may read, and no more."""
    async with served(Life()) as ask:
        status, _, headers = await ask("/status", method)

    assert (status, headers["Allow"]) == (405, "GET,HEAD")


@pytest.mark.parametrize("path", ["/", "/status", "/readyz", "/nothing"])
async def test_answers_may_not_be_framed_sniffed_or_kept(path: str) -> None:
    async with served(Life()) as ask:
        _, _, headers = await ask(path)

    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Server"] == "event-bridge", "no versions for who looks for holes"


@pytest.mark.parametrize(
    ("listen", "why"),
    [
        ("taken", "Address already in use"),
        ("192.0.2.1:8080", "Cannot assign requested address"),
        ("no-such-host.invalid:8080", "Name or service not known"),
    ],
)
async def test_an_address_that_cannot_be_had_is_told_with_the_mend(listen: str, why: str) -> None:
    """Two bridges on one machine are the first thing that people try."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}" if listen == "taken" else listen
        with pytest.raises(Unbindable) as refused:
            async with serve(address, Life().board, BUILDS):
                pass

    told = str(refused.value)
    assert told.startswith(f"http.listen: cannot listen on {address}: {why}. Choose another address or port")
    assert told.endswith("port 0 takes a free one, and http: {listen: null} serves nothing")


async def test_ipv6_is_served() -> None:
    async with serve("[::1]:0", Life().board, BUILDS) as url, aiohttp.ClientSession() as session:
        status, _, _ = await Asker(session, url)("/livez")

    assert status == 200
    assert url.startswith("http://[::1]:")
