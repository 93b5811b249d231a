"""The board: what it makes of what is told, as people and scripts will read it."""

from dataclasses import dataclass, field

import msgspec
import pytest

from bridge.ownership.telling import GroupDelayed, MembershipChanged, ShareChanged
from bridge.sink.telling import RecordsCommitted, RelistCompleted, StreamRestarted
from bridge.source.telling import Doing, FramesHeard, StreamVerified, WatchMoved
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
    Told,
)
from bridge.web.board import Board, Setup
from bridge.web.document import Gap, Restart, StreamState
from bridge.web.entry import KEPT

SETUP = Setup("0.1.0", "bridge", "prod", "pod-1", standalone=False, streams=("events", "pods"))


@dataclass
class Life:
    """A board on a clock that the test sets."""

    now: float = 1000.0
    stopping: bool = False
    board: Board = field(init=False)

    def __post_init__(self) -> None:
        self.board = Board(SETUP, lambda: self.stopping, lambda: self.now)

    def hears(self, *told: Told) -> None:
        for each in told:
            self.board.hear(each)

    @property
    def pods(self) -> StreamState:
        (stream,) = self.board.read().streams
        return stream


def acquired() -> StreamAcquired:
    return StreamAcquired("pods", "pods", 300.0)


def read(position: float = 990.0, *, relisting: bool = False) -> CheckpointRead:
    return CheckpointRead("pods", 7, "100", position, relisting, "initial", "no checkpoint", 500.0)


def moved(doing: Doing, *, hears: bool) -> WatchMoved:
    return WatchMoved("pods", doing, hears)


def committed(records: int = 1, version: str = "101", position: float = 1000.0) -> RecordsCommitted:
    return RecordsCommitted("pods", {"ADDED": records}, 10, 0.01, version, position, {"k8s.pods": 3})


def restarted(reason: str = "expired", epoch: int = 8) -> StreamRestarted:
    return StreamRestarted("pods", epoch, reason, "too old", "100", 990.0)


SYNCED = RelistCompleted("pods", 8, "200", 5, 1, 2.0, 30.0)
LIVE = (acquired(), TakeoverBegun("pods"), read(), moved(Doing.OPENING, hears=False), moved(Doing.WATCHING, hears=True))


def test_a_stream_goes_through_its_states() -> None:
    """Each is a word on the page: where a stream hangs is the first question."""
    life, seen = Life(), []
    for told in (
        acquired(),
        TakeoverBegun("pods"),
        read(),
        moved(Doing.OPENING, hears=False),
        moved(Doing.WATCHING, hears=True),
        moved(Doing.VERIFYING, hears=False),
        moved(Doing.WATCHING, hears=True),
        moved(Doing.RELISTING, hears=True),
        restarted(),
        moved(Doing.WATCHING, hears=True),
        SYNCED,
    ):
        life.hears(told)
        seen.append(life.pods.state)

    assert seen == [
        *("waiting", "starting", "starting", "starting", "live", "verifying", "live", "relisting"),
        *("relisting", "relisting", "live"),
    ], "read to the end is not committed to the end"


def test_the_whole_document() -> None:
    """Scripts read it: a name that changes breaks them."""
    life = Life(now=960.0)
    life.hears(
        MembershipChanged(member=True),
        ShareChanged(4, [1], []),
        *LIVE[:3],
        StreamStarted("pods", "pods", {}, 7, "100", 5),
    )
    life.now = 990.0
    life.hears(moved(Doing.RELISTING, hears=True), restarted())
    life.now = 995.0
    life.hears(FramesHeard("pods", 6), BufferChanged("pods", 100, 4000, 2.0), committed(10), SYNCED)
    life.now = 1000.0
    life.hears(moved(Doing.WATCHING, hears=True), StreamVerified("pods", "101", 6), FramesHeard("pods", 6))
    life.hears(BufferChanged("pods", 300, 4000, 0.5))
    life.now = 1004.0
    document = msgspec.json.decode(msgspec.json.encode(life.board.read()))

    rates = document["streams"][0].pop("rates")
    assert (len(rates), rates[-1], sum(rates)) == (60, 2.0, 2.0)
    assert document == {
        "ready": True,
        "why": [],
        "stopping": False,
        "now": 1004.0,
        "started": 960.0,
        "version": "0.1.0",
        "name": "bridge",
        "cluster": "prod",
        "host": "pod-1",
        "group": {"member": True, "partitions": 4},
        "trouble": "",
        "rejected": "",
        "configTime": 960.0,
        "configPending": False,
        "rateStep": 5.0,
        "elsewhere": ["events"],
        "streams": [
            {
                "name": "pods",
                "resource": "pods",
                "topics": ["k8s.pods"],
                "state": "live",
                "since": 1000.0,
                "ready": True,
                "why": "",
                "trouble": "",
                "epoch": 8,
                "resourceVersion": "101",
                "positionTime": 1000.0,
                "positionAge": 4.0,
                "staleAfter": 300.0,
                "lastFrameTime": 1000.0,
                "verifiedTime": 1000.0,
                "lag": 4.5,
                "bufferBytes": 300,
                "bufferLimit": 4000,
                "objects": 6,
                "records": 10,
                "recoveries": 0,
                "restarts": [
                    {
                        "epoch": 7,
                        "time": 500.0,
                        "reason": "initial",
                        "message": "no checkpoint",
                        "gapBegan": None,
                        "synced": None,
                    },
                    {
                        "epoch": 8,
                        "time": 990.0,
                        "reason": "expired",
                        "message": "too old",
                        "gapBegan": 990.0,
                        "synced": 995.0,
                    },
                ],
                "gaps": [{"began": 990.0, "ended": 995.0, "reasons": ["expired"]}],
            }
        ],
    }


