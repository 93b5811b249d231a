"""The reader on a clock that jumps: what it asks, and above all when. Hours of trouble take no time here."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count, repeat

import pytest
from structlog.testing import capture_logs

from bridge.model.event import Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, ResourceVersion
from bridge.source.buffer import Buffer, Pool
from bridge.source.faults import Fatal, Fault, Kind, Phase, Removed
from bridge.source.frames import Frame, Page, Status, Undecodable
from bridge.source.reader import CONFIRM
from bridge.source.states import Newest, Opened, Origin, Trouble, resumed, unlisted
from tests.source.replies import Reading, Step, frames
from tests.source.words import added, at, deleted, listed, mark, modified

FIRST = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))
HERE = resumed(at(5, "100"))
NEWEST = Newest(ResourceVersion("100"))
UNSUPPORTED = Fault(Phase.INITIAL, Kind.HTTP, 400)
HOUR = 3600.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of lines that nobody reads would be most of the time."""
    with capture_logs():
        yield


def steps(*these: Step) -> list[Step]:
    return [*these]


def always(*replies: Step) -> Iterable[Step]:
    """The server goes on like this for ever."""
    return chain(steps(NEWEST), chain.from_iterable(repeat(replies)))


def newest(version: str) -> Newest:
    return Newest(ResourceVersion(version))


def refused(phase: Phase = Phase.PROBE) -> Fault:
    return Fault(phase, Kind.NETWORK, message="refused")


def answered(status: int, phase: Phase = Phase.OPEN, *, absent: bool = False, retry: float = 0) -> Fault:
    return Fault(phase, Kind.HTTP, status, absent=absent, retry_after=retry)


def end(*, seen: int = 0, age: float = 0.1) -> Fault:
    return Fault(Phase.STREAM, Kind.END, frames=seen, age=age)


def cut(*, seen: int = 0, age: float = 0.1) -> Fault:
    return Fault(Phase.STREAM, Kind.NETWORK, frames=seen, age=age)


def page(version: str, *names: str, token: str = "") -> Page:
    return Page([listed(name, "98") for name in names], ResourceVersion(version), token)


async def test_a_checkpoint_is_resumed_without_a_list() -> None:
    """1: a restart of the bridge costs the API server one small question."""
    reading = await Reading(HERE, [NEWEST, Opened(), frames(added("a", "101"))]).until_over()

    assert reading.api.asked == ["newest", "open 100", "close"]
    assert await reading.events() == [added("a", "101", fresh=True)]


async def test_a_first_start_takes_a_watch_list() -> None:
    """11: one request for the snapshot and what follows it; epochs are named by the clock on the wall."""
    script: list[Step] = [
        Opened(),
        frames(added("a", "98"), mark("100", ends_initial=True)),
        frames(modified("a", "101")),
    ]
    reading = await Reading(FIRST, script).until_over()
    restarted, one, synced, two = await reading.events()

    assert reading.api.asked == ["list", "close"]
    assert isinstance(restarted, Restarted)
    assert restarted.epoch > 1_700_000_000_000
    assert (one, two) == (listed("a", "98", fresh=True), modified("a", "101"))
    assert isinstance(synced, Synced)
    assert synced.position.epoch == restarted.epoch


async def test_each_method_asks_as_it_should() -> None:
    """4, 6, 12: WatchList, pages, pages again, all at once; and the watch from the version of the list."""
    expired = answered(410, Phase.PAGE)
    script: list[Step] = [
        UNSUPPORTED,
        page("100", "a", token="t"),
        expired,
        page("101", "a", token="u"),
        expired,
        page("102", "a"),
    ]
    reading = await Reading(FIRST, script).until_over()

    assert reading.api.asked == ["list", "page", "page t", "page", "page u", "whole", "open 102"]


async def test_pages_come_without_a_pause() -> None:
    """8: a token lasts five minutes, and there may be thousands of pages."""
    pages = [page("100", f"p{number}", token=f"t{number}") for number in range(40)]
    reading = await Reading(FIRST, [UNSUPPORTED, *pages, page("100"), Opened()]).until_over()

    assert len(reading.api.waits) == 42
    assert set(reading.api.waits) == {0.0}


async def test_a_stream_that_ended_after_changes_is_opened_at_once() -> None:
    """20: each watch ends after some minutes; nobody should see it in the latency."""
    script = steps(NEWEST, Opened(), frames(added("a", "101")), end(seen=1, age=400), newest("101"), Opened())
    reading = await Reading(HERE, script).until_over()

    assert reading.api.asked == ["newest", "open 100", "newest", "open 101", "close"]
    assert reading.api.waits == [0, 0, 0]


