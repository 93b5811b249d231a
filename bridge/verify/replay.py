"""The topics' half: what a consumer that reads them from the beginning to now believes in."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bridge.config.kafka import Kafka
from bridge.consumer.intake import Notice
from bridge.consumer.loop import Loop
from bridge.consumer.state import Held, Scope, Standing
from bridge.consumer.stores.memory import MemoryStore
from bridge.sink.connection import ANSWER, connected, faults, settings
from bridge.sink.metadata import topics_of
from bridge.verify.compare import Entry

CUT = "the last snapshot was not read whole (retention?): what was told before is not in the topic any more"
GAP = "a relist is under way: the snapshot is not complete"


class _Meta(Struct, frozen=True):
    uid: str = ""


class _Object(Struct, frozen=True):
    metadata: _Meta = _Meta()


_object = msgspec.json.Decoder(_Object).decode


class _Uids(MemoryStore):
    """Keeps an object's uid in the place of its body: a topic may hold more than the memory."""

    def put(self, scope: Scope, key: str, held: Held) -> None:
        super().put(scope, key, replace(held, body=_uid(held.body)))


def _uid(body: bytes) -> bytes:
    try:
        return _object(body).metadata.uid.encode()
    except msgspec.DecodeError:  # the bridge was told to drop it, or wrote none: it proves nothing
        return b""


class Replay:
    """Owns what was read so far: each `read` goes on from there."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._store = _Uids()
        self.partitions: Mapping[str, int] = {}
        """Of the topics that the last `read` was asked for and that exist."""

    async def read(self, topics: Collection[str]) -> None:
        """To the end of now. Raises `KafkaFault`, `LoopFault` or `ForeignTopic`."""
        async with faults(self._kafka, "read the list of topics", 2 * ANSWER), connected(self._kafka) as client:
            found = await topics_of(client, topics) if topics else {}
        self.partitions = {topic: len(listed.leaders) for topic, listed in found.items()}
        if self.partitions:
            loop = Loop(self._store, self._known, _ignore, settings(self._kafka), None)
            await loop.run(asyncio.Event(), once=True)

    def entries(self, stream: str) -> dict[str, Entry]:
        """What it says exists. A key at two places is being moved: the higher epoch is the newer."""
        newest: dict[str, Held] = {}
        for scope, key, held in self._store.objects():
            if scope.stream == stream and (key not in newest or newest[key].epoch < held.epoch):
                newest[key] = held
        return {key: Entry(held.body.decode(), held.version) for key, held in newest.items()}

    def notes(self, stream: str) -> tuple[str, ...]:
        """Why it may rightly not be what the cluster is."""
        notes = {
            CUT: [Standing.JOINED, Standing.PARTIAL],
            GAP: [Standing.RELISTING],
        }
        standings = {chapter.standing for scope, chapter in self._store.chapters().items() if scope.stream == stream}
        return tuple(note for note, of in notes.items() if standings.intersection(of))

    def has_heard(self, stream: str) -> bool:
        return any(scope.stream == stream for scope in self._store.chapters())

    async def _known(self) -> Mapping[str, int]:
        return self.partitions


def _ignore(_: Sequence[Notice]) -> None:
    """What a batch meant is of no interest, only what it left."""
