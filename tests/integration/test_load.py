"""The writer's ledger must be the truth, or an audit by it proves nothing."""

import asyncio
from collections.abc import Callable

import pytest

from tests.audit.ledger import Ledger
from tests.load import EVENTS, KINDS, Writer
from tests.servers.apiserver import Cluster
from tests.servers.kube import Object

pytestmark = pytest.mark.integration


async def test_the_ledger_is_what_etcd_remembers(new_cluster: Callable[[], Cluster]) -> None:
    """Also of writes whose answers were lost. Watches of `events` read etcd's own history, so they see all of it."""
    ledger, lost, history = await _write_and_remember(new_cluster())

    assert lost > 0, "the API server was killed, so some answer must have been lost"
    assert ledger.unknown == set()
    assert len(ledger.writes) > 200
    told: dict[str, list[tuple[str, str, str]]] = {}
    for event in history:
        meta = event["object"]["metadata"]
        version = "" if event["type"] == "DELETED" else meta["resourceVersion"]
        told.setdefault(f"events/{meta['namespace']}/{meta['name']}", []).append((event["type"], meta["uid"], version))
    written: dict[str, list[tuple[str, str, str]]] = {}
    for write in ledger.writes:
        written.setdefault(write.key, []).append((write.act, write.uid, write.version))
    assert written == told


async def _write_and_remember(cluster: Cluster) -> tuple[Ledger, int, list[Object]]:
    async with cluster.kube() as kube:
        writer = Writer(kube, seed=1, namespaces=["load-a", "load-b"], kinds=(EVENTS,))
        await writer.prepare()
        start = await kube.version("/api/v1/events")
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.work(12, rate=60))
            await asyncio.sleep(2)
            await asyncio.to_thread(cluster.restart_api, kill=True)
        ledger = await writer.ledger()
        async with kube.watch("/api/v1/events", resourceVersion=str(start), timeoutSeconds="3") as events:
            history = [event async for event in events]
        return ledger, writer.lost_answers, history


async def test_it_works_on_every_kind(cluster: Cluster) -> None:
    """And ends with what the cluster lists: the last write of each key is what is there."""
    ledger = await _work(cluster)

    assert {write.resource for write in ledger.writes} == {kind.resource for kind in KINDS}
    assert {write.act for write in ledger.writes} == {"ADDED", "MODIFIED", "DELETED"}
    last = {write.key: (write.uid, write.version) for write in ledger.writes}
    there = {live.key: (live.uid, live.version) for live in ledger.final if live.key in last}
    assert there == {key: place for key, place in last.items() if place[1]}


async def _work(cluster: Cluster) -> Ledger:
    async with cluster.kube() as kube:
        writer = Writer(kube, seed=2, namespaces=["load-a", "load-b"])
        await writer.prepare()
        await writer.work(5, rate=100)
        return await writer.ledger()
