"""The live objects of a stream, as consumers believe in them: what inferred deletes and audits compare with."""

from collections.abc import KeysView

from msgspec.structs import replace

from bridge.model.event import DELETED, Change, Event, Progress, Restarted, Synced
from bridge.model.position import NO_VERSION, ResourceVersion


class Index:
    """Owns key -> (uid, version) of every live object. The version is empty until the object is seen in this process.

    Invariant: between `Restarted` and `Synced`, *_unseen* holds the keys that the new epoch has not brought yet.
    """

    def __init__(self, uids: dict[str, str]) -> None:
        self._live = {key: (uid, NO_VERSION) for key, uid in uids.items()}
        self._unseen: set[str] | None = None

    def __len__(self) -> int:
        return len(self._live)

    def keys(self) -> KeysView[str]:
        return self._live.keys()

    def known(self, key: str) -> tuple[str, ResourceVersion] | None:
        """Uid and version of a live object."""
        return self._live.get(key)

    def learn(self, key: str, version: ResourceVersion) -> None:
        """A live object was found to be of *version*."""
        self._live[key] = (self._live[key][0], version)

    def apply(self, events: list[Event]) -> list[Event]:
        """The same events, completed.

        Objects whose uid the durable index must learn are marked fresh. A delete of what is not live is dropped:
        the position stays before a delete (see `Checkpoint.after`), so a resumed watch says the last ones again.
        Before each `Synced` stand the inferred deletes; an object that was made anew in the gap is deleted first.
        """
        told: list[Event] = []
        live, unseen, append = self._live, self._unseen, told.append
        for event in events:
            if type(event) is Change:
                key, uid = event.key, event.uid
                known = live.get(key)
                if event.type is DELETED:
                    if known is not None:
                        del live[key]
                        append(event)
                    continue
                if unseen is not None:
                    unseen.discard(key)
                live[key] = (uid, event.version)
                if known is not None and known[0] == uid:
                    append(event)
                    continue
                if known is not None and unseen is not None:
                    append(_inferred(key, known[0]))
                append(replace(event, fresh=True))
            else:
                unseen = self._mark(event, told)
        return told

    def _mark(self, marker: Restarted | Synced | Progress | Change, told: list[Event]) -> set[str] | None:
        match marker:
            case Restarted():
                self._unseen = set(self._live)
            case Synced():
                assert self._unseen is not None, "a snapshot has a beginning"
                told += [_inferred(key, self._live.pop(key)[0]) for key in sorted(self._unseen)]
                self._unseen = None
            case Progress() | Change():
                pass
        told.append(marker)
        return self._unseen


def _inferred(key: str, uid: str) -> Change:
    return Change(DELETED, key, uid, NO_VERSION, b"", inferred=True)
