"""When a cluster and a topic differ, and when that is no lag any more. No I/O, no clock.

Law: a difference counts only if two looks, a grace apart, both see it, and the cluster's entry was the same in both.
"""

import enum
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from bridge.model.position import ResourceVersion, is_newer


class Entry(Struct, frozen=True, rename="camel", gc=False):
    """Which state of an object. *uid* is empty where the bridge was told to drop it: then it proves nothing."""

    uid: str
    resource_version: str


Entries = Mapping[str, Entry]
"""Key -> the object's entry: all that one side has of a stream."""


class Kind(enum.Enum):
    MISSING = "missing"
    """In the cluster, not in the topic."""
    EXTRA = "extra"
    """In the topic, not in the cluster."""
    STALE = "stale"
    """In both, with another uid or another version."""


class Difference(Struct, frozen=True):
    """What the two sides have of one key; None: nothing."""

    kind: Kind
    cluster: Entry | None
    topic: Entry | None


class Judgeable(Struct, frozen=True):
    """What a stream's topic can be held to."""

    missing: bool = True
    extra: bool = True
    uid: bool = True
    version: bool = True

    def left_out(self) -> tuple[str, ...]:
        """What is not judged, in the words of the report."""
        parts = [("missing", self.missing), ("extra", self.extra), ("uid", self.uid), ("resourceVersion", self.version)]
        return tuple(name for name, judged in parts if not judged)


def judgeable(types: Sequence[str]) -> Judgeable:
    """By the `types` of the watch. An object that is made anew under its name shows only if either half is told."""
    renewed = "ADDED" in types or "DELETED" in types
    return Judgeable("ADDED" in types, "DELETED" in types, renewed, renewed and "MODIFIED" in types)


def differences(cluster: Entries, topic: Entries, judged: Judgeable) -> dict[str, Difference]:
    """What one look shows, by key in order; much of it may be lag."""
    found = {}
    for key in sorted(cluster.keys() | topic.keys()):
        here, told = cluster.get(key), topic.get(key)
        if told is None:
            kind = Kind.MISSING if judged.missing else None
        elif here is None:
            kind = Kind.EXTRA if judged.extra else None
        else:
            kind = Kind.STALE if _is_other(here, told, judged) else None
        if kind is not None:
            found[key] = Difference(kind, here, told)
    return found


def _is_other(here: Entry, told: Entry, judged: Judgeable) -> bool:
    if judged.uid and told.uid and told.uid != here.uid:
        return True
    return judged.version and told.resource_version != here.resource_version


class Judgement(Struct, frozen=True):
    """What two looks say together.

    *persisting* are the differences. *lagging*: the topic had not what the first look saw, and has it still not, but
    the object goes on changing. *changing*: differs in the second look only, or on both sides: on its way.
    """

    persisting: dict[str, Difference] = field(default_factory=dict)
    lagging: dict[str, Difference] = field(default_factory=dict)
    changing: int = 0


def judge(first: Mapping[str, Difference], then: Mapping[str, Difference]) -> Judgement:
    """*then* was seen a grace after *first*."""
    persisting, lagging, changing = {}, {}, 0
    for key, now in then.items():
        before = first.get(key)
        if before is None:
            changing += 1
        elif before.cluster == now.cluster:
            persisting[key] = now
        elif before.topic == now.topic and _is_behind(before):
            lagging[key] = now
        else:
            changing += 1
    return Judgement(persisting, lagging, changing)


def _is_behind(seen: Difference) -> bool:
    """The topic had less than the cluster: it may as well have had more, for it was read after the LIST."""
    if seen.cluster is None:
        return False
    if seen.topic is None:
        return True
    told, here = (ResourceVersion(entry.resource_version) for entry in (seen.topic, seen.cluster))
    return not is_newer(told, here)
