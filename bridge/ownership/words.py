"""What members of the group tell each other: who they are, what they would run, what they hold; and what they get.

One configuration runs at a time: a partition's owner must know all of its streams, and know them alike. Members with
another one get nothing until the last member of the one that runs has gone, as at the end of a rolling update.

Where a member's file has changed, it tells what it could run instead, and goes on. What all of those that run have
offered alike is what all take up, in that same round: so no stream is ever run by two files in turn.
"""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.ownership.shares import Shares, hand_over, share
from bridge.sink.covers import UNREADABLE, target_of


class Offer(Struct, frozen=True):
    """What a member could run instead, as `Said` tells it of what it runs."""

    config: str
    streams: tuple[str, ...]


class Said(Struct, frozen=True):
    """What a member says when it joins. *config* tells configurations apart, *cluster* and *streams* are for people.

    *held* are the partitions whose streams it runs, and goes on running until it finds that they are no longer its.
    *offer*: its file has changed.
    """

    host: str
    config: str
    cluster: str
    streams: tuple[str, ...]
    held: tuple[int, ...] = ()
    cluster_uid: str = ""
    offer: Offer | None = None

    @property
    def wanted(self) -> str:
        """The configuration that its file says."""
        return self.config if self.offer is None else self.offer.config

    def as_running(self, config: str) -> "Said | None":
        """What it would say if it ran that; None: it cannot."""
        if config == self.config:
            return self
        if self.offer is None or config != self.offer.config:
            return None
        return replace(self, config=config, streams=self.offer.streams, offer=None)


class Told(Struct, frozen=True):
    """What a member gets: partitions; or, where another configuration runs, one of those that run it.

    *config* runs from now on: the member's own, or what it has offered. *behind*: hosts of those whose files say
    otherwise than the member's, so that its offer waits for them.
    """

    partitions: tuple[int, ...]
    instead: Said | None = None
    config: str = ""
    behind: tuple[str, ...] = ()


encode = msgspec.json.Encoder().encode
_said = msgspec.json.Decoder(Said).decode
_told = msgspec.json.Decoder(Told).decode
NOBODY = Said("", "", "", ())
"""A member whose words cannot be read: a later version's, or another program's."""


def said(data: bytes) -> Said:
    try:
        return _said(data)
    except UNREADABLE:
        return NOBODY


def told(data: bytes) -> Told:
    try:
        return _told(data)
    except UNREADABLE:
        return Told(())


def introduce(config: Config, cluster_uid: str, host: str) -> Said:
    """*cluster_uid* tells clusters apart, also where two files are alike to the letter."""
    cluster = config.cluster or cluster_uid
    checkpoints = (config.checkpoint_topic, config.checkpoints.partitions)
    watches = [replace(watch, stale_after=None) for watch in config.watches]  # that is for people, not for consumers
    what = (cluster_uid, config.cluster, config.kafka.delivery, checkpoints, watches)
    digest = hashlib.sha256(encode(what)).hexdigest()[:16]
    return Said(host, digest, cluster, tuple(sorted(spec.name for spec in streams(config))), (), cluster_uid)


def difference(mine: Said, theirs: Said) -> str:
    """How another configuration differs, for whoever has to find it."""
    parts = [f"it runs on {theirs.host or 'an unknown host'}"]
    if mine.cluster != theirs.cluster:
        parts.append(f"its cluster is {theirs.cluster or 'unknown'}, ours {mine.cluster or 'unknown'}")
    elif "" != mine.cluster_uid != theirs.cluster_uid != "":
        uids = f"the uid of kube-system is {theirs.cluster_uid} there, {mine.cluster_uid} here"
        parts.append(f"its cluster is another one, though both are called {mine.cluster}: {uids}")
    only_there = sorted(set(theirs.streams) - set(mine.streams))
    only_here = sorted(set(mine.streams) - set(theirs.streams))
    parts += [f"streams only there: {_some(only_there)}"] if only_there else []
    parts += [f"streams only here: {_some(only_here)}"] if only_here else []
    return "; ".join(parts if len(parts) > 1 else [*parts, "the same streams, otherwise defined"])


def behind(hosts: Iterable[str]) -> str:
    """Why a changed file is not in force yet."""
    return f"it waits until {_some(list(hosts))} has it, too; all go on with the one before"


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def assign(partitions: int, members: Mapping[str, Said]) -> dict[str, Told]:
    """The leader's work. *members* must not be empty."""
    now = _running(members)
    running = _agreed(now, members.values())
    ours = {name: said for name, member in members.items() if (said := member.as_running(running)) is not None}
    one = min(ours.items())[1]
    weights = [0] * partitions
    for stream in one.streams:
        weights[target_of("", partitions, stream).partition] += 1
    held = {name: [n for n in member.held if n < partitions] for name, member in ours.items()}
    holding = {name: member.held for name, member in members.items()}
    given: Shares = hand_over(share(weights, held), holding)
    return {
        name: Told(tuple(sorted(given[name])), None, running, _behind(running, member, members.values()))
        if name in given
        else Told((), one, running)
        for name, member in members.items()
    }


def _agreed(running: str, members: Iterable[Said]) -> str:
    """What the files of all that run *running* say, if they say the same."""
    wanted = {member.wanted for member in members if member.config == running}
    return wanted.pop() if len(wanted) == 1 else running


def _behind(running: str, member: Said, members: Iterable[Said]) -> tuple[str, ...]:
    """Hosts that run *running* and whose files are not yet what the member's is."""
    if member.wanted == running:
        return ()
    others = {each.host for each in members if each.config == running and each.wanted != member.wanted}
    return tuple(sorted(others))


def _running(members: Mapping[str, Said]) -> str:
    """The configuration that runs: that of whoever holds most; if nobody holds anything, of whoever are most."""
    weight: dict[str, tuple[int, int]] = {}
    for member in members.values():
        held, count = weight.get(member.config, (0, 0))
        weight[member.config] = held + len(member.held), count + 1
    known = {config: sums for config, sums in weight.items() if config} or weight
    return min(known, key=lambda config: (-known[config][0], -known[config][1], config))
