"""The API on a real server: what unit tests write by hand is what it really sends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from bridge.config.tree import Kubernetes
from bridge.model.event import Change, ChangeType
from bridge.model.position import is_newer
from bridge.model.resource import Resource, Selection
from bridge.source.api import Api
from bridge.source.discovery import Found, NotFound, exists, find
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import Bookmark, Frame, Page, Status
from bridge.source.session import Session, connect
from bridge.source.states import Frames, Newest, Opened
from tests.servers.apiserver import Cluster
from tests.servers.kube import Kube

pytestmark = pytest.mark.integration

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
EVENTS = Resource("", "v1", "events", "Event", True)


@asynccontextmanager
async def administrator(cluster: Cluster) -> AsyncIterator[tuple[Session, Kube]]:
    session = await connect(Kubernetes(kubeconfig=str(cluster.kubeconfig)))
    async with cluster.kube() as kube:
        try:
            yield session, kube
        finally:
            await session.close()


async def made(kube: Kube, namespace: str, *names: str) -> str:
    """A new namespace with these ConfigMaps in it; the path of its collection."""
    await kube.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    for name in names:
        await kube.create(path, {"metadata": {"name": name}})
    return path


async def until(api: Api, last: Callable[[Frame], bool]) -> list[Frame]:
    """All frames up to the one that is *last*."""
    frames: list[Frame] = []
    while not (frames and last(frames[-1])):
        reply = await asyncio.wait_for(api.frames(), 60)
        assert isinstance(reply, Frames), reply
        frames += reply.frames
    return frames


def told(frames: list[Frame]) -> list[tuple[ChangeType, str]]:
    return [(frame.type, frame.key) for frame in frames if isinstance(frame, Change)]


def is_change(frame: Frame) -> bool:
    return isinstance(frame, Change)


def ends_initial(frame: Frame) -> bool:
    return isinstance(frame, Bookmark) and frame.ends_initial


async def test_a_snapshot_as_a_stream_and_what_follows(cluster: Cluster) -> None:
    """WatchList: the objects, the bookmark that ends them, and then live changes on the same connection."""
    async with administrator(cluster) as (session, kube):
        path = await made(kube, "watchlist", "a", "b")
        api = Api(session, Selection(CONFIGMAPS, "watchlist"))
        assert await api.open_list() == Opened()

        snapshot = await until(api, ends_initial)
        await kube.create(path, {"metadata": {"name": "c"}})
        live = await until(api, is_change)
        api.close()

    added = ChangeType.ADDED
    assert sorted(told(snapshot), key=str) == [(added, f"configmaps/watchlist/{name}") for name in "ab"]
    assert told(live) == [(added, "configmaps/watchlist/c")]


async def test_a_watch_resumes_after_any_version(cluster: Cluster) -> None:
    """Neither twice nor not at all: the next change after the position is the first to be told."""
    async with administrator(cluster) as (session, kube):
        path = await made(kube, "resume", "a")
        api = Api(session, Selection(CONFIGMAPS, "resume"))
        page = await api.page("", whole=False)
        assert isinstance(page, Page)
        await kube.create(path, {"metadata": {"name": "b"}})
        await kube.delete(f"{path}/a")
        newest = await api.newest()
        assert isinstance(newest, Newest)

        assert await api.open(page.version) == Opened()
        frames = await until(api, lambda frame: isinstance(frame, Change) and frame.type is ChangeType.DELETED)
        assert isinstance(frames[0], Change)
        assert await api.open(frames[0].version) == Opened()
        again = await until(api, is_change)
        api.close()

    both = [(ChangeType.ADDED, "configmaps/resume/b"), (ChangeType.DELETED, "configmaps/resume/a")]
    assert (told(frames), told(again)) == (both, both[1:])
    assert is_newer(newest.version, page.version)


async def test_pages_of_one_snapshot(cluster: Cluster) -> None:
    """500 and the rest, at one version; and the same in one piece."""
    names = [f"n{number:03}" for number in range(501)]
    async with administrator(cluster) as (session, kube):
        await made(kube, "pages", *names)
        api = Api(session, Selection(CONFIGMAPS, "pages"))
        first = await api.page("", whole=False)
        assert isinstance(first, Page)
        await kube.delete(f"/api/v1/namespaces/pages/configmaps/{names[-1]}")
        second = await api.page(first.token, whole=False)
        whole = await api.page("", whole=True)

    assert isinstance(second, Page)
    assert isinstance(whole, Page)
    listed = [change.key for change in first.changes + second.changes]
    assert listed == [f"configmaps/pages/{name}" for name in names]
    assert [change.key for change in whole.changes] == listed[:-1]
    assert (len(first.changes), second.token, whole.token) == (500, "", "")
    assert first.version == second.version
    assert first.changes[0].body.startswith(b'{"kind":"ConfigMap","apiVersion":"v1",')


async def expired(api: Api, position: Newest) -> Status:
    assert await api.open(position.version) == Opened()
    reply = await api.frames()
    assert isinstance(reply, Frames)
    (status,) = reply.frames
    assert isinstance(status, Status)
    return status


async def test_core_events_expire_with_every_compaction(new_cluster: Callable[[], Cluster]) -> None:
    """They are read straight from etcd: what the API server compacts every five minutes is gone at once."""
    cluster = new_cluster()
    async with administrator(cluster) as (session, kube):
        events, maps = Api(session, Selection(EVENTS)), Api(session, Selection(CONFIGMAPS))
        position = await events.newest()
        assert isinstance(position, Newest)
        await made(kube, "later", "a", "b")
        await asyncio.to_thread(cluster.compact)

        status = await expired(events, position)
        cached = await maps.open(position.version)
        frames = await until(maps, is_change)
        events.close()
        maps.close()

    assert (status.code, status.reason) == (410, "Expired")
    assert cached == Opened()
    assert told(frames)[0] == (ChangeType.ADDED, "configmaps/later/a")


async def test_every_position_expires_with_the_servers_memory(new_cluster: Callable[[], Cluster]) -> None:
    """A killed server cuts the stream; the new one knows no history before its first list."""
    cluster = new_cluster()
    async with administrator(cluster) as (session, kube):
        await made(kube, "before", "a")
        api = Api(session, Selection(CONFIGMAPS, "before"))
        position = await api.newest()
        assert isinstance(position, Newest)
        assert await api.open(position.version) == Opened()
        await made(kube, "between", "a")
        await asyncio.to_thread(cluster.kill_api)
        fault = await api.frames()
        away = await api.open(position.version)
        await asyncio.to_thread(cluster.expire_everything, kill=True)

        status = await expired(api, position)
        api.close()

    assert isinstance(fault, Fault)
    assert (fault.phase, fault.frames) == (Phase.STREAM, 0)
    assert fault.kind in (Kind.NETWORK, Kind.END)
    assert isinstance(away, Fault)
    assert (away.phase, away.kind) == (Phase.OPEN, Kind.NETWORK)
    assert cluster.url in away.message
    assert (status.code, status.reason) == (410, "Expired")


CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
NAMES = {"plural": "cogs", "singular": "cog", "kind": "Cog", "listKind": "CogCollection", "shortNames": ["cg"]}


def served(name: str, storage: bool) -> dict[str, object]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {"name": name, "served": True, "storage": storage, "schema": schema}


CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "cogs.discovery.example.com"},
    "spec": {
        "group": "discovery.example.com",
        "scope": "Cluster",
        "names": NAMES,
        "versions": [served("v1", True), served("v1beta1", False)],
    },
}


async def test_a_custom_resource_comes_and_goes(cluster: Cluster) -> None:
    """Found by all its names while it is there; afterwards its absence is certain, not guessed from a 404."""
    async with administrator(cluster) as (session, kube):
        assert isinstance(await find(session, "cogs"), NotFound)
        await kube.create(CRDS, CRD)
        found = await _when(session, "cogs", Found)
        assert isinstance(found, Found)
        names = ["Cog", "cg", "cogs.discovery.example.com", "cogs.v1.discovery.example.com"]
        others = [await find(session, name) for name in names]
        older = await find(session, "cogs.v1beta1.discovery.example.com")
        present = await exists(session, found.resource)
        api = Api(session, Selection(found.resource))
        empty = await _listed(api)

        await kube.delete(f"{CRDS}/cogs.discovery.example.com")
        await _when(session, "cogs", NotFound)
        absent = await api.newest()

    cogs = Resource("discovery.example.com", "v1", "cogs", "Cog", False)
    assert found.resource == cogs
    assert others == [found] * 4
    assert isinstance(older, Found)
    assert older.resource == replace(cogs, version="v1beta1")
    assert present is True
    assert empty.changes == []
    assert isinstance(absent, Fault)
    assert replace(absent, message="", reason="") == Fault(Phase.PROBE, Kind.HTTP, 404, absent=True)


async def _when(session: Session, name: str, kind: type[Found | NotFound]) -> Found | NotFound:
    """Discovery follows a CRD within seconds."""
    async with asyncio.timeout(60):
        while True:
            result = await find(session, name)
            if isinstance(result, kind):
                return result
            await asyncio.sleep(0.2)


async def _listed(api: Api) -> Page:
    """Its storage may come a moment after its name (404 or 429 until then)."""
    async with asyncio.timeout(60):
        while True:
            page = await api.page("", whole=False)
            if isinstance(page, Page):
                return page
            await asyncio.sleep(0.2)
