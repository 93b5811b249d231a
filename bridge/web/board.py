"""The board: what is known of the streams that run here. It hears all telemetry, and is read by who asks over HTTP."""

import time
from collections.abc import Callable

from msgspec import Struct

from bridge.ownership.telling import (
    ConfigPending,
    GroupDelayed,
    GroupWaiting,
    MembershipChanged,
    NameTaken,
    ShareChanged,
)
from bridge.reload.telling import ConfigApplied, ConfigRejected, ConfigUnchanged, RestartRequired
from bridge.sink.telling import RecordsCommitted, RelistCompleted, StreamRestarted
from bridge.source.telling import FramesHeard, StreamVerified, WatchMoved
from bridge.telemetry import (
    BufferChanged,
    CheckpointRead,
    StreamAcquired,
    StreamDelayed,
    StreamFailed,
    StreamRecovered,
    StreamReleased,
    StreamStarted,
    TakeoverBegun,
)
from bridge.web.document import Membership, Restart, Status
from bridge.web.entry import Entry
from bridge.web.rates import STEP
from bridge.web.readiness import Check, checks


class Setup(Struct, frozen=True):
    """What is known before anything runs. *streams*: the names of all that the config file asks for."""

    version: str
    name: str
    cluster: str | None
    host: str
    standalone: bool
    streams: tuple[str, ...]


class Board:
    """Owns the entries of the streams that run here, and what concerns all of them."""

    def __init__(self, setup: Setup, stopping: Callable[[], bool], clock: Callable[[], float] = time.time) -> None:
        self.setup = setup
        """To be replaced when another config file comes into force."""
        self._rejected = ""
        self._config_time = clock()
        self._config_pending = False
        self._stopping = stopping
        self._clock = clock
        self._started = clock()
        self._entries: dict[str, Entry] = {}
        self._member = False
        self._partitions = 0
        self._trouble = ""

    def hear(self, told: object) -> None:
        """The most frequent first: some come with each read of a stream."""
        now = self._clock()
        entry = self._entries.get(getattr(told, "stream", ""))
        if entry is not None and _flows(entry, told, now):
            return
        match told:
            case StreamAcquired(stream, resource, stale_after):
                self._entries[stream] = Entry(stream, resource, stale_after, now)
            case StreamReleased(stream):
                self._entries.pop(stream, None)
            case _ if entry is not None:
                _turns(entry, told, now)
                _fails(entry, told, now)
            case _:
                self._concerns_all(told)

    def _concerns_all(self, told: object) -> None:
        match told:
            case StreamDelayed() | GroupDelayed() | GroupWaiting() | NameTaken():
                self._trouble = told.what
            case MembershipChanged(member):
                self._member, self._trouble = member, ""
            case ShareChanged(partitions=count):
                self._partitions, self._trouble = count, ""
            case _:
                self._concerns_the_file(told)

    def _concerns_the_file(self, told: object) -> None:
        match told:
            case ConfigRejected(problems=problems) | RestartRequired(problems=problems):
                self._rejected = "; ".join(problems)
            case ConfigApplied() | ConfigUnchanged():
                self._rejected, self._config_time = "", self._clock()
            case ConfigPending(pending):
                self._rejected, self._config_pending = "", pending
            case _:
                pass

    def read(self) -> Status:
        setup, now = self.setup, self._clock()
        streams = tuple(self._entries[name].read(now) for name in sorted(self._entries))
        group = None if setup.standalone else Membership(self._member, self._partitions)
        stopping = self._stopping()
        found = checks(streams, group, self._trouble, stopping=stopping)
        return Status(
            ready=all(check.ok for check in found),
            why=tuple(f"{check.name}: {check.told}" for check in found if not check.ok),
            stopping=stopping,
            now=now,
            started=self._started,
            version=setup.version,
            name=setup.name,
            cluster=setup.cluster,
            host=setup.host,
            group=group,
            trouble=self._trouble,
            rejected=self._rejected,
            config_time=self._config_time,
            config_pending=self._config_pending,
            rate_step=STEP,
            elsewhere=tuple(name for name in setup.streams if name not in self._entries),
            streams=streams,
        )

    def checks(self) -> tuple[Check, ...]:
        """What `/readyz` says."""
        status = self.read()
        return checks(status.streams, status.group, status.trouble, stopping=status.stopping)


def _flows(entry: Entry, told: object, now: float) -> bool:
    """Whether it was one of those that come with each read or commit. In a stream that trickles it is one a change."""
    if type(told) is FramesHeard:
        entry.heard(told.objects, now)
    elif type(told) is BufferChanged:
        entry.buffered(told.bytes, told.limit, told.waited, now)
    elif type(told) is RecordsCommitted:
        count = sum(told.records.values())
        entry.committed(count, told.resource_version, told.position_time, told.topics, now)
    else:
        return False
    return True


def _turns(entry: Entry, told: object, now: float) -> None:
    match told:
        case TakeoverBegun():
            entry.taken_over(now)
        case CheckpointRead():
            if told.reason:
                entry.recalled(Restart(told.epoch, told.began, told.reason, told.message))
            entry.begins(told.epoch, told.resource_version, told.position_time, now, relisting=told.relisting)
        case StreamStarted(topics=topics, indexed=objects):
            entry.started(topics, objects)
        case WatchMoved(doing=doing, hears=hears):
            entry.moved(doing.value, now, hears=hears)
        case StreamRestarted():
            entry.restarted(Restart(told.epoch, now, told.reason, told.message, told.gap_began or None), now)
        case RelistCompleted():
            entry.synced(now)
        case StreamVerified():
            entry.verified(now)
        case _:
            pass


def _fails(entry: Entry, told: object, now: float) -> None:
    match told:
        case StreamDelayed(what=what):
            entry.delayed(what, now)
        case StreamRecovered(error=error):
            entry.recovers(error, now)
        case StreamFailed(what=what):
            entry.failed(what, now)
        case _:
            pass
