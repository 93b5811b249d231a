"""The composition root of `event-bridge verify`: both sides, looked at twice where they differ."""

import asyncio
from collections.abc import Mapping, Sequence

from msgspec import Struct

from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.consumer.intake import ForeignTopic
from bridge.consumer.loop import LoopFault
from bridge.model.resource import Selection
from bridge.sink import checkpoints
from bridge.sink.connection import KafkaFault
from bridge.sink.route import Router
from bridge.source.api import Api
from bridge.source.discovery import Found, NotFound, find
from bridge.source.faults import Fault
from bridge.source.frames import Page
from bridge.source.session import Session, connect
from bridge.stream import UNNAMED
from bridge.telemetry import configure_logging
from bridge.verify.compare import Difference, Entry, Judgeable, differences, judge, judgeable
from bridge.verify.replay import Replay
from bridge.verify.report import Counted, Report, StreamReport, reported

PAUSE = 1.0
"""Seconds before the first look again: most differences are a lag of milliseconds, and few need the whole grace."""


def run(config: Config, source: str, specs: Sequence[StreamSpec], grace: float) -> Report:
    """Verify the streams *specs*. A difference counts if it lasts for *grace* seconds; *source* is the file's name."""
    configure_logging("error", console=True)
    return asyncio.run(_verify(config, source, specs, grace))


async def _verify(config: Config, source: str, specs: Sequence[StreamSpec], grace: float) -> Report:
    session = await connect(config.kubernetes)
    try:
        reports = await _Verification(config, session, specs).judged(grace)
    finally:
        await session.close()
    ok = all(report.verdict == "equal" for report in reports)
    return Report(ok, source, session.server, tuple(reports))


class _Seen(Struct, frozen=True):
    """One stream in one look."""

    counted: Counted
    judged: Judgeable
    differences: dict[str, Difference]


Look = Mapping[str, _Seen | str]
"""Stream -> what was seen, or why it could not be."""


class _Verification:
    """Owns the replay, which goes on from look to look."""

    def __init__(self, config: Config, session: Session, specs: Sequence[StreamSpec]) -> None:
        self._config = config
        self._session = session
        self._specs = specs
        self._replay = Replay(config.kafka)

    async def judged(self, grace: float) -> list[StreamReport]:
        loop = asyncio.get_running_loop()
        first = last = await self._look()
        began = loop.time()
        while _differs(last) and (left := began + grace - loop.time()) > 0:
            await asyncio.sleep(PAUSE if last is first and left > PAUSE else left)
            last = await self._look()
        return [_report(spec.name, first[spec.name], last[spec.name]) for spec in self._specs]

    async def _look(self) -> Look:
        """The cluster first: what it holds, a topic that is read afterwards has had the time to say."""
        cluster = {spec.name: await self._ask(spec) for spec in self._specs}
        topics: dict[str, tuple[str, ...]] = {}
        try:
            for spec in self._specs:
                asked = cluster[spec.name]
                if not isinstance(asked, str):
                    topics[spec.name] = await self._topics(spec, asked.topics)
            await self._replay.read({topic for names in topics.values() for topic in names})
        except (KafkaFault, LoopFault, ForeignTopic) as fault:
            return {name: asked if isinstance(asked, str) else f"{fault}" for name, asked in cluster.items()}
        return {
            spec.name: asked if isinstance(asked, str) else self._seen(spec, asked.entries, topics[spec.name])
            for spec in self._specs
            for asked in [cluster[spec.name]]
        }

    async def _ask(self, spec: StreamSpec) -> "_Asked | str":
        match await find(self._session, spec.watch.resource):
            case Found(resource):
                pass
            case NotFound(message):
                return message
            case Fault() as fault:
                return f"{self._session.server}: {fault}"
        if spec.namespace is not None and not resource.namespaced:
            return f"{resource.name} have no namespaces. Remove `namespaces` from the watch."
        watch = spec.watch
        selection = Selection(resource, spec.namespace, watch.label_selector, watch.field_selector)
        entries = await listed(Api(self._session, selection))
        if isinstance(entries, Fault):
            return f"could not list {resource.name}: {entries}"
        name = self._config.cluster or await self._session.cluster_uid()
        if isinstance(name, Fault):
            return f"{self._session.server}: {name}"
        return _Asked(entries, tuple(Router(watch.topic, selection, name or UNNAMED, {}).fixed_topics()))

    async def _topics(self, spec: StreamSpec, fixed: tuple[str, ...]) -> tuple[str, ...]:
        """Those that the checkpoint names: a template may have made more of them since the last look.

        But what the file names is asked about: the topic of a checkpoint from before it was changed is another.
        """
        checkpoint = (await checkpoints.read(self._config, spec.name)).checkpoint
        if checkpoint is None or not checkpoint.partitions or checkpoint.identity.topic != spec.watch.topic:
            return fixed
        return tuple(sorted(checkpoint.partitions))

    def _seen(self, spec: StreamSpec, cluster: dict[str, Entry], topics: tuple[str, ...]) -> _Seen | str:
        there = tuple(topic for topic in topics if topic in self._replay.partitions)
        if not there:
            what = f"there is no topic {' or '.join(topics)}" if topics else "nothing is known of its topics"
            return f"{what}. Start the bridge first: it makes its topics."
        if not self._replay.has_heard(spec.name):
            return f"{', '.join(there)} has no record of the stream {spec.name}. Start the bridge, or correct the name."
        told, judged = self._replay.entries(spec.name), judgeable(spec.watch.types)
        counted = Counted(there, len(cluster), len(told), self._replay.notes(spec.name))
        return _Seen(counted, judged, differences(cluster, told, judged))


class _Asked(Struct, frozen=True):
    """What the cluster has of a stream, and the topics that are known without a checkpoint."""

    entries: dict[str, Entry]
    topics: tuple[str, ...]


async def listed(api: Api) -> dict[str, Entry] | Fault:
    """A whole LIST. One whose token expires between its pages is asked for again in one piece, as client-go does."""
    entries: dict[str, Entry] = {}
    token, whole = "", False
    while True:
        page = await api.metadata(token, whole)
        match page:
            case Fault(status=410) if token:
                entries, token, whole = {}, "", True
            case Fault():
                return page
            case Page(changes):
                entries |= {change.key: Entry(change.uid, change.version) for change in changes}
                token = page.token
                if not token:
                    return entries


def _differs(look: Look) -> bool:
    return any(not isinstance(seen, str) and seen.differences for seen in look.values())


def _report(name: str, first: _Seen | str, last: _Seen | str) -> StreamReport:
    if isinstance(last, str):
        return StreamReport(name, "unknown", problem=last)
    before = {} if isinstance(first, str) else first.differences
    return reported(name, last.counted, last.judged, judge(before, last.differences))
