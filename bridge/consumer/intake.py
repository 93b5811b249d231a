"""A batch of one partition, taken whole or not at all: state and offset change together."""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from bridge.consumer.follower import Follower, Outcome
from bridge.consumer.records import Entry, Foreign, read
from bridge.consumer.state import Log, Store

SUSPICION = 100
"""Foreign records in a topic without any of ours: by then it is another format, not a stray record."""


class ForeignTopic(Exception):  # noqa: N818 - the word for what the other side did
    """There is nothing of the protocol in a topic. Nothing was taken from it."""


class Refused(Struct, frozen=True):
    """A record that is none of the protocol. It was passed over; the state is what it was."""

    log: Log
    offset: int
    why: str


class Lost(Struct, frozen=True):
    """The records from *offset* on are no longer there: deleted by retention, or the topic was made anew.

    Reading goes on at the beginning of what there is; objects are as they were, and exact from the next SYNCED on.
    """

    log: Log
    offset: int


Notice = Outcome | Refused | Lost


class Intake:
    """Owns what is remembered of foreign records: how many, and which topics have proved to be ours."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._follower = Follower(store)
        self._ours = {scope.topic for scope in store.chapters()}
        self.refused: Counter[str] = Counter()

    def take(self, log: Log, entries: Sequence[Entry]) -> list[Notice]:
        """What *entries*, in the order of the log, mean. What was taken before is skipped: it may come again."""
        notices: list[Notice] = []
        with self._store.transaction():
            begin = self._store.offset(log) or 0
            for entry in entries:
                if entry.offset >= begin:
                    notices += self._one(log, entry)
            if entries and entries[-1].offset >= begin:
                self._store.advance(log, entries[-1].offset + 1)
        return notices

    def has_none_of_ours(self, topic: str) -> bool:
        return topic not in self._ours and self.refused[topic] > 0

    def _one(self, log: Log, entry: Entry) -> Sequence[Notice]:
        keyed = read(entry.key, entry.value)
        if not isinstance(keyed, Foreign):
            self._ours.add(log.topic)
            return self._follower.take(log, keyed)
        self.refused[log.topic] += 1
        if self.has_none_of_ours(log.topic) and self.refused[log.topic] >= SUSPICION:
            raise ForeignTopic(foreign_topic(log.topic, self.refused[log.topic], keyed.why))
        return [Refused(log, entry.offset, keyed.why)]


def foreign_topic(topic: str, count: int, why: str) -> str:
    what = f"topic {topic} holds nothing of the bridge's: {count} records were read, and none is of the protocol"
    return f"{what}. The last one: {why}. Name the topic of a watch with `format: envelope`"