async def test_a_short_stream_that_brought_changes_is_opened_at_once() -> None:
    """A busy API server cuts slow readers: what matters then is to read on."""

    def busy() -> Iterator[Step]:
        yield NEWEST
        for version in range(101, 111):
            yield from steps(Opened(), frames(added("a", str(version))), end(seen=1), newest(str(version)))

    reading = await Reading(HERE, busy()).until_over()

    assert reading.api.waits == [0] * 21


async def test_waits_grow_while_nothing_answers() -> None:
    """41, 43: the first try comes soon, and a dead server is not asked more often than twice a minute."""
    reading = await Reading(HERE, repeat(refused())).until_over(HOUR)
    waits = reading.api.waits
    bounds = chain([0.8, 1.6, 3.2, 6.4, 12.8, 25.6], repeat(30.0))

    assert all(wait <= bound for wait, bound in zip(waits, bounds, strict=False))
    assert max(waits) > 20
    assert 120 < len(waits) < 500


async def test_a_mere_connection_does_not_reset_the_waits() -> None:
    """43: a server that accepts and then fails would be asked at full speed (kube-rs resets on any success)."""
    script = always(Opened(), cut(), NEWEST)
    reading = await Reading(HERE, script).until_over(HOUR)

    assert len(reading.api.times) < 2 * 500


@pytest.mark.parametrize("proof", [added("a", "101"), deleted("known", "101"), mark("101")])
async def test_a_change_or_a_bookmark_resets_the_waits(proof: Frame) -> None:
    """43: what came after a bad hour is not made to pay for it."""
    script = steps(*[refused()] * 12, NEWEST, Opened(), frames(proof), cut(seen=1), refused())
    reading = await Reading(HERE, [*script, NEWEST], {"pods/default/known": "uid-known"}).until_over()

    assert reading.api.asked[13].startswith("open")
    assert max(reading.api.waits[13:]) <= 1.6


async def test_a_long_life_resets_the_waits() -> None:
    """43: an idle resource brings nothing for hours, and is healthy."""
    script = steps(*[refused()] * 12, NEWEST, Opened(), 121.0, cut(age=121), NEWEST, Opened())
    reading = await Reading(HERE, script).until_over()

    assert reading.api.waits[13] <= 121 + 0.8


async def test_a_relist_comes_at_once_but_a_loop_of_them_slows_down() -> None:
    """29, 43: kopf relists ten times a second when each watch is answered with 410; a relist may be gigabytes."""

    def loop() -> Iterator[Step]:
        yield from steps(NEWEST, answered(410))
        while True:
            yield from steps(Opened(), frames(mark("100", ends_initial=True)), frames(Status("Status", 410, "Expired")))

    reading = await Reading(HERE, loop()).until_over(HOUR)

    assert reading.api.asked[:3] == ["newest", "open 100", "list"]
    assert reading.api.waits[:2] == [0, 0]
    assert 100 < len(reading.api.times) < 500


@pytest.mark.parametrize("status", [403, 405])
async def test_what_only_people_can_mend_is_asked_rarely(status: int) -> None:
    """36, 40: never given up, at most a minute apart: whoever grants the right sees it work."""
    reading = await Reading(HERE, repeat(answered(status, Phase.PROBE))).until_over(4 * HOUR)
    waits = reading.api.waits

    assert 45 < max(waits) <= 60
    assert 20 < sum(waits[10:]) / len(waits[10:]) < 40


async def test_refused_credentials_are_read_anew_and_tried_at_once() -> None:
    """35: a token that was renewed costs one request and no time."""
    script = steps(NEWEST, answered(401), NEWEST, Opened(), frames(added("a", "101")))
    reading = await Reading(HERE, script).until_over()

    assert reading.api.asked == ["newest", "open 100", "reauthenticate", "newest", "open 100", "close"]
    assert reading.api.waits == [0, 0, 0]


async def test_credentials_that_stay_refused_are_tried_ever_less() -> None:
    """35: each try with a wrong token costs the API server a question to its webhook."""
    reading = await Reading(HERE, always(answered(401), NEWEST)).until_over(HOUR)

    assert reading.api.asked[1:7] == ["open 100", "reauthenticate", "newest"] * 2
    assert len(reading.api.times) < 2 * 500


@pytest.mark.parametrize("seconds", [7.0, 90.0])
async def test_the_server_says_when_to_come_back(seconds: float) -> None:
    """32: and is obeyed though our own wait is shorter."""
    script = chain(steps(NEWEST), *[steps(answered(429, retry=seconds), NEWEST)] * 5)
    reading = await Reading(HERE, script).until_over()

    assert reading.api.asked == ["newest", "open 100"] * 6
    assert all(wait >= seconds for wait in reading.api.waits[1::2])


