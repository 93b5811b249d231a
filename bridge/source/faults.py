"""The one table that says what a failure means. No other line of code decides to relist, wait or give up.

Read in this order: what the server said about itself (reason, causes), then its status, then how the connection ended.
The rows are those of docs/watching.md. There is no row for a LIST at a version the server has not reached:
this bridge always lists the newest.
"""

import enum

from msgspec import Struct

from bridge.model.event import RestartReason
from bridge.source.frames import Status, Undecodable


class Phase(enum.Enum):
    """What was being asked when it failed."""

    PROBE = "probe"
    """The newest version, before resuming."""
    LIST = "list"
    """The first page of a LIST."""
    PAGE = "page"
    """A later one."""
    INITIAL = "initial"
    """A WatchList, before its end was announced."""
    OPEN = "open"
    """A watch at a position."""
    STREAM = "stream"
    """An open watch."""


class Kind(enum.Enum):
    """How it failed."""

    HTTP = "http"
    """An answer with another status than 200."""
    EVENT = "event"
    """An ERROR event in a stream."""
    NETWORK = "network"
    """Refused, reset, cut, timed out, TLS, DNS."""
    SILENT = "silent"
    """Nothing was heard for longer than the heartbeat allows."""
    ENDLESS = "endless"
    """A snapshot that goes on and on: what it says are changes by now, and its end is never announced."""
    END = "end"
    """The server closed the stream in good order."""
    FULL = "full"
    """We closed it: Kafka is slower than the API server."""
    UNDECODABLE = "undecodable"
    """A whole line or page that cannot be used."""
    REGRESSION = "regression"
    """A version below the position."""
    LATE = "late"
    """A version that the position has passed because the stream was silent, and a LIST showed nothing new."""
    STRANGER = "stranger"
    """Another cluster answers than the one that the position is of."""
    UNVERSIONED = "unversioned"
    """A list that does not say its version: it cannot be watched from anywhere."""
    CREDENTIALS = "credentials"
    """Our own credentials could not be had: an exec plugin failed, a token file is missing."""


class Fault(Struct, frozen=True):
    """One failure, as a value. *frames* and *age* (seconds) are those of the connection it ended.

    *absent*: after a 404, discovery said that the resource is not served.
    """

    phase: Phase
    kind: Kind
    status: int = 0
    reason: str = ""
    message: str = ""
    causes: tuple[str, ...] = ()
    retry_after: float = 0.0
    frames: int = 0
    age: float = 0.0
    absent: bool = False

    def __str__(self) -> str:
        code = " ".join(str(part) for part in (self.status or "", self.reason) if part)
        what = ": ".join(part for part in (code, self.message) if part)
        return f"{self.phase.value}: {self.kind.value}{': ' if what else ''}{what}"


LONGEST = 300.0
"""Seconds that a server's hint counts for. The API server says 30 at the most; what a proxy's page says may be days, or
its clock may be another one than ours: obeyed, that would be a silent death."""


def fault_of(status: Status, phase: Phase, kind: Kind, *, frames: int = 0, header: float = 0.0) -> Fault:
    """What a Status tells: the longer of *header* (Retry-After, seconds) and its own hint counts, up to `LONGEST`."""
    details = status.details
    return Fault(
        phase,
        kind,
        status.code,
        status.reason,
        status.message,
        tuple(cause.reason for cause in details.causes) if details else (),
        min(LONGEST, max(header, details.retry_after_seconds if details else 0.0)),
        frames,
    )


def fault_in(frame: Status | Undecodable, phase: Phase, at: int) -> Fault:
    """What a stream says with a frame that is no change, behind *at* others."""
    if isinstance(frame, Undecodable):
        return Fault(phase, Kind.UNDECODABLE, message=frame.why, frames=at)
    return fault_of(frame, phase, Kind.EVENT, frames=at)


class Resume(Struct, frozen=True):
    """Same position, watch again: at once after a stream that delivered, else after a back-off."""

    at_once: bool


class Wait(Struct, frozen=True):
    """The same request after *seconds*, or the back-off if that is longer."""

    seconds: float


class Reauth(Struct, frozen=True):
    """Read the credentials anew and ask again; after a second time in a row, back off."""


class Degraded(Struct, frozen=True):
    """Only people can mend it (permission, missing resource): ask rarely, say so, never exit, never fall silent."""


class RetryOnce(Struct, frozen=True):
    """Watch once more from the same position; if that brings no progress either, relist for this reason."""

    reason: RestartReason


class Relist(Struct, frozen=True):
    """The position is worthless: new epoch."""

    reason: RestartReason


class RestartList(Struct, frozen=True):
    """The snapshot under way is worthless: take it again, by the next simpler method."""


class FallBack(Struct, frozen=True):
    """The server has no WatchList: use paged LISTs from now on."""


class Removed(Struct, frozen=True):
    """The resource is served no more. When said twice in a row: an empty epoch, then wait for it to come back.

    Where nothing was ever synced there is nothing to take back: it is `Degraded` then, until the resource is there.
    """


