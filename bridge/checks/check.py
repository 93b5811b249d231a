"""The door of a check: both ends, then every stream."""

import asyncio
import importlib.metadata
import time

from msgspec import Struct

from bridge.checks import broker, cluster
from bridge.checks.cluster import Look
from bridge.checks.report import (
    Beginning,
    CheckpointState,
    GroupState,
    KubernetesEnd,
    Report,
    StreamState,
    TopicState,
    WatchedResource,
)
from bridge.config.streams import StreamSpec, streams
from bridge.config.topics import known_topic
from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint, Identity, Restart, Resume
from bridge.model.resource import Selection, object_key
from bridge.rights.meaning import meant, topics_of
from bridge.sink import checkpoints, takeover, topics
from bridge.sink.checkpoints import Saved
from bridge.sink.connection import KafkaFault
from bridge.sink.mask import masking
from bridge.sink.route import Router
from bridge.source.session import Session
from bridge.stream import UNNAMED
from bridge.telemetry import configure_logging

AT_ONCE = 8
"""Streams looked at side by side: enough to hide round trips, few enough to burden nobody."""


def run(config: Config, source: str) -> Report:
    """Look at everything. *source* is the config file's name, for the report."""
    configure_logging("warning", console=True)
    return asyncio.run(_check(config, source))


class _Ends(Struct, frozen=True):
    """What can be asked. *session* is None and *kafka* false where nobody answers."""

    config: Config
    session: Session | None
    kubernetes: KubernetesEnd
    kafka: bool

    @property
    def cluster(self) -> str | None:
        """The cluster's name in the records, as far as it is known."""
        unnamed = UNNAMED if self.session is not None else None
        return self.config.cluster or self.kubernetes.cluster_uid or unnamed


async def _check(config: Config, source: str) -> Report:
    (session, kubernetes), (kafka, topic) = await asyncio.gather(cluster.reach(config), broker.reach(config))
    try:
        ends = _Ends(config, session, kubernetes, not kafka.problem)
        shared = await _shared(ends) if ends.kafka else None
        gate = asyncio.Semaphore(AT_ONCE)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_stream(ends, spec, gate)) for spec in streams(config)]
    finally:
        if session is not None:
            await session.close()
    states = tuple(task.result() for task in tasks)
    problems = [kubernetes.problem, kafka.problem, *(each.problem for each in (topic, shared) if each is not None)]
    ok = not any(problems) and all(state.ok for state in states)
    version = importlib.metadata.version("kube-event-bridge")
    return Report(ok, version, source, ends.cluster, kubernetes, kafka, topic, shared, states)


async def _shared(ends: _Ends) -> GroupState | None:
    if ends.config.standalone:
        return await broker.rivals(ends.config)
    return await broker.share(ends.config, ends.kubernetes.cluster_uid)


async def _stream(ends: _Ends, spec: StreamSpec, gate: asyncio.Semaphore) -> StreamState:
    async with gate:
        seen = await cluster.look(ends.session, ends.kubernetes.account, spec) if ends.session is not None else Look()
        kept = await _kept(ends, spec, seen.selection) if ends.kafka else _Kept()
    problems = (*seen.problems, *kept.problems)
    return StreamState(
        name=spec.name,
        ok=ends.session is not None and ends.kafka and not problems,
        resource=_resource(seen.selection) if seen.selection is not None else None,
        access=seen.access,
        topics=kept.topics,
        checkpoint=_checkpoint(kept.saved.checkpoint, kept.saved) if kept.saved and kept.saved.checkpoint else None,
        start=kept.start,
        problems=problems,
    )


class _Kept(Struct, frozen=True):
    """What Kafka has of a stream."""

    topics: tuple[TopicState, ...] = ()
    saved: Saved | None = None
    start: Beginning | None = None
    problems: tuple[str, ...] = ()


async def _kept(ends: _Ends, spec: StreamSpec, selection: Selection | None) -> _Kept:
    states: tuple[TopicState, ...] = ()
    problems: tuple[str, ...] = ()
    try:
        states = await _named(ends, spec, selection)
        barred = await broker.transacting(ends.config, spec.name)
        problems = tuple(problem for problem in (*(state.problem for state in states), barred) if problem)
        saved = await checkpoints.read(ends.config, spec.name)
        beginning = await _beginning(ends, spec, selection, saved) if selection is not None else None
    except KafkaFault as fault:
        is_told = any(problem.startswith(f"{fault}.") for problem in problems)
        return _Kept(states, problems=problems if is_told else (*problems, f"{fault}."))
    return _Kept(states, saved, beginning, problems)


async def _named(ends: _Ends, spec: StreamSpec, selection: Selection | None) -> tuple[TopicState, ...]:
    """The topics that are known without any object; where none is, those that a namespace will name."""
    template = spec.watch.topic
    if selection is None:
        topic = known_topic(template, spec.namespace, ends.cluster)
        return await broker.look(ends.config, [topic] if topic is not None else [])
    cluster = ends.cluster or UNNAMED
    router = Router(template, selection, cluster, {})
    if fixed := router.fixed_topics():
        return await broker.look(ends.config, fixed)
    one = router.topic_of(object_key(selection.resource.name, "default", "any"))
    pattern = topics_of(template, meant(selection.resource), spec.namespace, cluster)
    return await broker.foresee(ends.config, one, pattern)


async def _beginning(ends: _Ends, spec: StreamSpec, selection: Selection, saved: Saved) -> Beginning:
    """What the stream would decide if it were started now."""
    mask = masking(spec.watch.mask, selection.resource)
    identity = Identity(ends.kubernetes.cluster_uid, ends.cluster or UNNAMED, selection, spec.watch.topic, mask)
    written_to = saved.checkpoint.partitions if saved.checkpoint is not None else ()
    present = await topics.describe(ends.config, written_to)
    match takeover.decide(ends.config, identity, saved, takeover.left_of(saved.checkpoint, present)):
        case Resume():
            return Beginning("resume")
        case Restart(reason, message):
            return Beginning("restart", reason.value, message)


def _resource(selection: Selection) -> WatchedResource:
    resource = selection.resource
    return WatchedResource(resource.name, resource.api_version, resource.kind, selection.namespace)


def _checkpoint(checkpoint: Checkpoint, saved: Saved) -> CheckpointState:
    return CheckpointState(
        epoch=checkpoint.epoch,
        phase=checkpoint.phase.value,
        resource_version=checkpoint.position.version if checkpoint.position is not None else None,
        age=round(max(0.0, time.time() - saved.written / 1000), 1),
        objects=len(saved.index),
    )