def replaying() -> Iterable[Step]:
    """The position stays before a delete: each resumed watch says it again, and then nothing."""
    return always(Opened(), frames(deleted("a", "105")), end(seen=1), newest("105"))


def mute() -> Iterable[Step]:
    return always(Opened(), frames(mark("")), end(seen=1), NEWEST)


def closing() -> Iterable[Step]:
    """200, an empty body, closed: as a position on such a server, and as a WatchList."""
    yield from steps(NEWEST, Opened(), end(), Opened(), end())
    for n in count():
        yield from steps(Opened(), frames(mark(str(200 + n), ends_initial=True)), end(), Opened(), end())


def spoiling() -> Iterable[Step]:
    """Each line is spoilt, after each relist too."""
    bad = frames(Undecodable("spoilt", b"{"))
    yield NEWEST
    while True:
        yield from steps(Opened(), bad, Opened(), bad, Opened(), frames(mark("200", ends_initial=True)))
        yield from steps(end(seen=1, age=0.1), newest("200"))


SICK: dict[str, Callable[[], Iterable[Step]]] = {
    "replayed delete": replaying,
    "bookmarks without version": mute,
    "bookmarks at our own version": lambda: always(Opened(), frames(mark("100")), end(seen=1), NEWEST),
    "closed at once": closing,
    "spoilt lines": spoiling,
    "cut at once": lambda: always(Opened(), cut(), NEWEST),
    "refused": lambda: always(refused(Phase.OPEN), NEWEST),
    "closed after two seconds": lambda: always(Opened(), 2.0, end(age=2.0), NEWEST),
    "429 without a hint": lambda: always(answered(429), NEWEST),
    "500": lambda: always(answered(500), NEWEST),
    "401": lambda: always(answered(401), NEWEST),
    "ERROR 503": lambda: always(Opened(), frames(Status("Status", 503)), NEWEST),
    "ERROR 401": lambda: always(Opened(), frames(Status("Status", 401)), NEWEST),
    "404": lambda: always(answered(404), NEWEST),
    "credentials": lambda: always(Fault(Phase.OPEN, Kind.CREDENTIALS), NEWEST),
}


@pytest.mark.parametrize("sick", SICK)
async def test_a_sick_server_is_asked_at_most_once_a_second(sick: str) -> None:
    """21: when nothing is delivered. kopf asks 1674 times a second, and has brought control planes down with others."""
    reading = await Reading(HERE, SICK[sick](), {"pods/default/a": "uid-a"}).until_over(600)

    assert 10 < len(reading.api.times) <= 600 + 2


async def test_deletes_that_were_said_fill_no_buffer() -> None:
    """A transaction of nothing would be committed for each of them."""
    script = steps(NEWEST, Opened(), frames(deleted("a", "105")), frames(deleted("a", "105")), frames(mark("")))
    reading = await Reading(HERE, script, {"pods/default/a": "uid-a"}).until_over()

    assert await reading.buffer.take(0, 0, 1 << 20) == [deleted("a", "105")]
    assert reading.buffer.ended


async def test_a_full_buffer_closes_the_watch_and_goes_on_later() -> None:
    """28: Kafka is slow or down; memory stays bounded, and not a change is lost or said twice."""
    watched = [steps(Opened(), frames(added(name, version))) for name, version in (("a", "101"), ("b", "102"))]
    reading = Reading(HERE, [NEWEST, *watched[0], newest("101"), *watched[1]])
    reading.buffer = Buffer(Pool(100))
    task = asyncio.create_task(reading.reader().run())
    asked, told = [], []
    for _ in range(2):
        await asyncio.sleep(HOUR)
        asked.append(list(reading.api.asked))
        told.append(await reading.buffer.take(0, 0, 1 << 20))
    task.cancel()
    await asyncio.wait({task})

    assert asked == [["newest", "open 100", "close"], ["newest", "open 100", "close", "newest", "open 101", "close"]]
    assert told == [[added("a", "101", fresh=True)], [added("b", "102", fresh=True)]]


async def test_a_snapshot_waits_for_room_without_being_closed() -> None:
    """28: it could not be resumed; the server is held back by not reading."""
    script: list[Step] = [
        Opened(),
        frames(added("a", "98")),
        frames(added("b", "99")),
        frames(mark("100", ends_initial=True)),
    ]
    reading = Reading(FIRST, script)
    reading.buffer = Buffer(Pool(1))
    task = asyncio.create_task(reading.reader().run())
    told, asked = [], []
    for _ in range(3):
        await asyncio.sleep(60)
        asked.append(list(reading.api.asked))
        told.append(len(await reading.buffer.take(0, 0, 1 << 20)))
    task.cancel()
    await asyncio.wait({task})

    assert asked == [["list"], ["list"], ["list", "close"]]
    assert told == [2, 1, 1]


