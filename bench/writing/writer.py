"""The writer itself. It keeps its rate whatever the server takes: who is late is not waited for, up to a bound."""

import asyncio
import contextlib
import json
import random
import re
import ssl
import time
from collections.abc import Iterable

import aiohttp

from bench.writing.plan import Plan, Written

TOGETHER = 32
"""Requests under way at most: the server is to be busy, not flooded."""
VERSION = re.compile(rb'"resourceVersion":"(\d+)"')


def namespace(number: int, plan: Plan) -> str:
    return f"bench-{number % plan.namespaces}"


async def make(plan: Plan) -> list[Written]:
    """All objects, and their namespaces."""
    async with _session(plan) as session:
        for number in range(plan.namespaces):
            with contextlib.suppress(aiohttp.ClientResponseError):  # it is there already
                await _ask(session, "POST", "/api/v1/namespaces", {"metadata": {"name": namespace(number, plan)}})
        numbers = iter(range(plan.start, plan.start + plan.objects))
        made: list[list[Written]] = await asyncio.gather(*(_make(session, plan, numbers) for _ in range(TOGETHER)))
        return [one for part in made for one in part]


async def touch(plan: Plan) -> list[Written]:
    """Change them in turn, at the plan's rate."""
    written: list[Written] = []
    free = asyncio.Semaphore(TOGETHER)
    async with _session(plan) as session, asyncio.TaskGroup() as group:
        began = time.monotonic()
        for number in range(int(plan.rate * plan.seconds)):
            await asyncio.sleep(began + number / plan.rate - time.monotonic())
            await free.acquire()
            group.create_task(_touch(session, plan, number, written, free))
    return written


async def _make(session: aiohttp.ClientSession, plan: Plan, numbers: Iterable[int]) -> list[Written]:
    """One of several that share *numbers*."""
    written = []
    for number in numbers:
        dice = random.Random(number)
        text = "".join(f"{dice.getrandbits(40):010x} setting-{dice.randrange(50)}\n" for _ in range(plan.size // 22))
        body = {"metadata": {"name": f"settings-{number:06}", "labels": {"app": "bench"}}, "data": {"settings": text}}
        path = f"/api/v1/namespaces/{namespace(number, plan)}/configmaps"
        written.append(await _ask(session, "POST", path, body))
    return written


async def _touch(
    session: aiohttp.ClientSession, plan: Plan, number: int, written: list[Written], free: asyncio.Semaphore
) -> None:
    chosen = plan.start + number % plan.objects
    path = f"/api/v1/namespaces/{namespace(chosen, plan)}/configmaps/settings-{chosen:06}"
    try:
        written.append(await _ask(session, "PATCH", path, {"data": {"changed": f"{number} {time.time():.6f}"}}))
    finally:
        free.release()


async def _ask(session: aiohttp.ClientSession, method: str, path: str, body: object) -> Written:
    headers = {"Content-Type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
    async with session.request(method, path, data=json.dumps(body).encode(), headers=headers) as answer:
        content = await answer.read()
        at = time.monotonic()
        answer.raise_for_status()
        found = VERSION.search(content)
        assert found is not None, content[:200]
        return Written(int(found[1]), at)


def _session(plan: Plan) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        plan.url,
        headers={"Authorization": f"Bearer {plan.token}"},
        connector=aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=plan.ca), limit=0),
        timeout=aiohttp.ClientTimeout(total=60),
    )
