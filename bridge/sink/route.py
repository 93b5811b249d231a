"""Where a record goes: the topic that a template names for it, and the partition that Java's default partitioner picks.

Law: the same key is in the same partition as long as the topic's partition count is the same.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from msgspec import Struct

from bridge.model.resource import Selection, split_key
from bridge.sink.records import framed

CORE = "core"
"""What {group} is for the core group, whose own name is empty."""
CLUSTER_SCOPED = "_cluster"
"""What {namespace} is for objects that have none. No namespace can be called so: their names hold no underscore."""

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9._-]")
_SEED, _M, _MASK = 0x9747B28C, 0x5BD1E995, 0xFFFFFFFF


class Target(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Place(Struct, frozen=True, gc=False):
    """Where the records of a key go, and the key as it lies in them (`records.framed`)."""

    target: Target
    key: bytes


class Displaced(Struct, frozen=True):
    """An object that consumers know at a place where it no longer belongs; *target* is None if that place is gone."""

    key: str
    uid: str
    target: Target | None


class Router:
    """Owns the partition counts of the stream's topics, and the place of every key that it was asked for.

    A place is remembered because the hash costs 3 us in Python, and looking it up in *places* 0.05 (measured).
    """

    def __init__(self, template: str, selection: Selection, cluster: str, counts: dict[str, int]) -> None:
        self._selection = selection
        self._resource = selection.resource.name
        self._template = _filled(template, selection, cluster)
        self._dynamic = "{namespace}" in self._template
        self._targets: dict[str, list[Target]] = {}
        self.places: dict[str, Place] = {}
        for topic, count in counts.items():
            self.learn(topic, count)

    @property
    def counts(self) -> dict[str, int]:
        """Topic -> partitions, of every topic that may be written to."""
        return {topic: len(targets) for topic, targets in self._targets.items()}

    def count(self, topic: str) -> int:
        """0 if *topic* is not one of them."""
        return len(self._targets.get(topic, ()))

    @property
    def targets(self) -> Iterator[Target]:
        """Every partition of every topic."""
        for targets in self._targets.values():
            yield from targets

    def learn(self, topic: str, count: int) -> None:
        """From now on *topic* may be written to, as one of *count* partitions."""
        assert count > 0
        assert topic not in self._targets, "a count never changes under remembered places"
        self._targets[topic] = [Target(topic, partition) for partition in range(count)]

    def fixed_topics(self) -> list[str]:
        """The topics that are known without any object."""
        if not self._dynamic:
            return [self._template]
        if not self._selection.resource.namespaced:
            return [self._topic_in("")]
        return [self._topic_in(self._selection.namespace)] if self._selection.namespace is not None else []

    def topic_of(self, key: str) -> str:
        return self._topic_in(split_key(key)[1]) if self._dynamic else self._template

    def place(self, key: str) -> Place | None:
        """None while the partition count of the key's topic is not known."""
        return self.places.get(key) or self._find(key)

    def forget(self, key: str) -> None:
        """The object is gone: so that memory holds the living only."""
        self.places.pop(key, None)

    def has_moved(self, key: str, before: "Router") -> bool:
        """Whether *key*, placed by *before*, belongs elsewhere, or nowhere: it is of another resource."""
        if key.partition("/")[0] != self._resource:
            return True
        topic = self.topic_of(key)
        if topic != before.topic_of(key):
            return True
        was, now = before.count(topic), self.count(topic)
        if was == 0 or now == 0:
            return True
        return was != now and partition_of(key.encode(), was) != partition_of(key.encode(), now)

    def _find(self, key: str) -> Place | None:
        targets = self._targets.get(self.topic_of(key))
        if targets is None:
            return None
        data = key.encode()
        place = self.places[key] = Place(targets[partition_of(data, len(targets))], framed(data))
        return place

    def _topic_in(self, namespace: str) -> str:
        return self._template.replace("{namespace}", legal(namespace or CLUSTER_SCOPED))


def displaced(index: dict[str, str], before: Router, now: Router) -> list[Displaced]:
    """Of the objects in *index* (key -> uid) those whose records went elsewhere by *before* than they go by *now*.

    *now* must know every topic that exists, *before* the counts that the records were placed by.
    """
    counts = now.counts
    moved = []
    for key in sorted(key for key in index if now.has_moved(key, before)):
        place = before.place(key)
        exists = place is not None and place.target.partition < counts.get(place.target.topic, 0)
        moved.append(Displaced(key, index[key], place.target if place is not None and exists else None))
    return moved


def legal(name: str) -> str:
    """*name* with `_` for everything that Kafka does not take in a topic's name. Names of Kubernetes hold no such."""
    return _ILLEGAL.sub("_", name)


def _filled(template: str, selection: Selection, cluster: str) -> str:
    """The template with everything put in but the namespace, which may be the object's."""
    resource = selection.resource
    values = {
        "resource": resource.name,
        "group": resource.group or CORE,
        "version": resource.version,
        "cluster": cluster,
    }
    return _PLACEHOLDER.sub(lambda found: legal(values[found[1]]) if found[1] in values else found[0], template)


def partition_of(key: bytes, partitions: int) -> int:
    """As `org.apache.kafka.clients.producer.internals.BuiltInPartitioner.partitionForKey`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """As `org.apache.kafka.common.utils.Utils.murmur2`, but unsigned."""
    m, mask = _M, _MASK
    length = len(data)
    h = _SEED ^ length
    whole = length >> 2
    for k in struct.unpack_from(f"<{whole}I", data):
        k = k * m & mask  # noqa: PLW2901 - the hash's own name for it
        h = (h * m & mask) ^ ((k ^ k >> 24) * m & mask)
    tail = data[whole << 2 :]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