async def test_the_next_page_waits_for_room() -> None:
    """Pages that nobody takes would fill the memory."""
    script = steps(UNSUPPORTED, page("100", "a", token="t"), page("100", "b"))
    reading = Reading(FIRST, script)
    reading.buffer = Buffer(Pool(1))
    task = asyncio.create_task(reading.reader().run())
    await asyncio.sleep(60)
    before = list(reading.api.asked)
    await reading.buffer.take(0, 0, 1 << 20)
    await asyncio.sleep(60)
    task.cancel()
    await asyncio.wait({task})

    assert before == ["list", "page"]
    assert reading.api.asked == ["list", "page", "page t"]


async def test_a_configuration_that_cannot_work_ends_the_reader() -> None:
    """And says why; whoever waits at the buffer learns that nothing will come."""
    bad = Fault(Phase.LIST, Kind.HTTP, 422, "Invalid")
    reading = Reading(FIRST, [UNSUPPORTED, bad])

    assert await reading.reader().run() == Trouble(bad, Fatal())
    assert reading.buffer.ended


async def test_a_resource_that_is_gone_ends_the_reader_after_its_deletes() -> None:
    """37."""
    gone = answered(404, absent=True)
    reading = Reading(HERE, [NEWEST, gone, gone], {"pods/default/a": "uid-a"})
    trouble = await reading.reader().run()
    events = await reading.events()

    assert trouble == Trouble(gone, Removed())
    assert [type(event).__name__ for event in events] == ["Restarted", "Change", "Synced"]
    assert reading.api.waits[1] >= CONFIRM


async def test_a_reader_that_is_cancelled_closes_its_watch() -> None:
    """A watch that nobody reads would hold a connection until the server gives up on it."""
    reading = await Reading(HERE, [NEWEST, Opened()]).until_over()

    assert reading.api.asked[-1] == "close"
    assert reading.buffer.ended


def delays(logs: list[object]) -> list[object]:
    return [entry for entry in logs if isinstance(entry, dict) and entry["event"] == "stream delayed"]


@pytest.mark.parametrize("status", [403, 405])
async def test_what_only_people_can_mend_is_said_at_once_and_then_once_a_minute(status: int) -> None:
    """36, 40: not once a try: a log that repeats itself is not read."""
    with capture_logs() as logs:
        await Reading(HERE, repeat(answered(status, Phase.PROBE))).until_over(600)
    said = delays([*logs])

    assert 5 <= len(said) <= 11
    assert said[0] == {
        "event": "stream delayed",
        "log_level": "warning",
        "stream": "pods",
        "what": f"probe: http: {status}",
        "seconds": 0.0,
        "tries": 1,
    }


async def test_trouble_that_passes_is_not_said() -> None:
    """A renewed token, an expired position, a broken connection: daily bread."""
    renewed = steps(NEWEST, answered(401), NEWEST, Opened(), frames(added("a", "101")))
    back = steps(end(seen=1), newest("101"), answered(503), newest("101"), Opened())
    with capture_logs() as logs:
        await Reading(HERE, [*renewed, *back]).until_over()

    assert delays([*logs]) == []


async def test_trouble_that_stays_is_said_from_its_second_time_on() -> None:
    with capture_logs() as logs:
        await Reading(HERE, repeat(refused(), 2)).until_over()
    (said,) = delays([*logs])

    assert isinstance(said, dict)
    assert (said["what"], said["tries"]) == ("probe: network: refused", 2)


async def test_health_ends_the_delay() -> None:
    """The next trouble is a new one, with its own beginning."""
    twice = steps(refused(), refused())
    script = steps(*twice, NEWEST, Opened(), frames(mark("101")), 500.0, cut(seen=1, age=500), *twice)
    with capture_logs() as logs:
        await Reading(HERE, script).until_over()

    assert [said["tries"] for said in delays([*logs]) if isinstance(said, dict)] == [2, 2]


async def test_a_long_snapshot_says_how_far_it_is() -> None:
    """A relist of a million objects takes minutes: silence would look like a hang. No more than every 5 s."""
    read: list[Step] = [2.0, frames(added("a", "98"), added("b", "98"))]
    script = steps(Opened(), *read * 6, frames(mark("100", ends_initial=True)), 60.0, frames(added("c", "101")))
    with capture_logs() as logs:
        await Reading(FIRST, script).until_over()
    said = [(entry["objects"], entry["seconds"]) for entry in logs if "objects" in entry]

    assert said == [(8, 6.0)]