class Fatal(Struct, frozen=True):
    """The configuration cannot work: this stream stops, the others go on."""


class StartOver(Struct, frozen=True):
    """What was found out at the stream's start is no longer so: this attempt ends, and the next one finds it out."""


Verdict = Resume | Wait | Reauth | Degraded | RetryOnce | Relist | RestartList | FallBack | Removed | Fatal | StartOver

SHORT = 2.0
"""Seconds. A stream that ends so soon and says nothing means a lost position on some servers (kubernetes#104171,
fabric8's AbstractWatchManager has the same 2 s)."""

_POSITIONED = (Phase.OPEN, Phase.STREAM)


_ALWAYS: dict[Kind, Verdict] = {
    Kind.REGRESSION: Relist(RestartReason.REWOUND),
    Kind.LATE: Relist(RestartReason.DESYNCHRONIZED),
    Kind.STRANGER: StartOver(),
    Kind.UNVERSIONED: Degraded(),
    Kind.ENDLESS: FallBack(),
    Kind.CREDENTIALS: Wait(0),
}
"""Of these it does not matter what was under way."""


def classify(fault: Fault) -> Verdict:
    """The table. Every failure leaves through here."""
    if _is_expired(fault):
        return Relist(RestartReason.EXPIRED) if fault.phase in _POSITIONED else RestartList()
    match fault.kind:
        case Kind.HTTP:
            return _answered(fault)
        case Kind.EVENT:
            return _said(fault)
        case Kind.UNDECODABLE:
            return RetryOnce(RestartReason.UNDECODABLE) if fault.phase in _POSITIONED else RestartList()
        case Kind.REGRESSION | Kind.LATE | Kind.STRANGER | Kind.UNVERSIONED | Kind.ENDLESS | Kind.CREDENTIALS:
            return _ALWAYS[fault.kind]
        case Kind.NETWORK | Kind.SILENT | Kind.END | Kind.FULL:
            return _ended(fault)


def _is_expired(fault: Fault) -> bool:
    """410 in any form. `Gone` is the reason up to 1.17; older servers use other codes (kubernetes#13809)."""
    return (
        fault.status == 410
        or fault.reason in ("Expired", "Gone")
        or ("too old resource version" in fault.message and fault.kind in (Kind.HTTP, Kind.EVENT))
    )


def _answered(fault: Fault) -> Verdict:
    match fault:
        case Fault(status=401):
            return Reauth()
        case Fault(status=404, absent=True):
            return Removed()
        case Fault(status=403 | 404 | 405):
            return Degraded()
        case Fault(status=429 | 503 | 504, retry_after=seconds):
            return Wait(seconds)
        case Fault(status=400 | 422):
            return _refused(fault)
        case Fault(status=500, phase=Phase.INITIAL):
            return RestartList()
        case Fault(retry_after=seconds):
            return Wait(seconds)


def _refused(fault: Fault) -> Verdict:
    match fault:
        case Fault(phase=Phase.INITIAL):
            return FallBack()
        case Fault(status=400, phase=Phase.PAGE):
            return RestartList()
        case Fault(reason="BadRequest" | "Invalid"):
            return Fatal()
        case _:  # no word of the API server's, but of something between us: that may be mended
            return Degraded()


def _said(fault: Fault) -> Verdict:
    match fault:
        case Fault(reason="StorageReadError", phase=Phase.STREAM):
            # The delete of a corrupt object can never be decoded (etcd3/errors.go): resuming would fail for ever.
            return Relist(RestartReason.UNDECODABLE)
        case Fault(status=401):
            return Reauth()
        case Fault(status=403 | 404 | 405):
            return Degraded()
        case Fault(status=429 | 503 | 504, retry_after=seconds):
            return Wait(seconds) if fault.phase is Phase.STREAM else RestartList()
        case Fault(phase=Phase.INITIAL, frames=0):
            # "the required storage feature RequestWatchProgress is disabled": etcd before 3.4.31 or 3.5.13.
            return FallBack()
        case Fault(phase=Phase.INITIAL):
            return RestartList()
        case _:
            return RetryOnce(RestartReason.EXPIRED)


def _ended(fault: Fault) -> Verdict:
    match fault:
        case Fault(phase=Phase.INITIAL, kind=Kind.SILENT):
            # Some servers accept the parameters, send objects and never the bookmark that ends them (antrea#8124).
            return FallBack()
        case Fault(phase=Phase.INITIAL, frames=0, kind=Kind.NETWORK):
            return Wait(0)
        case Fault(phase=Phase.INITIAL):
            return RestartList()
        case Fault(phase=Phase.STREAM, kind=Kind.END, frames=0, age=age) if age < SHORT:
            return RetryOnce(RestartReason.EXPIRED)
        case Fault(phase=Phase.STREAM):
            return Resume(at_once=fault.frames > 0 or fault.kind is not Kind.NETWORK)
        case _:
            return Wait(0)
