"""The one table, row by row, and the shapes in which servers fail, from their bytes to the verdict.

Numbers at a test's beginning are those of the behaviours in docs/watching.md.
"""

import pytest
from msgspec.structs import replace

from bridge.model.event import RestartReason
from bridge.source.faults import (
    Degraded,
    FallBack,
    Fatal,
    Fault,
    Kind,
    Phase,
    Reauth,
    Relist,
    Removed,
    RestartList,
    Resume,
    RetryOnce,
    StartOver,
    Verdict,
    Wait,
    classify,
    fault_of,
)
from bridge.source.frames import Cause, Details, Status, Undecodable, decode, status_of
from tests.source.words import PODS

PROBE, LIST, PAGE, INITIAL, OPEN, STREAM = Phase
HTTP, EVENT, NETWORK, SILENT, ENDLESS, END, FULL, UNDECODABLE, REGRESSION, LATE, STRANGER, UNVERSIONED, CREDENTIALS = (
    Kind
)
AGAIN, AT_ONCE = Resume(at_once=False), Resume(at_once=True)
EXPIRED, REWOUND = Relist(RestartReason.EXPIRED), Relist(RestartReason.REWOUND)
ONCE, ONCE_UNREAD = RetryOnce(RestartReason.EXPIRED), RetryOnce(RestartReason.UNDECODABLE)
ALL = tuple(Phase)
POSITIONED, SNAPSHOT = (OPEN, STREAM), (LIST, PAGE, INITIAL)

Row = tuple[tuple[Phase, ...], Fault, Verdict]
ANY = Phase.OPEN
"""Stands in a row's fault until one of its phases takes the place."""

