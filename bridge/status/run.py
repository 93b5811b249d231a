"""The door of a status: the group's members and the checkpoint topic, read once. Changes nothing."""

import asyncio
import time
from collections.abc import Mapping

from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.model.checkpoint import Checkpoint
from bridge.ownership.group import Group, Membership
from bridge.ownership.rivals import namesakes, taken
from bridge.ownership.words import NOBODY, Said, behind, difference
from bridge.sink import checkpoints, covers
from bridge.sink.checkpoints import Summary
from bridge.sink.connection import KafkaFault
from bridge.status.report import Replica, Report, RestartState, StreamStatus
from bridge.telemetry import configure_logging

LOOKS, MOVING = 4, 1.0
"""How often, and seconds between: a hand-over takes up to two."""
UNOWNED = "no replica runs it. If this lasts, start one, or look at the log of those that run."
NOT_YET = (
    "no replica runs it: those that run have a file without it. A changed one is taken up when all have it; if this"
    " lasts, look at their log."
)
SHARING = "replicas share the streams out anew, and meanwhile Kafka does not say who runs it. Look again in a while."
UNKNOWN = "it has no checkpoint yet: it has not begun. The log of its owner says why."
ALONE = "it has no checkpoint yet: it has not begun. The log of the bridge says why."


def run(config: Config, source: str) -> Report:
    """*source* is the config file's name, for the report."""
    configure_logging("warning", console=True)
    return asyncio.run(look(config, source))


async def look(config: Config, source: str) -> Report:
    """The same, in a loop that runs already."""
    group = None if config.standalone else config.name
    try:
        members, known = await asyncio.gather(_members(config), checkpoints.read_all(config))
    except KafkaFault as fault:
        return Report(False, source, config.checkpoint_topic, group, (), (), f"{fault}.")
    taken = _taken(config, members) if config.standalone else ""
    unowned = SHARING if any(member.said == NOBODY for member in members) else UNOWNED
    owners = {place: member.said for member in members for place in member.told.partitions}
    names = [spec.name for spec in streams(config)]
    names += sorted(set(known) - set(names))
    configured = {spec.name for spec in streams(config)}
    states = tuple(_stream(config, name, known.get(name), owners, name in configured, unowned) for name in names)
    ok = not taken and not any(state.problem for state in states)
    return Report(ok, source, config.checkpoint_topic, group, _replicas(members, states), states, taken)


async def _members(config: Config) -> list[Membership]:
    """While streams move, they are nobody's for a moment: so that is looked at some times.

    Of a bridge that is alone: those of its name, as far as we may ask.
    """
    if config.standalone:
        return await namesakes(config)
    async with Group.reached(config) as group:
        for _ in range(LOOKS):
            members = await group.members()
            owned = sum(len(member.told.partitions) for member in members)
            if not members or owned == config.checkpoints.partitions:
                break
            await asyncio.sleep(MOVING)
    return sorted(members, key=lambda member: (member.said.host, member.member))


def _taken(config: Config, members: list[Membership]) -> str:
    """Why a bridge that is alone runs nothing."""
    hosts = sorted(member.said.host or member.address for member in members)
    return f"{taken(config, hosts)}." if hosts else ""


def _replicas(members: list[Membership], states: tuple[StreamStatus, ...]) -> tuple[Replica, ...]:
    def one(member: Membership) -> Replica:
        places = set(member.told.partitions)
        count = sum(1 for state in states if state.configured and state.partition in places)
        waits = difference(member.said, member.told.instead) if member.told.instead is not None else ""
        pending = behind(member.told.behind) if member.told.behind else ""
        return Replica(member.said.host, member.member, member.address, count, waits, pending)

    return tuple(one(member) for member in members)


def _stream(
    config: Config, name: str, summary: Summary | None, owners: Mapping[int, Said], configured: bool, unowned: str
) -> StreamStatus:
    place = covers.target_of("", config.checkpoints.partitions, name).partition
    if summary is not None:
        place = summary.partition
    said = owners.get(place)
    owner = said.host if said is not None and configured and name in said.streams else None
    problem = ""
    if configured and owner is None and not config.standalone:
        problem = unowned if said is None or said == NOBODY else NOT_YET
    elif configured and summary is None:
        problem = ALONE if config.standalone else UNKNOWN
    if summary is None:
        nothing = (None, None, None, None, None, None, None)
        return StreamStatus(name, owner, place, *nothing, configured, problem)
    checkpoint = summary.written.checkpoint
    position = checkpoint.position
    return StreamStatus(
        name=name,
        owner=owner,
        partition=place,
        phase=checkpoint.phase.value,
        epoch=checkpoint.epoch,
        resource_version=position.version if position is not None else None,
        age=_age(summary.written.written),
        position_age=_age(position.time) if position is not None else None,
        restart=_restart(checkpoint),
        objects=summary.indexed,
        configured=configured,
        problem=problem,
    )


def _restart(checkpoint: Checkpoint) -> RestartState | None:
    began = checkpoint.began
    return RestartState(began.reason, began.message, began.time / 1000) if began is not None else None


def _age(ms: int) -> float:
    return round(max(0.0, time.time() - ms / 1000), 1)
