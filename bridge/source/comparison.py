"""A LIST against the index: where what the cluster has and what consumers believe in are not the same."""

from msgspec import Struct

from bridge.model.event import Change
from bridge.model.position import NO_VERSION, ResourceVersion, is_newer
from bridge.source.frames import Page
from bridge.source.index import Index

ENOUGH = 1000
"""Differences that are remembered: more would prove nothing more, and a million take memory."""


class Entry(Struct, frozen=True):
    """Which state of an object the cluster has."""

    uid: str
    version: ResourceVersion


Differences = dict[str, Entry | None]
"""Key -> what the cluster has of an object of which consumers believe something else; None: it has none."""


class Comparison:
    """Owns what one LIST, page by page, has differed in, and the keys that it has not brought yet.

    *position* is how far the stream has seen everything. The index may lose objects between two pages, for deletes do
    not move the position; it must not gain any.
    """

    def __init__(self, index: Index, position: ResourceVersion) -> None:
        self._index = index
        self._position = position
        self._unseen = set(index.keys())
        self._differences: Differences = {}

    def add(self, page: Page) -> None:
        for change in page.changes:
            self._unseen.discard(change.key)
            if not self._is_known(change) and len(self._differences) < ENOUGH:
                self._differences[change.key] = Entry(change.uid, change.version)

    def end(self) -> Differences:
        """All that differs, once the last page was added: what the LIST has not brought is gone."""
        gone = sorted(key for key in self._unseen if self._index.known(key) is not None)
        room = ENOUGH - len(self._differences)
        return self._differences | dict.fromkeys(gone[:room])

    def _is_known(self, change: Change) -> bool:
        """Whether consumers believe in this very state. The index learns versions that it has never heard of.

        It knows none of what it has from Kafka alone; what is not newer than the position must have been said.
        """
        known = self._index.known(change.key)
        if known is None or known[0] != change.uid:
            return False
        if known[1] == NO_VERSION and not is_newer(change.version, self._position):
            self._index.learn(change.key, change.version)
            return True
        return known[1] == change.version


def lasting(before: Differences, now: Differences) -> Differences:
    """What was the same in two looks: the stream had all the time between them to say it, and has not.

    What the cluster has changed meanwhile is not judged: it may be on its way.
    """
    return {key: entry for key, entry in now.items() if key in before and before[key] == entry}