EXPIRY: list[Row] = [
    (POSITIONED, Fault(ANY, HTTP, 410), EXPIRED),
    (POSITIONED, Fault(ANY, HTTP, 410, "Expired", "too old resource version: 5 (9)"), EXPIRED),
    (POSITIONED, Fault(ANY, HTTP, 410, "Gone"), EXPIRED),
    (POSITIONED, Fault(ANY, HTTP, 500, "", "too old resource version: 5 (9)"), EXPIRED),
    ((STREAM,), Fault(ANY, EVENT, 410), EXPIRED),
    ((STREAM,), Fault(ANY, EVENT, 0, "Expired"), EXPIRED),
    ((STREAM,), Fault(ANY, EVENT, 0, "Gone"), EXPIRED),
    ((STREAM,), Fault(ANY, EVENT, 0, "", "too old resource version: 5 (9)"), EXPIRED),
    ((*SNAPSHOT, PROBE), Fault(ANY, HTTP, 410), RestartList()),
    ((INITIAL,), Fault(ANY, EVENT, 410, "Expired"), RestartList()),
    # What our own side says is never taken for the server's word.
    ((STREAM,), Fault(ANY, UNDECODABLE, message="{too old resource version"), ONCE_UNREAD),
]
ANSWERS: list[Row] = [
    (ALL, Fault(ANY, HTTP, 401), Reauth()),
    (ALL, Fault(ANY, HTTP, 403), Degraded()),
    (ALL, Fault(ANY, HTTP, 404), Degraded()),
    (ALL, Fault(ANY, HTTP, 404, absent=True), Removed()),
    (ALL, Fault(ANY, HTTP, 405), Degraded()),
    (ALL, Fault(ANY, HTTP, 429, retry_after=3.0), Wait(3.0)),
    (ALL, Fault(ANY, HTTP, 503, retry_after=5.0), Wait(5.0)),
    (ALL, Fault(ANY, HTTP, 503, message="<html>"), Wait(0)),
    (ALL, Fault(ANY, HTTP, 504, "Timeout", causes=("ResourceVersionTooLarge",), retry_after=1.0), Wait(1.0)),
    ((PROBE, LIST, PAGE, OPEN), Fault(ANY, HTTP, 500), Wait(0)),
    ((PROBE, LIST, PAGE, OPEN), Fault(ANY, HTTP, 500, retry_after=9.0), Wait(9.0)),
    ((INITIAL,), Fault(ANY, HTTP, 500), RestartList()),
    (ALL, Fault(ANY, HTTP, 200, message="a proxy's page"), Wait(0)),
    (ALL, Fault(ANY, HTTP, 302), Wait(0)),
    ((INITIAL,), Fault(ANY, HTTP, 400), FallBack()),
    ((INITIAL,), Fault(ANY, HTTP, 422, "Invalid"), FallBack()),
    ((PAGE,), Fault(ANY, HTTP, 400, "BadRequest", "continue key is not valid"), RestartList()),
    ((PROBE, LIST, OPEN), Fault(ANY, HTTP, 400, "BadRequest"), Fatal()),
    ((PROBE, LIST, PAGE, OPEN), Fault(ANY, HTTP, 422, "Invalid"), Fatal()),
    ((PROBE, LIST, OPEN), Fault(ANY, HTTP, 400, message="<html>"), Degraded()),
    ((PROBE, LIST, PAGE, OPEN), Fault(ANY, HTTP, 422), Degraded()),
]
EVENTS: list[Row] = [
    ((STREAM,), Fault(ANY, EVENT, 500, "InternalError", "etcdserver: no leader"), ONCE),
    ((STREAM,), Fault(ANY, EVENT), ONCE),
    ((STREAM,), Fault(ANY, EVENT, 500, "StorageReadError"), Relist(RestartReason.UNDECODABLE)),
    (POSITIONED, Fault(ANY, EVENT, 401), Reauth()),
    (POSITIONED, Fault(ANY, EVENT, 403), Degraded()),
    (POSITIONED, Fault(ANY, EVENT, 404), Degraded()),
    (POSITIONED, Fault(ANY, EVENT, 405), Degraded()),
    ((STREAM,), Fault(ANY, EVENT, 429, retry_after=2.0), Wait(2.0)),
    ((STREAM,), Fault(ANY, EVENT, 503), Wait(0)),
    ((STREAM,), Fault(ANY, EVENT, 504, retry_after=1.0), Wait(1.0)),
    ((INITIAL,), Fault(ANY, EVENT, 429), RestartList()),
    ((INITIAL,), Fault(ANY, EVENT, 504), RestartList()),
    ((INITIAL,), Fault(ANY, EVENT, 500), FallBack()),
    ((INITIAL,), Fault(ANY, EVENT, 500, frames=1), RestartList()),
    ((INITIAL,), Fault(ANY, EVENT, 500, "StorageReadError", frames=1), RestartList()),
]
ENDS: list[Row] = [
    ((STREAM,), Fault(ANY, END, frames=1, age=0.1), AT_ONCE),
    ((STREAM,), Fault(ANY, END, frames=0, age=2.0), AT_ONCE),
    ((STREAM,), Fault(ANY, END, frames=0, age=1.9), ONCE),
    ((STREAM,), Fault(ANY, NETWORK, frames=1), AT_ONCE),
    ((STREAM,), Fault(ANY, NETWORK, frames=0, age=100.0), AGAIN),
    ((STREAM,), Fault(ANY, SILENT, frames=0, age=70.0), AT_ONCE),
    ((STREAM,), Fault(ANY, FULL), AT_ONCE),
    ((PROBE, LIST, PAGE, OPEN), Fault(ANY, NETWORK), Wait(0)),
    ((INITIAL,), Fault(ANY, NETWORK), Wait(0)),
    ((INITIAL,), Fault(ANY, NETWORK, frames=1), RestartList()),
    ((INITIAL,), Fault(ANY, END), RestartList()),
    ((INITIAL,), Fault(ANY, END, frames=9), RestartList()),
    ((INITIAL,), Fault(ANY, SILENT), FallBack()),
    ((INITIAL,), Fault(ANY, SILENT, frames=9), FallBack()),
    ((INITIAL,), Fault(ANY, ENDLESS, frames=9), FallBack()),
]
OURS: list[Row] = [
    (POSITIONED, Fault(ANY, UNDECODABLE), ONCE_UNREAD),
    ((*SNAPSHOT, PROBE), Fault(ANY, UNDECODABLE), RestartList()),
    ((STREAM,), Fault(ANY, REGRESSION), REWOUND),
    ((STREAM,), Fault(ANY, LATE), Relist(RestartReason.DESYNCHRONIZED)),
    ((PROBE, LIST, INITIAL), Fault(ANY, STRANGER), StartOver()),
    ((LIST, PAGE), Fault(ANY, UNVERSIONED), Degraded()),
    (ALL, Fault(ANY, CREDENTIALS), Wait(0)),
]
TABLE = [
    pytest.param(replace(fault, phase=phase), verdict, id=f"{replace(fault, phase=phase)} {fault.frames}")
    for phases, fault, verdict in [*EXPIRY, *ANSWERS, *EVENTS, *ENDS, *OURS]
    for phase in phases
]


