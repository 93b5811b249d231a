"""The composition root of `event-bridge materialize`: from an order to a database that follows topics."""

import asyncio
import contextlib
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.consumer.intake import ForeignTopic, Notice
from bridge.consumer.loop import Loop, LoopFault, RefusedFault
from bridge.consumer.state import Chapter, Scope, StoreFault
from bridge.consumer.stores.sqlite import SqliteStore
from bridge.retry import Backoff
from bridge.sink.connection import ANSWER, KafkaFault, SettingFault, connected, faults, settings, topics_of


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


class Waiting(Struct, frozen=True):
    """Kafka is away: the next try is in *seconds*."""

    why: str
    seconds: float


Tell = Callable[[Sequence[Notice | Waiting]], None]
GRACE = 4.0
"""Seconds that a batch, and a good-bye to Kafka, have after a signal: a service manager kills after 10."""


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
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    following = asyncio.ensure_future(_persist(order, store, tell, stopping))
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({following, stop}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({following}, timeout=GRACE)
    stop.cancel()
    if not following.done():  # it waits for an answer of Kafka's: nothing of it is in the store yet
        following.cancel()
        return ""
    try:
        return following.result()
    except (KafkaFault, LoopFault, ForeignTopic, StoreFault) as fault:
        return f"{fault}"


async def _persist(order: Order, store: SqliteStore, tell: Tell, stopping: asyncio.Event) -> str:
    """What is merely away is waited for, unless all is to be read *once*. Every try begins where the store is."""
    backoff = Backoff()
    while not stopping.is_set():
        began = store.position()
        try:
            return await _attempt(order, store, tell, stopping)
        except (SettingFault, RefusedFault):
            raise
        except (KafkaFault, LoopFault) as fault:
            if order.once:
                raise
            if store.position() != began:
                backoff.reset()
            seconds = backoff.next()
            tell([Waiting(f"{fault}", seconds)])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), seconds)
    return ""


async def _attempt(order: Order, store: SqliteStore, tell: Tell, stopping: asyncio.Event) -> str:
    if missing := _missing(order, await _topics(order)):
        if {log.topic for log in store.logs()} & set(missing.split(", ")):  # brokers that start know little
            raise KafkaFault(f"topic {missing} is not there any more, or not yet again")
        mend = "Correct the name, allow Describe on it, or start the bridge first: it makes its topics"
        return f"there is no topic {missing}, or no permission to see it. {mend}"
    loop = Loop(store, lambda: _topics_or_none(order), tell, settings(order.kafka), order.group)
    await loop.run(stopping, once=order.once)
    if foreign := loop.foreign():
        return f"nothing in {', '.join(foreign)} is a record of the bridge's. Name the topic of a watch"
    return ""


async def _topics_or_none(order: Order) -> Mapping[str, int] | None:
    """While brokers are away the topics stay what they were."""
    try:
        return await _topics(order)
    except KafkaFault:
        return None


async def _topics(order: Order) -> Mapping[str, int]:
    """Every topic of the order that exists, with its partitions."""
    wanted = [re.compile(pattern) for pattern in order.topics]
    async with faults(order.kafka, "read the list of topics", 2 * ANSWER), connected(order.kafka) as client:
        names = (await client.fetch_all_metadata()).topics()
        mine = [name for name in names if any(pattern.fullmatch(name) for pattern in wanted)]
        found = await topics_of(client, mine) if mine else {}
    return {topic: len(leaders) for topic, leaders in sorted(found.items())}


def _missing(order: Order, found: Mapping[str, int]) -> str:
    """The topics that should be there and are not. Of those whose names the file does not tell, any one is enough."""
    names = [_plain(pattern) for pattern in order.topics]
    sure = [name for name, pattern in zip(names, order.topics, strict=True) if re.escape(name) == pattern]
    missing = [name for name in sure if name not in found]
    return ", ".join(missing) if found else " or ".join(names)


def _plain(pattern: str) -> str:
    return re.sub(r"\\(.)", r"\1", pattern)


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
