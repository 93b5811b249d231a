"""Kafka around the reading: what `event-bridge tail` runs, from an order to tellings until it is ended."""

import asyncio
import functools
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from bridge.config.kafka import Kafka
from bridge.consumer.begins import beginnings, ends, times
from bridge.consumer.intake import ForeignTopic, Lost, Notice
from bridge.consumer.loop import Loop, LoopFault
from bridge.consumer.state import Log
from bridge.following import Waiting, absent, only_foreign, patiently, present, topics, until_signal
from bridge.sink.connection import KafkaFault, settings
from bridge.tail.reading import Reading, Told
from bridge.tail.since import At, Beginning, Now, Since

Tell = Callable[[Sequence[Told | Lost | Waiting]], None]


class Order(Struct, frozen=True):
    """What to read, from where, since when. *topics* are regular expressions, of whole names."""

    kafka: Kafka
    topics: tuple[str, ...]
    since: Since
    once: bool


def run(order: Order, reading: Reading, tell: Tell) -> str:
    """Until SIGTERM, Ctrl-C, a violation or, *once*, the end. What went wrong with Kafka, in words; empty: nothing."""
    try:
        return asyncio.run(until_signal(functools.partial(_follow, _Follow(order, reading, tell))))
    except (KafkaFault, LoopFault, ForeignTopic) as fault:
        return f"{fault}"


async def _follow(follow: "_Follow", stopping: asyncio.Event) -> str:
    if follow.order.once:
        return await follow.attempt(stopping)
    return await patiently(follow.attempt, follow.position, follow.tell, stopping)


class _Follow:
    """Owns whether it is known where to begin: an attempt after that goes on where the one before it was."""

    def __init__(self, order: Order, reading: Reading, tell: Tell) -> None:
        self.order = order
        self.tell = tell
        self._reading = reading
        self._begun = False

    def position(self) -> int:
        return self._reading.records

    async def attempt(self, stopping: asyncio.Event) -> str:
        kafka, store = self.order.kafka, self._reading.store
        if missing := await absent(kafka, self.order.topics, {log.topic for log in store.logs()}):
            return missing
        if not self._begun:
            self._reading.begin(await _begins(self.order))
            self._begun = True

        def hear(notices: Sequence[Notice]) -> None:
            lost = [notice for notice in notices if isinstance(notice, Lost)]
            for notice in lost:
                self._reading.lose(notice.log)
            self.tell([*lost, *self._reading.collect()])
            if self._reading.violation is not None:
                stopping.set()

        find = functools.partial(present, kafka, self.order.topics)
        loop = Loop(store, find, hear, settings(kafka), None, self._reading)
        await loop.run(stopping, once=self.order.once)
        return only_foreign(loop.foreign())


async def _begins(order: Order) -> Mapping[Log, int]:
    found, how = await topics(order.kafka, order.topics), settings(order.kafka)
    match order.since:
        case Now():
            return await ends(found, how)
        case Beginning():
            return await beginnings(found, how)
        case At(time_ms=time_ms):
            return await times(found, how, time_ms)