def test_a_released_stream_is_gone() -> None:
    """It runs elsewhere: here it would grow stale for ever. What comes late of it brings nothing back."""
    life = Life()
    life.hears(*LIVE, StreamReleased("pods"), BufferChanged("pods", 0, 10, 0.0), committed())

    assert (life.board.read().streams, life.board.read().elsewhere) == ((), ("events", "pods"))


def test_a_silent_watch_is_not_ready() -> None:
    """The connection is open, and nothing comes: every other tool stays green."""
    life = Life(now=990.0)
    life.hears(*LIVE)
    before = life.pods.ready
    life.now = 990.0 + 301

    assert (before, life.pods.ready, life.pods.state) == (True, False, "live")
    assert life.board.read().why == ("pods: position is 301s old, limit 300s (live)",)


def test_trouble_at_the_api_server_is_over_with_a_word_of_it() -> None:
    """Not with a connection: that proves nothing, but it is no standstill either."""
    life = Life()
    life.hears(*LIVE, moved(Doing.OPENING, hears=False), StreamDelayed("pods", "503", 9.0, 3))
    delayed = (life.pods.state, life.pods.trouble)
    life.hears(moved(Doing.WATCHING, hears=True))
    connected = (life.pods.state, life.pods.trouble)
    life.hears(FramesHeard("pods", 1))

    assert (delayed, connected) == (("delayed", "503"), ("live", "503"))
    assert (life.pods.state, life.pods.trouble) == ("live", "")


def test_trouble_with_kafka_is_over_with_a_commit() -> None:
    """The API server goes on telling meanwhile: that is no way out of it."""
    life = Life()
    life.hears(*LIVE, BufferChanged("pods", 9, 99, 0.0), StreamRecovered("pods", "broker away", 1.0, first=True))
    recovers = (life.pods.state, life.pods.trouble, life.pods.recoveries)
    life.hears(StreamDelayed("pods", "broker away", 9.0, 2))
    life.hears(read(), moved(Doing.WATCHING, hears=True), FramesHeard("pods", 1))
    waits = (life.pods.state, life.pods.trouble)
    life.hears(committed())

    assert (recovers, waits) == (("starting", "broker away", 1), ("delayed", "broker away"))
    assert (life.pods.state, life.pods.trouble) == ("live", "")


def test_lag_grows_through_failed_attempts() -> None:
    """An attempt that fails throws its buffer away; the change in it is still not in Kafka."""
    life = Life()
    life.hears(*LIVE, BufferChanged("pods", 9, 99, 2.0), BufferChanged("pods", 0, 99, 0.0))
    life.hears(StreamRecovered("pods", "broker away", 1.0, first=True))
    life.now += 60
    grown = life.pods.lag
    life.hears(committed())

    assert (grown, life.pods.lag, life.pods.buffer_bytes) == (62.0, 0.0, 0)


def test_a_failed_stream_says_why_and_stays() -> None:
    life = Life()
    life.hears(*LIVE, StreamFailed("pods", "selector refused"), FramesHeard("pods", 1))

    assert (life.pods.state, life.pods.trouble, life.pods.ready) == ("failed", "selector refused", False)


def test_an_attempt_that_begins_again_remembers_why_the_epoch_began_once() -> None:
    """The checkpoint says it each time."""
    life = Life()
    life.hears(*LIVE, read(), read())

    assert life.pods.restarts == (Restart(7, 500.0, "initial", "no checkpoint"),)


def test_a_storm_of_restarts_costs_no_memory() -> None:
    life = Life()
    life.hears(*LIVE, *(restarted(epoch=100 + number) for number in range(3 * KEPT)))

    assert [each.epoch for each in life.pods.restarts] == list(range(100 + 2 * KEPT, 100 + 3 * KEPT))
    assert life.pods.gaps == (Gap(990.0, None, ("expired",) * KEPT),)


@pytest.mark.parametrize(("member", "why"), [(True, ()), (False, ("group: not a member: no coordinator",))])
def test_trouble_of_the_group_is_told_where_no_stream_runs(member: bool, why: tuple[str, ...]) -> None:
    """A replica that cannot join must not look like one that is ready to take over."""
    life = Life()
    life.hears(GroupDelayed("no coordinator", 5.0))
    if member:
        life.hears(MembershipChanged(member=True))

    assert life.board.read().why == why


def test_what_delays_all_streams_is_told_before_any_begins() -> None:
    """While the API server is away no replica joins the group, and no stream begins."""
    life = Life()
    life.hears(StreamDelayed("all streams", "connection refused", 5.0, 2))

    assert (life.board.read().trouble, life.board.read().ready) == ("connection refused", False)


def test_a_bridge_that_ends_says_so() -> None:
    life = Life()
    life.hears(*LIVE)
    life.stopping = True

    assert (life.board.read().stopping, life.board.read().why) == (True, ("shutdown: stopping",))
