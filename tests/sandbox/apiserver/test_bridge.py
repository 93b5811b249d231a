"""The bridge itself against the sandbox: what the demo runs on."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.config.tree import Kubernetes
from bridge.model.event import Change, ChangeType
from bridge.model.position import ResourceVersion
from bridge.model.resource import Selection
from bridge.sandbox.apiserver import shapes
from bridge.sandbox.apiserver.server import ApiServer
from bridge.source.api import Api
from bridge.source.discovery import Found, NotFound, exists, find
from bridge.source.faults import Fault, Kind, Relist, classify
from bridge.source.frames import Bookmark, Frame, Page
from bridge.source.session import Access, Session, connect
from bridge.source.states import Frames, Newest, Opened


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[ApiServer, Session]]:
    """A server that wants a token, and the bridge's session from the server's own kubeconfig."""
    async with ApiServer(token="secret") as server:
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig_text())
        session = await connect(Kubernetes(kubeconfig=str(kubeconfig)))
        try:
            yield server, session
        finally:
            await session.close()


async def until(api: Api, last: Callable[[Frame], bool]) -> list[Frame]:
    frames: list[Frame] = []
    while not (frames and last(frames[-1])):
        reply = await api.frames()
        assert isinstance(reply, Frames), reply
        frames += reply.frames
    return frames


def told(frames: list[Frame]) -> list[tuple[ChangeType, str]]:
    return [(frame.type, frame.key) for frame in frames if isinstance(frame, Change)]


async def test_resources_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, session):
        found = [await find(session, name) for name in ("po", "Deployment", "deploy.apps", "events", "crd")]
        missing = await find(session, "widgets")

    assert [one.resource.name if isinstance(one, Found) else one for one in found] == [
        "pods",
        "deployments.apps",
        "deployments.apps",
        "events",
        "customresourcedefinitions.apiextensions.k8s.io",
    ]
    assert isinstance(missing, NotFound)


async def test_a_snapshot_changes_a_page_and_an_expired_position(tmp_path: Path) -> None:
    """The whole of what the reader asks: WatchList, live changes, newest version, pages, resume, and 410."""
    async with running(tmp_path) as (server, session):
        found = await find(session, "pods")
        assert isinstance(found, Found)
        server.create("pods", {"metadata": {"name": "a"}})
        api = Api(session, Selection(found.resource, "default"))
        assert await api.open_list() == Opened()
        snapshot = await until(api, lambda frame: isinstance(frame, Bookmark) and frame.ends_initial)
        server.create("pods", {"metadata": {"name": "b"}})
        server.delete("pods", "default", "a")
        live = await until(api, lambda frame: isinstance(frame, Change) and frame.type is ChangeType.DELETED)
        newest, page = await api.newest(), await api.page("", whole=False)
        version = ResourceVersion(str(server.version - 1))
        server.expire_everything()
        assert await api.open(version) == Opened()
        expired = await api.frames()
        api.close()
        served = await exists(session, found.resource)
        access = await session.access("watch", Selection(found.resource, "default"))

    assert (told(snapshot), told(live)) == (
        [(ChangeType.ADDED, "pods/default/a")],
        [(ChangeType.ADDED, "pods/default/b"), (ChangeType.DELETED, "pods/default/a")],
    )
    assert (newest, served, access) == (Newest(ResourceVersion(str(server.version))), True, Access(allowed=True))
    assert isinstance(page, Page)
    assert [change.key for change in page.changes] == ["pods/default/b"]
    assert b'"kind":"Pod"' in page.changes[0].body
    assert isinstance(expired, Frames)
    assert len(expired.frames) == 1


async def test_faults_by_script_reach_the_table(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, session):
        found = await find(session, "configmaps")
        assert isinstance(found, Found)
        api = Api(session, Selection(found.resource))
        server.answer("/api/v1/configmaps", shapes.refused(410, "Expired", "too old resource version: 5 (9)"))
        refused = await api.open(ResourceVersion("5"))
        server.answer("/api/v1/configmaps", shapes.NOTHING)
        assert await api.open(ResourceVersion("5")) == Opened()
        empty = await api.frames()
        api.close()

    assert isinstance(refused, Fault)
    assert isinstance(classify(refused), Relist)
    assert isinstance(empty, Fault)
    assert (empty.kind, empty.frames) == (Kind.END, 0)