@pytest.mark.parametrize(("fault", "verdict"), TABLE)
def test_the_table(fault: Fault, verdict: Verdict) -> None:
    """Every failure leaves through here, so this is all that can ever happen to a stream."""

    assert classify(fault) == verdict


@pytest.mark.parametrize("kind", [HTTP, EVENT])
@pytest.mark.parametrize("phase", POSITIONED)
@pytest.mark.parametrize("status", [0, 200, 410, 500])
@pytest.mark.parametrize("reason", ["Expired", "Gone"])
def test_the_reason_counts_more_than_the_status(phase: Phase, kind: Kind, status: int, reason: str) -> None:
    """29: old servers said it with 500 or without a code (kubernetes#13809); resuming there fails for ever."""

    assert classify(Fault(phase, kind, status, reason)) == EXPIRED


@pytest.mark.parametrize(
    ("phase", "kind", "status"),
    [
        (OPEN, NETWORK, 0),
        (OPEN, HTTP, 429),
        (OPEN, HTTP, 503),
        (OPEN, HTTP, 401),
        (STREAM, EVENT, 503),
        (STREAM, END, 0),
    ],
)
def test_trouble_that_passes_costs_no_relist(phase: Phase, kind: Kind, status: int) -> None:
    """32, 33, 41: a busy server must not be asked for everything again because it is busy."""
    verdict = classify(Fault(phase, kind, status))

    assert not isinstance(verdict, Relist | RestartList)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (
            b'{"kind":"Status","message":"too old resource version: 5 (9)","reason":"Expired","code":410}',
            EXPIRED,
        ),
        (
            b'{"kind":"Status","message":"too old resource version: 5 (9)","reason":"Gone","code":410}',
            EXPIRED,
        ),
        (
            b'{"kind":"Status","code":410,"message":"The resourceVersion for the provided watch is too old."}',
            EXPIRED,
        ),
        (b'{"kind":"Status","message":"etcdserver: no leader","reason":"InternalError","code":500}', ONCE),
        (b'{"kind":"Status","reason":"StorageReadError","code":500}', Relist(RestartReason.UNDECODABLE)),
        (b'{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"},"status":{"phase":"Failed"}}', ONCE),
        (b'{"kind":"Status","message":"something"}', ONCE),
        (b"null", ONCE_UNREAD),
        (b'{"kind":"Status","code":429,"details":{"retryAfterSeconds":4}}', Wait(4)),
        (
            b'{"kind":"Status","code":504,"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}],"retryAfterSeconds":1}}',
            Wait(1),
        ),
    ],
)
def test_an_error_event_from_its_bytes_to_the_verdict(said: bytes, verdict: Verdict) -> None:
    """29, 34: the shapes of an ERROR that servers are known to send, and some that a broken one may."""
    (frame,) = decode([b'{"type":"ERROR","object":%b}' % said], PODS)

    assert isinstance(frame, Status | Undecodable)
    assert classify(_fault(frame)) == verdict


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (b'{"kind":"Status","status":"Failure","message":"gone","reason":"Expired","code":410}', EXPIRED),
        (b'{"type":"DELETED","object":null}', ONCE_UNREAD),
        (b'{"type":"CHANGED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"5"}}}', ONCE_UNREAD),
        (b'{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u"}}}', ONCE_UNREAD),
        (b'{"type":"ADDED","object":{"met', ONCE_UNREAD),
    ],
)
def test_a_line_that_is_no_event_from_its_bytes_to_the_verdict(line: bytes, verdict: Verdict) -> None:
    """25, 44, 46: not passed over, for its version is unknown; tried once more, for a proxy may have spoilt it."""
    (frame,) = decode([line], PODS)

    assert isinstance(frame, Status | Undecodable)
    assert classify(_fault(frame)) == verdict


