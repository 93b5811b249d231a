"""Silence on a clock that jumps: when a stream verifies itself, how often it asks, and what it says of it."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise, repeat
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.model.event import Change, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, ResourceVersion
from bridge.source.faults import Fault, Kind, Phase, StartOver
from bridge.source.frames import Page
from bridge.source.reader import CONFIRM
from bridge.source.silence import BREATH, GRACE, JITTER, PACE
from bridge.source.states import Newest, Opened, Origin, Quiet, State, resumed, unlisted
from tests.source.replies import Reading, Step, frames
from tests.source.words import added, at, deleted, listed, mark

T = 120.0
HOUR = 3600.0
FIRST = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))
SNAPSHOT: list[Step] = [Opened(), frames(added("a", "98"), mark("100", ends_initial=True))]
QUIET = Quiet()
ETCD = 300.0
"""Seconds that etcd's history lasts, as the API server has it by default (storagebackend/config.go)."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


def steps(*these: Step) -> list[Step]:
    return [*these]


def old(version: str) -> State:
    """Resumed from a checkpoint whose position was learnt long ago."""
    return resumed(at(5, version, 1))


def newest(version: str) -> Newest:
    return Newest(ResourceVersion(version))


def look(version: str, *names: str, token: str = "") -> Page:
    return Page([listed(name, "98") for name in names], ResourceVersion(version), token)


def idle() -> Iterator[Step]:
    """A cluster in which other things happen: its versions grow, and of ours nothing is said."""
    yield from SNAPSHOT
    for version in range(200, 10**6, 100):
        yield from steps(QUIET, Opened(), look(str(version), "a"), QUIET)


async def test_an_idle_stream_is_verified_again_and_again() -> None:
    """42: a week without an event: no relist, every position young enough to go on from, a request a minute or so."""
    reading = await Reading(FIRST, idle(), verify=T).until_over(7 * 24 * HOUR)
    asked, times = reading.api.asked, reading.api.times
    opened = [at for what, at in zip(_requests(asked), times, strict=True) if what.startswith("open")]
    looked = [at for what, at in zip(_requests(asked), times, strict=True) if what.startswith("look")]

    assert {what.partition(" ")[0] for what in asked} == {"list", "close", "open", "look"}
    assert all(T * (1 - JITTER) <= b - a <= T * (1 + JITTER + GRACE) for a, b in pairwise(opened))
    assert max(b - a for a, b in zip(looked, opened[1:], strict=False)) < ETCD / 1.5
    assert len({round(b - a) for a, b in pairwise(opened)}) > 10, "jitter"


def _requests(asked: list[str]) -> list[str]:
    return [what for what in asked if what != "close"]


async def test_a_verified_position_is_committed() -> None:
    """What is in memory only would be lost with the process, and the position in Kafka would expire."""
    script = steps(*SNAPSHOT, QUIET, Opened(), look("250", "a"), QUIET)
    reading = await Reading(FIRST, script, verify=T).until_over()
    restarted, one, synced, progress = await reading.events()

    assert [type(event) for event in (restarted, one, synced)] == [Restarted, Change, Synced]
    assert isinstance(progress, Progress)
    assert progress.position.version == "250"


async def test_a_verified_stream_that_breaks_is_read_once_more() -> None:
    """From where it was silent: what it was late to say would be passed over in silence. Unless that is forgotten."""
    cut = Fault(Phase.STREAM, Kind.NETWORK, age=5)
    forgotten = Fault(Phase.OPEN, Kind.HTTP, 410, "Expired")
    after = steps(cut, newest("300"), forgotten, newest("300"), Opened(), frames(added("b", "301")), cut, newest("301"))
    script = steps(*SNAPSHOT, QUIET, Opened(), look("250", "a"), QUIET, *after, Opened())
    reading = await Reading(FIRST, script, verify=T).until_over()

    asked = ["newest", "open 100", "newest", "open 250", "close", "newest", "open 301", "close"]
    assert _requests(reading.api.asked)[3:] == _requests(asked)
    assert (await reading.events())[-1] == added("b", "301", fresh=True)


async def test_a_position_that_is_old_at_the_start_is_verified_soon() -> None:
    """Restarted every two minutes a stream would never come to it, and its position would expire."""
    script = steps(newest("100"), Opened(), QUIET, Opened(), look("250"), QUIET)
    reading = await Reading(old("100"), script, verify=T).until_over()

    assert reading.api.asked[:5] == ["newest", "open 100", "close", "open 100", "look"]
    at_once, before, after = reading.api.waits
    assert (at_once, after) == (0, 0)
    assert BREATH <= before <= T / 4, "soon, and not all streams at once"


async def test_connections_that_break_do_not_put_it_off() -> None:
    """A load balancer that cuts what is idle for a minute: no connection is ever silent for long enough."""
    cut = Fault(Phase.STREAM, Kind.NETWORK, age=60)
    script = steps(*SNAPSHOT, *steps(60.0, cut, newest("150"), Opened()), QUIET, Opened(), look("250", "a"), QUIET)
    reading = await Reading(FIRST, script, verify=T).until_over()

    assert "look" in reading.api.asked
    assert reading.api.times[-1] < T * (1 + JITTER) + 2


