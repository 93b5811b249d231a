"""The two ways in which consumers build the state of a stream from what they are told. Both must always agree."""

from bridge.model.event import Change, ChangeType, Event, Progress, Restarted, Synced

Objects = dict[str, str]
"""Key -> uid."""


def apply(objects: Objects, change: Change) -> None:
    if change.type is ChangeType.DELETED:
        objects.pop(change.key, None)
    else:
        objects[change.key] = change.uid


class Plain:
    """Knows no markers: what is said to be deleted is deleted, anything else is there."""

    def __init__(self) -> None:
        self.objects: Objects = {}

    def read(self, event: Event) -> None:
        if isinstance(event, Change):
            apply(self.objects, event)


class Sweeping:
    """Knows markers, and ignores what is inferred: an epoch is a new set, in the old one's place from its end on."""

    def __init__(self) -> None:
        self.objects: Objects = {}
        self._next: Objects | None = None

    def read(self, event: Event) -> None:
        match event:
            case Restarted():
                self._next = {}
            case Synced():
                assert self._next is not None
                self.objects, self._next = self._next, None
            case Change(inferred=True) | Progress():
                pass
            case Change():
                apply(self.objects if self._next is None else self._next, event)
