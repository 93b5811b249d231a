"""An API server that may say anything: a possible reply to every question, by a random choice."""

from random import Random

from bridge.model.event import Change
from bridge.model.position import ResourceVersion
from bridge.source.comparison import Entry
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import Bookmark, Frame, Page, Status, Undecodable
from bridge.source.states import (
    Compared,
    Comparing,
    Detached,
    Frames,
    Listing,
    Method,
    Newest,
    Opened,
    Over,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Unlisted,
    Unproven,
    Watching,
)
from tests.source.words import added, deleted, listed, modified

STATUSES = (0, 200, 400, 401, 403, 404, 405, 410, 422, 429, 500, 503, 504)
REASONS = ("", "", "", "Expired", "Gone", "StorageReadError")
ENDS = (Kind.NETWORK, Kind.SILENT, Kind.END, Kind.UNDECODABLE, Kind.CREDENTIALS)


class Server:
    """Owns its newest version: mostly that grows, now and then it is put back."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._version = 100

    def reply(self, state: State) -> Reply:
        if self._random.random() < 0.25:
            return self._fault(_phase(state))
        match state:
            case Unlisted(method=Method.STREAM) | Detached() | Silent():
                return Opened()
            case Watching() | Settling() if self._random.random() < 0.4:
                return Quiet()
            case Comparing() if self._random.random() < 0.8:
                return self._compared()
            case Unlisted() | Listing():
                return self._page(state)
            case Unproven():
                return Newest(ResourceVersion(self._random.choice([self._move(), self._move(), "", "0"])))
            case Streaming():
                return Frames([self._frame(initial=True) for _ in range(self._random.randint(1, 4))])
            case Watching() | Comparing() | Settling():
                return Frames([self._frame(initial=False) for _ in range(self._random.randint(1, 4))])
            case Over():
                raise AssertionError("nothing is asked")

    def _move(self) -> str:
        self._version = max(1, self._version + self._random.choice([0, 1, 1, 1, 2, 9, -1, -30]))
        return str(self._version)

    def _name(self) -> str:
        return self._random.choice("abc")

    def _uid(self) -> str:
        return self._random.choice(["uid-1", "uid-2"])

    def _page(self, state: Unlisted | Listing) -> Page:
        names = self._random.sample("abcd", self._random.randint(0, 4))
        changes = [listed(name, self._move(), self._uid()) for name in names]
        same = state.version if isinstance(state, Listing) else self._move()
        version = self._random.choice([same, same, same, self._move(), "0"])
        return Page(changes, ResourceVersion(version), self._random.choice(["", "token"]))

    def _compared(self) -> Compared:
        version = ResourceVersion(self._random.choice([self._move(), self._move(), self._move(), "0"]))
        if self._random.random() < 0.3:
            return Compared(version, "token")
        names = self._random.sample("abc", self._random.choice([0, 0, 1, 2]))
        entries = {f"pods/default/{name}": self._random.choice([None, Entry("uid-1", version)]) for name in names}
        return Compared(version, differences=entries)

    def _frame(self, *, initial: bool) -> Frame:
        match self._random.randint(0, 11):
            case 0:
                return Status("Status", self._random.choice(STATUSES), self._random.choice(REASONS))
            case 1:
                return Undecodable("spoilt", b"{")
            case 2 | 3:
                version = self._random.choice([self._move(), self._move(), "", "0"])
                return Bookmark(ResourceVersion(version), initial and self._random.random() < 0.7)
            case 4 | 5:
                return deleted(self._name(), self._move(), self._uid()) if not initial else self._added()
            case 6 | 7:
                return modified(self._name(), self._move(), self._uid())
            case _:
                return self._added()

    def _added(self) -> Change:
        return added(self._name(), self._move(), self._uid())

    def _fault(self, phase: Phase) -> Fault:
        frames, age = self._random.randint(0, 2), self._random.choice([0.1, 100.0])
        if phase is not Phase.STREAM and self._random.random() < 0.5:
            status, absent = self._random.choice(STATUSES), self._random.random() < 0.7
            return Fault(phase, Kind.HTTP, status, self._random.choice(REASONS), absent=status == 404 and absent)
        return Fault(phase, self._random.choice(ENDS), frames=frames, age=age)


def _phase(state: State) -> Phase:
    match state:
        case Unlisted(method=Method.STREAM) | Streaming():
            return Phase.INITIAL
        case Unlisted():
            return Phase.LIST
        case Listing():
            return Phase.PAGE
        case Unproven():
            return Phase.PROBE
        case Detached():
            return Phase.OPEN
        case Watching() | Settling():
            return Phase.STREAM
        case Silent():
            return Phase.OPEN
        case Comparing():
            return Phase.PAGE if state.token else Phase.LIST
        case Over():
            raise AssertionError("nothing is asked")