async def test_deletes_do_not_put_it_off() -> None:
    """Events expire an hour after they were written: each delete is heard, and leaves the position where it is."""
    objects = frames(*[added(f"e{number}", "98") for number in range(3)], mark("100", ends_initial=True))
    deletes: list[Step] = []
    for number in range(2):
        deletes += steps(40.0, frames(deleted(f"e{number}", str(110 + number))))
    again = frames(*[deleted(f"e{number}", str(110 + number)) for number in range(2)])
    script = steps(Opened(), objects, *deletes, QUIET, Opened(), look("250", "e2"), again, QUIET)
    reading = await Reading(FIRST, script, verify=T).until_over()
    progress = [event for event in await reading.events() if isinstance(event, Progress)]

    assert [event.position.version for event in progress] == ["250"]
    assert reading.api.times[-1] <= T * (1 + JITTER)


async def test_bookmarks_make_it_needless() -> None:
    """Streams that get them say each minute that nothing was missed: no LIST for those."""
    bookmarks: Iterable[Step] = chain.from_iterable((60.0, frames(mark(str(101 + n)))) for n in range(10**6))
    reading = await Reading(FIRST, chain(SNAPSHOT, bookmarks), verify=T).until_over(24 * HOUR)

    assert reading.api.asked == ["list", "close"]


async def test_pages_come_one_a_second_while_nothing_is_delivered() -> None:
    """A LIST of half a million objects must not be a storm; what the stream says meanwhile is heard in between."""
    pages = [look("250", *(["a"] if n == 0 else []), token=f"t{n}") for n in range(30)]
    quietly = [step for page in pages for step in steps(page, QUIET)]
    script = steps(*SNAPSHOT, QUIET, Opened(), *quietly, look("250"), QUIET)
    reading = await Reading(FIRST, script, verify=T).until_over()

    assert len(reading.api.waits) == 32
    assert set(reading.api.waits[2:]) == {PACE}


async def test_steady_deletes_put_no_page_off() -> None:
    """Events expire all the time where there are many: each one would have begun the second before a page anew."""
    objects = frames(*[added(f"e{number}", "98") for number in range(3)], mark("100", ends_initial=True))
    gone = [frames(deleted(f"e{number}", str(300 + number))) for number in range(2)]
    between = steps(0.4, gone[0], 0.4, gone[1], 0.4)
    script = steps(Opened(), objects, QUIET, Opened(), look("250", "e0", "e1", token="t"), *between, look("250", "e2"))
    reading = await Reading(FIRST, [*script, QUIET], verify=T).until_over()

    assert reading.api.asked[-3:] == ["look", "look t", "close"]
    assert [event.position.version for event in await reading.events() if isinstance(event, Progress)] == ["250"]


async def test_what_comes_between_two_pages_is_published_at_once() -> None:
    """And asks for no more pages: the stream is not silent any more."""
    script = steps(*SNAPSHOT, QUIET, Opened(), look("250", "a", token="t"), frames(added("b", "251")), 10.0)
    reading = await Reading(FIRST, script, verify=T).until_over()

    assert reading.api.asked[-2:] == ["look", "close"]
    assert (await reading.events())[-1] == added("b", "251", fresh=True)


def failing(fault: Fault) -> Iterable[Step]:
    return chain(SNAPSHOT, chain.from_iterable(repeat(steps(QUIET, Opened(), fault))))


def differing() -> Iterator[Step]:
    """Objects whose version is another one each time they are looked at (some aggregated servers)."""
    yield from SNAPSHOT
    for version in range(200, 10**6, 2):
        yield from steps(
            QUIET,
            Opened(),
            Page([listed("a", str(version))], ResourceVersion(str(version))),
            QUIET,
            Page([listed("a", str(version + 1))], ResourceVersion(str(version + 1))),
        )


def breaking() -> Iterable[Step]:
    broken = Fault(Phase.STREAM, Kind.END, age=2)
    again = repeat(steps(QUIET, Opened(), look("200", "a"), 0.2, broken, newest("200"), Opened()))
    return chain(SNAPSHOT, chain.from_iterable(again))


LIST_ALONE = {
    "busy": Fault(Phase.LIST, Kind.HTTP, 429, retry_after=200),
    "forbidden": Fault(Phase.LIST, Kind.HTTP, 403),
    "expired": Fault(Phase.PAGE, Kind.HTTP, 410, "Expired"),
    "not accepted": Fault(Phase.LIST, Kind.HTTP, 400, "BadRequest"),
    "refused": Fault(Phase.PROBE, Kind.NETWORK),
    "spoilt": Fault(Phase.LIST, Kind.UNDECODABLE),
}


