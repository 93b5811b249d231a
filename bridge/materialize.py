"""The composition root of `event-bridge materialize`: from an order to a database that follows topics."""

import asyncio
import functools
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.consumer.intake import ForeignTopic, Notice
from bridge.consumer.loop import Loop, LoopFault
from bridge.consumer.state import Chapter, Scope, StoreFault
from bridge.consumer.stores.sqlite import SqliteStore
from bridge.following import Waiting, absent, only_foreign, patiently, present, until_signal
from bridge.sink.connection import KafkaFault, settings


class Order(Struct, frozen=True):
    """What to read, from where, and the file to keep it in. *topics* are regular expressions, of whole names.

    *group*: share the partitions with others of that group; None: read all of them. *once*: end when all is read.
    """

    kafka: Kafka
    topics: tuple[str, ...]
    database: Path
    group: str | None
    once: bool


class Result(Struct, frozen=True):
    """How it ended. *objects*: resource -> how many are in the database; *problem* is empty if all is well."""

    problem: str
    objects: dict[str, int]
    chapters: dict[Scope, Chapter]


Tell = Callable[[Sequence[Notice | Waiting]], None]


def run(order: Order, tell: Tell) -> Result:
    """Follow until SIGTERM or Ctrl-C. *tell* hears of every batch that is in the database."""
    try:
        store = SqliteStore(order.database)
    except StoreFault as fault:
        return Result(f"{fault}", {}, {})
    try:
        problem = asyncio.run(_follow(order, store, tell))
        return Result(problem, store.tally(), store.chapters())
    except StoreFault as fault:
        return Result(f"{fault}", {}, {})
    finally:
        store.close()


async def _follow(order: Order, store: SqliteStore, tell: Tell) -> str:
    """Until a signal, or what no waiting mends; in words, empty if nothing."""

    async def attempt(stopping: asyncio.Event) -> str:
        return await _attempt(order, store, tell, stopping)

    async def persist(stopping: asyncio.Event) -> str:
        if order.once:
            return await attempt(stopping)
        return await patiently(attempt, store.position, tell, stopping)

    try:
        return await until_signal(persist)
    except (KafkaFault, LoopFault, ForeignTopic, StoreFault) as fault:
        return f"{fault}"


async def _attempt(order: Order, store: SqliteStore, tell: Tell, stopping: asyncio.Event) -> str:
    """Every try begins where the store is."""
    if missing := await absent(order.kafka, order.topics, {log.topic for log in store.logs()}):
        return missing
    topics = functools.partial(present, order.kafka, order.topics)
    loop = Loop(store, topics, tell, settings(order.kafka), order.group)
    await loop.run(stopping, once=order.once)
    return only_foreign(loop.foreign())


_UNKNOWN = {
    "{group}": "[a-z0-9.-]+",
    "{version}": "v[a-z0-9]+",
    "{namespace}": "[a-zA-Z0-9_-]+",
    "{cluster}": "[a-zA-Z0-9._-]+",
}


def topics_of_watches(config: Config) -> tuple[str, ...]:
    """What the topics of *config* are called, as far as it can be told without the API server."""
    specs = streams(config)
    patterns = (_pattern(spec.watch.topic, spec.watch.resource, spec.namespace, config.cluster) for spec in specs)
    return tuple(dict.fromkeys(patterns))


def _pattern(template: str, resource: str, namespace: str | None, cluster: str | None) -> str:
    """The resource's name has its group behind it, which the file may leave out."""
    known = {"{namespace}": namespace, "{cluster}": cluster}
    values = _UNKNOWN | {name: re.escape(text) for name, text in known.items() if text}
    values["{resource}"] = re.escape(resource.partition(".")[0]) + r"(\.[a-z0-9.-]+)?"
    parts = re.split(r"(\{[a-z]+\})", template)
    return "".join(values.get(part, re.escape(part)) for part in parts)
