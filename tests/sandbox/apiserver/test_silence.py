"""The bridge's source against the sandbox's API server, through hours of silence on a clock that jumps."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.config.tree import Kubernetes
from bridge.model.event import Change, ChangeType, Event, Progress, Restarted, RestartReason
from bridge.model.position import NO_EPOCH
from bridge.model.resource import Selection
from bridge.sandbox.apiserver.server import ApiServer
from bridge.source.api import Api
from bridge.source.buffer import Buffer, Pool
from bridge.source.discovery import Found, find
from bridge.source.faults import StartOver
from bridge.source.index import Index
from bridge.source.reader import Reader
from bridge.source.session import Session, connect
from bridge.source.states import Origin, Trouble, unlisted

T = 120.0
HOUR = 3600.0
COMPACTION = 300.0
FIRST = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))


class Watched:
    """A reader at work, and what it has said so far."""

    def __init__(self, server: ApiServer, session: Session, selection: Selection, uid: str) -> None:
        self.server = server
        self.buffer = Buffer(Pool(1 << 20))
        reader = Reader("events", Api(session, selection, uid), FIRST, Index({}), self.buffer, T)
        self.task: asyncio.Task[Trouble] = asyncio.create_task(reader.run())

    async def said(self) -> list[Event]:
        """All since the last time."""
        return await self.buffer.take(0, 0, 1 << 20) if self.buffer.size else []

    def event(self, name: str) -> None:
        body = {"metadata": {"name": name, "namespace": "default"}, "involvedObject": {"namespace": "default"}}
        self.server.create("events", body)

    async def pass_time(self, seconds: float) -> None:
        """As in a cluster: other objects change, and etcd forgets what is older than five minutes."""
        for number in range(int(seconds / COMPACTION)):
            before = self.server.version
            self.server.create("configmaps", {"metadata": {"name": f"{before}-{number}", "namespace": "default"}})
            await asyncio.sleep(COMPACTION)
            self.server._store.compacted = before


@asynccontextmanager
async def watching(directory: Path, **selectors: str) -> AsyncIterator[Watched]:
    async with ApiServer(token="secret") as server:
        kubeconfig = directory / "kubeconfig"
        kubeconfig.write_text(server.kubeconfig_text())
        session = await connect(Kubernetes(kubeconfig=str(kubeconfig)))
        found, uid = await find(session, "events"), await session.cluster_uid()
        assert isinstance(found, Found)
        assert isinstance(uid, str)
        watched = Watched(server, session, Selection(found.resource, **selectors), uid)
        try:
            yield watched
        finally:
            watched.task.cancel()
            await asyncio.wait({watched.task})
            await session.close()


def reasons(events: list[Event]) -> list[str]:
    return [event.reason.value for event in events if isinstance(event, Restarted)]


async def test_hours_without_an_event_cost_no_relist(tmp_path: Path) -> None:
    """42: 36 compactions; the next event arrives, and nothing else was said but how far all was heard."""
    async with watching(tmp_path) as watched:
        watched.event("long-ago")
        await asyncio.sleep(1)
        await watched.pass_time(3 * HOUR)
        silent = await watched.said()
        watched.event("at-last")
        await asyncio.sleep(1)
        told = await watched.said()

    assert reasons(silent) == ["initial"]
    assert 60 < sum(isinstance(event, Progress) for event in silent) < 3 * HOUR / 100
    assert [(event.type, event.key) for event in told if isinstance(event, Change)] == [
        (ChangeType.ADDED, "events/default/at-last")
    ]


async def test_a_selection_is_compared_with_its_own_objects_only(tmp_path: Path) -> None:
    """42: else all that the selectors leave out would look like changes that were lost."""
    async with watching(tmp_path, field_selector="type=Warning") as watched:
        watched.event("of-no-type")
        await asyncio.sleep(1)
        await watched.pass_time(HOUR)
        said = await watched.said()

    assert reasons(said) == ["initial"]
    assert any(isinstance(event, Progress) for event in said)


async def test_what_the_server_never_told_is_told_after_all(tmp_path: Path) -> None:
    """42: a change that is lost on the way of an open watch, and one after it that is not."""
    async with watching(tmp_path) as watched:
        await asyncio.sleep(1)
        (watch,) = watched.server._handler.watches
        watched.event("lost")
        watch._seen = watched.server.version
        watched.event("told")
        await watched.pass_time(HOUR)
        said = await watched.said()

    assert reasons(said) == ["initial", "desynchronized"]
    listed = [event.key for event in said if isinstance(event, Change) and event.type is ChangeType.LISTED]
    assert listed == ["events/default/lost", "events/default/told"]


async def test_another_cluster_ends_the_attempt(tmp_path: Path) -> None:
    """39: it has our position, and is as silent as ours was; its uid is another one."""
    async with watching(tmp_path) as watched:
        await asyncio.sleep(1)
        storage = watched.server._resource("namespaces").storage
        found = watched.server._store.get(storage, "kube-system")
        assert found is not None
        other = {**found, "metadata": {**found["metadata"], "uid": "another"}}
        watched.server._store.commit(storage, "kube-system", other)
        trouble = await asyncio.wait_for(watched.task, HOUR)

    assert trouble.verdict == StartOver()
    assert trouble.fault.message.endswith("is another")