@pytest.mark.parametrize("failure", LIST_ALONE)
async def test_a_verification_that_fails_leaves_the_fresh_watch_open(failure: str) -> None:
    """It has done nothing wrong: what it says next must not wait for a server that is too busy for a LIST."""
    fault = LIST_ALONE[failure]
    script = steps(*SNAPSHOT, QUIET, Opened(), fault, 10.0, frames(added("b", "101")), QUIET, Opened())
    reading = await Reading(FIRST, script, verify=T).until_over()

    assert reading.api.asked[:6] == ["list", "close", "open 100", "look", "close", "open 101"]
    assert (await reading.events())[-1] == added("b", "101", fresh=True)


async def test_a_verification_waits_as_long_as_the_server_says() -> None:
    """And the stream is listened to meanwhile: a LIST is the dearest thing that a server in trouble is asked for."""
    busy = Fault(Phase.LIST, Kind.HTTP, 429, retry_after=200)
    reading = await Reading(FIRST, [*SNAPSHOT, QUIET, Opened(), busy, QUIET, Opened()], verify=T).until_over()

    assert _requests(reading.api.asked)[:4] == ["list", "open 100", "look", "open 100"]
    assert reading.api.waits[2] == 200


async def test_a_verification_that_is_refused_gets_new_credentials() -> None:
    """The watch lives on with those that it was opened with; without new ones no LIST would ever be answered."""
    refused = Fault(Phase.LIST, Kind.HTTP, 401)
    script = steps(*SNAPSHOT, QUIET, Opened(), refused, QUIET, Opened(), look("250", "a"), QUIET)
    reading = await Reading(FIRST, script, verify=T).until_over()

    assert reading.api.asked[:6] == ["list", "close", "open 100", "look", "reauthenticate", "close"]
    assert [event.position.version for event in await reading.events() if isinstance(event, Progress)] == ["250"]


async def test_a_verification_that_is_forbidden_is_told() -> None:
    """Only people can mend it, and until they do the position of an idle stream grows old."""
    forbidden = Fault(Phase.LIST, Kind.HTTP, 403)
    with capture_logs() as logs:
        await Reading(FIRST, [*SNAPSHOT, QUIET, Opened(), forbidden, 10.0], verify=T).until_over()

    assert [entry["what"] for entry in logs if entry["event"] == "stream delayed"] == ["list: http: 403"]


def nameless() -> Iterable[Step]:
    return chain(SNAPSHOT, chain.from_iterable(repeat(steps(QUIET, Opened(), look("", "a")))))


SICK: dict[str, Callable[[], Iterable[Step]]] = {
    "a LIST that is refused": lambda: failing(Fault(Phase.LIST, Kind.HTTP, 503)),
    "a LIST that is forbidden": lambda: failing(Fault(Phase.LIST, Kind.HTTP, 403)),
    "a fresh stream that breaks": breaking,
    "a LIST without a version": nameless,
    "each look differs": differing,
}


@pytest.mark.parametrize("sick", SICK)
@pytest.mark.parametrize("verify", [T, 3.0])
async def test_a_sick_server_is_asked_at_most_once_a_second(sick: str, verify: float) -> None:
    """Whatever comes of its verifications: and nothing of it is a reason to relist, or fills the buffer."""
    reading = await Reading(FIRST, SICK[sick](), verify=verify).until_over(600)

    assert 5 < len(reading.api.times) <= 600 + 2
    assert reading.api.asked.count("list") == 1
    assert reading.buffer.size < 10_000


async def test_another_cluster_ends_the_reader_after_a_while() -> None:
    """39: two clusters that answer in turn would have the stream start over without a pause."""
    stranger = Fault(Phase.PROBE, Kind.STRANGER, message="cluster uid was 1, is 2")
    reading = Reading(FIRST, [*SNAPSHOT, QUIET, Opened(), stranger], verify=T)
    trouble = await reading.reader().run()

    assert trouble.verdict == StartOver()
    assert reading.api.times[-1] + CONFIRM > T * (1 - JITTER)
    assert [type(event).__name__ for event in await reading.events()] == ["Restarted", "Change", "Synced"]


async def test_what_was_lost_is_named_in_the_log() -> None:
    """Whoever is woken by it must know what to look at."""
    lost = look("250", "a", "lost")
    script: list[Step] = [*SNAPSHOT, QUIET, Opened(), lost, QUIET, lost]
    with capture_logs() as logs:
        reading = await Reading(FIRST, script, verify=T).until_over()
    said: list[Any] = [entry for entry in logs if entry["event"] == "differences found"]

    assert reading.api.asked[-1] == "list"
    assert [(entry["log_level"], entry["objects"], entry["lasting"], entry["what"]) for entry in said] == [
        ("debug", 1, False, "not told: pods/default/lost (is at 98)"),
        ("warning", 1, True, "not told: pods/default/lost (is at 98)"),
    ]


async def test_a_verification_is_told_quietly() -> None:
    with capture_logs() as logs:
        await Reading(FIRST, [*SNAPSHOT, QUIET, Opened(), look("250", "a"), QUIET], verify=T).until_over()

    assert [entry for entry in logs if entry["event"] == "stream verified"] == [
        {"event": "stream verified", "log_level": "debug", "stream": "pods", "resource_version": "250", "objects": 1}
    ]