def _fault(frame: Status | Undecodable) -> Fault:
    if isinstance(frame, Undecodable):
        return Fault(STREAM, UNDECODABLE, message=frame.why)
    return fault_of(frame, STREAM, EVENT)


@pytest.mark.parametrize(
    ("phase", "verdict"), [(OPEN, EXPIRED), (LIST, RestartList()), (PAGE, RestartList()), (INITIAL, RestartList())]
)
@pytest.mark.parametrize(
    "body",
    [
        b'{"kind":"Status","message":"too old resource version: 5 (9)","reason":"Expired","code":410}',
        b'{\n  "kind": "Status",\n  "reason": "Expired",\n  "code": 410\n}\n',
        b'{"kind":"Status","metadata":{"continue":"inconsistent"},"reason":"Expired","code":410}',
        b"",
        b"<html>410 Gone</html>",
    ],
)
def test_an_expired_answer_from_its_bytes_to_the_verdict(body: bytes, phase: Phase, verdict: Verdict) -> None:
    """29: compact, printed, on a later page, or without a word: the status alone says it (kube-rs loops on this)."""
    status = status_of(body) or Status()

    assert classify(fault_of(replace(status, code=410), phase, HTTP)) == verdict


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [(0, None, 0), (3, None, 3), (0, 5, 5), (3, 5, 5), (7, 5, 7)],
)
def test_the_longer_hint_counts(header: float, details: float | None, seconds: float) -> None:
    """32: a server says when to come back in a header, in the body, or in both; to be early is to be refused again."""
    status = Status("Status", 429, details=None if details is None else Details(details))

    assert classify(fault_of(status, OPEN, HTTP, header=header)) == Wait(seconds)


def test_all_that_a_status_says_is_in_the_fault() -> None:
    """What operators read in the log is what the server wrote."""
    status = Status("Status", 504, "Timeout", "Too large", Details(1, [Cause("ResourceVersionTooLarge"), Cause()]))

    assert fault_of(status, LIST, HTTP, frames=3) == Fault(
        LIST, HTTP, 504, "Timeout", "Too large", ("ResourceVersionTooLarge", ""), 1, 3
    )


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (Fault(OPEN, HTTP, 403, "Forbidden", "pods is forbidden"), "open: http: 403 Forbidden: pods is forbidden"),
        (Fault(OPEN, HTTP, 410), "open: http: 410"),
        (Fault(STREAM, EVENT, 0, "Expired"), "stream: event: Expired"),
        (Fault(LIST, NETWORK, message="refused"), "list: network: refused"),
        (Fault(STREAM, END), "stream: end"),
    ],
)
def test_a_fault_reads_as_a_sentence(fault: Fault, text: str) -> None:
    """It stands in log lines, in the RESTARTED marker's message and in the status of a stream."""

    assert str(fault) == text
