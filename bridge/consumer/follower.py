"""Mark and sweep: follows streams record by record, as `docs/protocol.md`, section 3, says. No I/O, no clock.

Law: what a stream says in a partition is judged by that alone. Old objects are served until SYNCED of their own scope.
"""

from msgspec import UNSET, Struct
from msgspec.structs import replace

from bridge.consumer.records import Added, Deleted, Keyed, Listed, Modified, Previous, Progress, Restarted, Synced
from bridge.consumer.state import Chapter, Held, Log, Scope, Standing, State


class Upsert(Struct, frozen=True):
    """The object is there, and this is how it is now. *change* is the record's type."""

    scope: Scope
    key: str
    held: Held
    change: str


class Delete(Struct, frozen=True):
    """The object is gone. *inferred*: that was found out after a gap."""

    scope: Scope
    key: str
    inferred: bool


class GapOpened(Struct, frozen=True):
    """A new epoch: between *previous* and its `Resynced` changes may be missing. The old objects stay until then."""

    scope: Scope
    epoch: int
    reason: str
    message: str
    previous: Previous | None


class Resynced(Struct, frozen=True):
    """The snapshot is complete. *swept* are the keys of what it did not bring: they are gone, with no `Delete` each.

    Not *whole*: *listed* objects were read of the *promised* ones, for the snapshot was not read from its beginning.
    """

    scope: Scope
    epoch: int
    version: str
    swept: tuple[str, ...]
    listed: int
    promised: int

    @property
    def whole(self) -> bool:
        return self.listed == self.promised


Outcome = Upsert | Delete | GapOpened | Resynced


class Follower:
    """Owns nothing but the way to *state*, in which everything that it knows is kept."""

    def __init__(self, state: State) -> None:
        self._state = state

    def take(self, log: Log, keyed: Keyed) -> list[Outcome]:
        """What the record means. Nothing, if it is a repetition, PROGRESS, or of an epoch that is over."""
        record = keyed.record
        scope = Scope(log.topic, log.partition, record.stream)
        chapter = self._state.chapter(scope)
        if chapter is not None and record.epoch < chapter.epoch:
            return []
        if chapter is None or record.epoch > chapter.epoch:
            chapter = Chapter(record.epoch, Standing.JOINED)
            self._state.turn(scope, chapter)
        match record:
            case Added() | Modified() | Listed():
                return self._put(scope, keyed.key, record)
            case Deleted(inferred=inferred):
                return [Delete(scope, keyed.key, inferred)] if self._state.drop(scope, keyed.key) else []
            case Restarted():
                return self._open(scope, chapter, record)
            case Synced():
                return self._sync(scope, chapter, record)
            case Progress(resource_version=version, time=time):
                self._state.turn(scope, replace(chapter, version=version, time=time))
                return []

    def _put(self, scope: Scope, key: str, record: Added | Modified | Listed) -> list[Outcome]:
        oversize = record.oversize if record.oversize is not UNSET else 0
        held = Held(record.epoch, record.resource_version, bytes(record.object), oversize)
        self._state.put(scope, key, held)
        return [Upsert(scope, key, held, str(type(record).__struct_config__.tag))]

    def _open(self, scope: Scope, chapter: Chapter, record: Restarted) -> list[Outcome]:
        """Said again by at-least-once, it opens nothing."""
        if chapter.standing is not Standing.JOINED:
            return []
        self._state.turn(scope, replace(chapter, standing=Standing.RELISTING))
        return [GapOpened(scope, record.epoch, record.reason, record.message, record.previous)]

    def _sync(self, scope: Scope, chapter: Chapter, record: Synced) -> list[Outcome]:
        """Before SYNCED an epoch brings nothing but LISTED records: what is there of it now is what was listed."""
        if chapter.standing in (Standing.WHOLE, Standing.PARTIAL):
            return []
        listed = self._state.count(scope, record.epoch)
        promised = record.objects if record.objects is not UNSET else listed
        swept = self._state.sweep(scope, record.epoch)
        standing = Standing.WHOLE if listed == promised else Standing.PARTIAL
        self._state.turn(scope, Chapter(record.epoch, standing, record.resource_version, record.time))
        return [Resynced(scope, record.epoch, record.resource_version, tuple(swept), listed, promised)]
