"""Kafka around the follower: reads committed records from where the store is, whatever Kafka does meanwhile.

The store alone knows the offsets; Kafka's group, if there is one, only shares out the partitions.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition, errors

from bridge.consumer.intake import Intake, Lost, Notice
from bridge.consumer.records import Entry
from bridge.consumer.state import Log, Store

WAIT_MS = 500
"""How long a look for records waits: so long, at most, does an idle loop need to see that it is to stop."""
BATCH = 2000
"""Records of one look, in one transaction: SQLite takes 78,000 small ones a second (measured)."""
RENEWAL = 30.0
"""Seconds between looks for new topics and partitions."""
ANSWER = 30.0
"""Seconds for one question to Kafka: a broker that restarts is back by then."""
PATIENCE = 90.0
"""Seconds without any progress to an end that is known. Transactions end after 15 s unless told otherwise, and a broker
that was killed is back after 30: longer, and somebody has to look."""
LEAVE = 5.0
"""Seconds to say goodbye. The group would notice by itself, later."""

Topics = Callable[[], Awaitable[Mapping[str, int] | None]]
"""Topic -> partitions, of what is to be read, as it is now; None: it cannot be found out now."""
Tell = Callable[[Sequence[Notice]], None]


class Taker(Protocol):
    """What takes the records: an `Intake`, or what stands around one to see more of them."""

    def take(self, log: Log, entries: Sequence[Entry]) -> Sequence[Notice]: ...
    def has_none_of_ours(self, topic: str) -> bool: ...


class LoopFault(Exception):  # noqa: N818 - the word for what the other side did
    """Kafka refuses, or does not go on. Its text says what and the mend; the store is as of the last batch."""


class RefusedFault(LoopFault):
    """As above, and nothing changes until somebody changes a permission."""


class Loop:
    """Owns the consumer. *tell* hears of every batch after it is in the store."""

    def __init__(
        self,
        store: Store,
        topics: Topics,
        tell: Tell,
        settings: dict[str, Any],
        group: str | None,
        taker: Taker | None = None,
    ) -> None:
        """*taker* takes the records for *store*; an `Intake` unless told otherwise."""
        self._store = store
        self._topics = topics
        self._tell = tell
        self._settings = settings
        self._grouped = group is not None
        self._intake = taker if taker is not None else Intake(store)
        self._known: Mapping[str, int] = {}
        self._renewed = 0.0
        self._consumer = self._make("read_committed", group_id=group)

    async def run(self, stopping: asyncio.Event, *, once: bool) -> None:
        """Until *stopping* is set, or, *once*, all is read that was there when this was called."""
        try:
            async with asyncio.timeout(ANSWER):
                await self._consumer.start()
            await self._renew()
            ends = await self._ends() if once else {}
            await self._lose({place: at for place, end in ends.items() if (at := await self._position(place)) > end})
            moved = time.monotonic()
            while not stopping.is_set() and not (once and await self._reached(ends)):
                if await self._look():
                    moved = time.monotonic()
                elif once and time.monotonic() - moved > PATIENCE:
                    raise LoopFault(await self._stuck(ends))
                if time.monotonic() - self._renewed > RENEWAL:
                    await self._renew()
        except errors.KafkaError as error:
            raise fault_of(error) from error
        except TimeoutError as error:
            raise LoopFault(f"Kafka did not answer within {ANSWER:g} s") from error
        finally:
            await stop(self._consumer)

    def foreign(self) -> list[str]:
        """The topics of which everything was refused."""
        return sorted(topic for topic in self._known if self._intake.has_none_of_ours(topic))

    async def _look(self) -> bool:
        """One turn; whether records came."""
        try:
            found = await self._consumer.getmany(timeout_ms=WAIT_MS, max_records=BATCH)
        except errors.OffsetOutOfRangeError as error:
            await self._lose(error.args[0])
            return True
        for place, messages in found.items():
            entries = [Entry(message.offset, message.key, message.value) for message in messages]
            self._tell(await asyncio.to_thread(self._intake.take, Log(place.topic, place.partition), entries))
        return bool(found)

    async def _lose(self, places: Mapping[TopicPartition, int]) -> None:
        for place, offset in places.items():
            log = Log(place.topic, place.partition)
            await asyncio.to_thread(_committed, self._store, self._store.lose, log)
            self._tell([Lost(log, offset)])
        await self._seek(places)

    async def _renew(self) -> None:
        """Take up new topics and partitions; drop what is held of partitions that are no more."""
        found = await self._topics()
        self._renewed = time.monotonic()
        if found is None or found == self._known:
            return
        for log in await asyncio.to_thread(self._store.logs):
            if log.partition >= found.get(log.topic, log.partition + 1):
                await asyncio.to_thread(_committed, self._store, self._store.forget, log)
        if self._grouped:
            if found.keys() != self._known.keys():
                self._consumer.subscribe(sorted(found), listener=_Listener(self._seek))
        else:
            places = [TopicPartition(topic, number) for topic, count in found.items() for number in range(count)]
            self._consumer.assign(places)
            await self._seek(places)
        self._known = found

    async def _seek(self, places: Iterable[TopicPartition]) -> None:
        """To where the store is; to the beginning of what there is where it has nothing."""
        unknown = []
        for place in places:
            offset = await asyncio.to_thread(self._store.offset, Log(place.topic, place.partition))
            if offset is None:
                unknown.append(place)
            else:
                self._consumer.seek(place, offset)
        if unknown:
            async with asyncio.timeout(ANSWER):
                begins = await self._consumer.beginning_offsets(unknown)
            for place, offset in begins.items():
                self._consumer.seek(place, offset)

    async def _ends(self) -> dict[TopicPartition, int]:
        """The high watermarks: what is committed may lie behind the last stable offset for a moment."""
        consumer = self._make("read_uncommitted")
        try:
            async with asyncio.timeout(ANSWER):
                await consumer.start()
                return dict(await consumer.end_offsets(list(self._consumer.assignment())))
        finally:
            await stop(consumer)

    async def _reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        return all([await self._position(place) >= end for place, end in ends.items()])

    async def _stuck(self, ends: Mapping[TopicPartition, int]) -> str:
        behind = [(place, at, end) for place, end in ends.items() if (at := await self._position(place)) < end]
        where = ", ".join(f"{place.topic}[{place.partition}] at {at} of {end}" for place, at, end in behind)
        return (
            f"no committed record for {PATIENCE:g} s in {where}: an open transaction holds them, or there is no leader"
        )

    async def _position(self, place: TopicPartition) -> int:
        """Where reading goes on. Known at once: every place that we are given is sought by us."""
        return int(await self._consumer.position(place))

    def _make(self, isolation: str, **more: str | None) -> AIOKafkaConsumer:
        """Never resets an offset by itself: that would pass over records in silence."""
        return AIOKafkaConsumer(
            isolation_level=isolation, enable_auto_commit=False, auto_offset_reset="none", **more, **self._settings
        )


class _Listener(ConsumerRebalanceListener):
    """What the group gives us is read on from where the store is. What it takes away needs nothing: all is stored."""

    def __init__(self, seek: Callable[[Iterable[TopicPartition]], Awaitable[None]]) -> None:
        self._seek = seek

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """A batch that is being taken still goes into the store: should it come again, it is skipped."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._seek(assigned)


def _committed(store: Store, act: Callable[[Log], None], log: Log) -> None:
    with store.transaction():
        act(log)


async def stop(consumer: AIOKafkaConsumer) -> None:
    """The client's own stop has no deadline."""
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait({stopping}, timeout=LEAVE)
    stopping.cancel()


def fault_of(error: errors.KafkaError) -> LoopFault:
    match error:
        case errors.TopicAuthorizationFailedError():
            return RefusedFault(f"no permission to read {error.args[0]}. Allow Read and Describe on it")
        case errors.GroupAuthorizationFailedError():
            return RefusedFault(f"no permission for the group {error.args[0]}. Allow Read on it, or leave --group out")
        case _:
            return LoopFault(f"Kafka: {error!r}")
