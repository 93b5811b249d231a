"""What a consumer remembers: the objects, and how far each stream is. All of it per partition and per stream."""

import enum
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from msgspec import Struct

LOST = -1
"""The epoch of objects whose records since are missing: before every real one."""


class Log(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


class Scope(NamedTuple):
    """One stream in one partition: what is followed alone, and never waits for another one."""

    topic: str
    partition: int
    stream: str


class Held(Struct, frozen=True, gc=False):
    """An object that is believed to exist. *epoch* is that of the last record that said so.

    *oversize* is the size in bytes of an object of which only the metadata is here; 0: *body* is the whole.
    """

    epoch: int
    version: str
    body: bytes
    oversize: int = 0


class Standing(enum.Enum):
    """What is known of a stream in a partition."""

    JOINED = "joined"
    """Begun in the middle: the snapshot of the epoch was not read from its beginning."""
    RELISTING = "relisting"
    """RESTARTED was read, SYNCED was not: old objects are kept beside the new ones."""
    WHOLE = "whole"
    """The last snapshot was read completely: the objects are the cluster's."""
    PARTIAL = "partial"
    """SYNCED counts other objects than were read. Only the next epoch mends it."""


class Chapter(Struct, frozen=True):
    """Where a stream is in a partition: its newest epoch. *version*: all up to it has been said, empty if unknown."""

    epoch: int
    standing: Standing
    version: str = ""
    time: str = ""


class StoreFault(Exception):  # noqa: N818 - the word for what the other side did
    """The store cannot be used, or refused. Its text says what and the mend; what was committed before is untouched."""


class State(Protocol):
    """What the follower asks of a store. Every method takes effect at once; the store's owner makes batches of them."""

    def chapter(self, scope: Scope) -> Chapter | None: ...
    def turn(self, scope: Scope, chapter: Chapter) -> None:
        """From now on the stream is there."""

    def put(self, scope: Scope, key: str, held: Held) -> None: ...
    def drop(self, scope: Scope, key: str) -> bool:
        """Whether it was there."""

    def count(self, scope: Scope, epoch: int) -> int:
        """How many objects the epoch brought."""

    def sweep(self, scope: Scope, epoch: int) -> list[str]:
        """Drop what earlier epochs brought; the keys, sorted."""


class Store(State, Protocol):
    """A state with the offsets it belongs to."""

    def transaction(self) -> AbstractContextManager[None]:
        """What happens inside happens as a whole, or not at all if it raises."""

    def offset(self, log: Log) -> int | None:
        """The next one to be read; None: nothing of this partition has been."""

    def advance(self, log: Log, offset: int) -> None: ...
    def lose(self, log: Log) -> None:
        """The offset leads nowhere: what there is must be read from its beginning, and records are missing.

        Every stream in it is JOINED again. Its objects are kept, as of an epoch before all (`LOST`): the next SYNCED
        sweeps those that are not told of again.
        """

    def forget(self, log: Log) -> None:
        """There is no such partition any more: its objects go, and its offset."""

    def logs(self) -> list[Log]:
        """Those that something was read of, sorted."""

    def chapters(self) -> dict[Scope, Chapter]: ...
    def objects(self) -> Iterable[tuple[Scope, str, Held]]:
        """Everything that is held, with its scope and key, in no order."""

    def close(self) -> None: ...
