"""What the board holds of one stream. Times are values: seconds since 1970."""

from collections import deque
from collections.abc import Iterable

from msgspec.structs import replace

from bridge.web.document import Restart, StreamState
from bridge.web.gaps import gaps_of
from bridge.web.rates import Rates
from bridge.web.readiness import doubt

KEPT = 50
"""Restarts of a stream that are remembered: a storm of them must not cost memory."""
STATES = ("waiting", "starting", "relisting", "live", "verifying", "delayed", "failed")


class Entry:
    """Owns what is known of a stream, from when it is acquired until it is released."""

    def __init__(self, name: str, resource: str, stale_after: float, now: float) -> None:
        self.name = name
        self._resource = resource
        self._stale_after = stale_after
        self._state, self._since = "waiting", now
        self._taking = self._relisting = self._hears = self._delayed = self._reading = False
        self._doing = ""
        self._failure = self._trouble = ""
        self._topics: Iterable[str] = ()
        self._epoch: int | None = None
        self._version: str | None = None
        self._position = self._frame = self._verified = 0.0
        self._oldest: float | None = None
        self._buffer = self._limit = self._records = self._recoveries = 0
        self._objects: int | None = None
        self._rates = Rates(now)
        self._restarts: deque[Restart] = deque(maxlen=KEPT)

    def taken_over(self, now: float) -> None:
        """It is ours, and Kafka is asked what there is of it."""
        self._taking = True
        self._settle(now)

    def begins(self, epoch: int, version: str, position: float, now: float, *, relisting: bool) -> None:
        """At its checkpoint. *position*: when it was learnt; 0: there is none."""
        self._epoch, self._version, self._position = epoch or None, version or None, position
        self._relisting = relisting
        self._settle(now)

    def recalled(self, restart: Restart) -> None:
        """Why its epoch began, if we do not know that ourselves."""
        if not any(known.epoch == restart.epoch for known in self._restarts):
            self._restarts.append(restart)

    def started(self, topics: Iterable[str], objects: int) -> None:
        self._topics, self._objects = topics, objects

    def moved(self, doing: str, now: float, *, hears: bool) -> None:
        """What it does at the API server; *hears*: a watch is open."""
        self._doing, self._hears = doing, hears
        self._settle(now)

    def heard(self, objects: int, now: float) -> None:
        """The API server has told something: what it was troubled by is over."""
        self._frame, self._objects = now, objects
        if self._trouble and self._reading:
            self._fine(now)

    def verified(self, now: float) -> None:
        self._verified = now

    def buffered(self, size: int, limit: int, waited: float, now: float) -> None:
        """Until the next commit the oldest is the one that was, also if the attempt that read it is over."""
        self._buffer, self._limit = size, limit
        if size and self._oldest is None:
            self._oldest = now - waited
            self._settle(now)

    def committed(self, records: int, version: str, position: float, topics: Iterable[str], now: float) -> None:
        self._topics = topics
        self._rates.add(records, now)
        self._records += records
        self._version, self._position = version or self._version, position or self._position
        self._oldest = None
        self._fine(now)

    def restarted(self, restart: Restart, now: float) -> None:
        self._restarts.append(restart)
        self._epoch, self._relisting = restart.epoch, True
        self._settle(now)

    def synced(self, now: float) -> None:
        self._relisting = False
        if self._restarts:
            self._restarts[-1] = replace(self._restarts[-1], synced=now)
        self._settle(now)

    def delayed(self, what: str, now: float) -> None:
        self._delayed, self._trouble, self._reading = True, what, bool(self._doing)
        self._settle(now)

    def recovers(self, error: str, now: float) -> None:
        """The attempt is over: another begins at the checkpoint."""
        self._recoveries += 1
        self._trouble, self._reading = error, False
        self._doing, self._hears = "", False
        self._settle(now)

    def failed(self, what: str, now: float) -> None:
        self._failure = what
        self._settle(now)

    def read(self, now: float) -> StreamState:
        """As `/status` has it."""
        age = max(0.0, now - self._position) if self._position else None
        trouble = self._failure or self._trouble
        why = doubt(self._state, trouble, age, self._stale_after)
        return StreamState(
            name=self.name,
            resource=self._resource,
            topics=tuple(sorted(self._topics)),
            state=self._state,
            since=self._since,
            ready=not why,
            why=why,
            trouble=trouble,
            epoch=self._epoch,
            resource_version=self._version,
            position_time=self._position or None,
            position_age=age,
            stale_after=self._stale_after,
            last_frame_time=self._frame or None,
            verified_time=self._verified or None,
            lag=max(0.0, now - self._oldest) if self._oldest is not None else 0.0,
            buffer_bytes=self._buffer,
            buffer_limit=self._limit,
            objects=self._objects,
            records=self._records,
            recoveries=self._recoveries,
            rates=self._rates.read(now),
            restarts=tuple(self._restarts),
            gaps=gaps_of(self._restarts),
        )

    def _fine(self, now: float) -> None:
        self._delayed, self._trouble = False, ""
        self._settle(now)

    def _settle(self, now: float) -> None:
        state = self._judge()
        if state != self._state:
            self._state, self._since = state, now

    @property
    def _is_held_up(self) -> bool:
        """By Kafka: what the API server says gets no further."""
        return not self._reading and self._oldest is not None

    def _judge(self) -> str:
        if self._failure:
            return "failed"
        if self._delayed and (not self._hears or self._is_held_up):
            return "delayed"
        if self._doing and self._relisting:
            return "relisting"
        match self._doing:
            case "watching":
                return "live"
            case "verifying":
                return "verifying"
            case "relisting":
                return "relisting"
            case _:
                return "starting" if self._taking else "waiting"
