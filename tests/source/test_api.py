"""What the API server may answer, byte for byte, and what the reader is told of it."""

import asyncio
import datetime as dt
import email.utils
import json
import socket

import pytest
from msgspec.structs import replace

from bridge.model.event import Change, ChangeType
from bridge.model.position import ResourceVersion
from bridge.model.resource import Resource, Selection
from bridge.source.api import ENDLESS, WATCH, Api
from bridge.source.faults import FallBack, Fault, Kind, Phase, classify
from bridge.source.frames import Bookmark, Frame, Page, Status, Undecodable
from bridge.source.lines import LINE_CAP
from bridge.source.pace import MANY
from bridge.source.states import Frames, Newest, Opened, Quiet
from tests.source.scripted import CUT, END, HEAD, Request, Route, Script, Server, Step, answer, chunk, in_turn, watch

PODS = Resource("", "v1", "pods", "Pod", True)
V5 = ResourceVersion("5")


def body(name: str, version: str, filling: str = "") -> bytes:
    meta = {"name": name, "namespace": "d", "uid": f"u-{name}", "resourceVersion": version}
    data = {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "data": filling}
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def line(name: str, version: str, filling: str = "") -> bytes:
    return b'{"type":"ADDED","object":%b}\n' % body(name, version, filling)


def added(name: str, version: str, filling: str = "") -> Change:
    found = ResourceVersion(version)
    return Change(ChangeType.ADDED, f"pods/d/{name}", f"u-{name}", found, body(name, version, filling))


def status(code: int, reason: str = "", message: str = "", **details: object) -> str:
    document: dict[str, object] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    document |= {"message": message, "reason": reason, "code": code}
    return json.dumps(document | ({"details": details} if details else {}))


BOOKMARK = b'{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}\n'
INITIAL_END = (
    b'{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"8",'
    b'"annotations":{"k8s.io/initial-events-end":"true"}}}}\n'
)
GONE = "too old resource version: 5 (9)"
PRETTY = json.dumps(json.loads(status(410, "Expired", GONE)), indent=2)
EXPIRED = Fault(Phase.OPEN, Kind.HTTP, 410, "Expired", GONE)


def api(server: Server, selection: Selection | None = None) -> Api:
    return Api(server.session(), selection or Selection(PODS))


async def closed(api: Api) -> None:
    api.close()
    await api._session.close()


async def told(route: Route) -> Opened | Fault:
    """What a watch that is answered by *route* comes to."""
    async with Server(route) as server:
        asked = api(server)
        reply = await asked.open(V5)
        await closed(asked)
        return (
            replace(reply, message=reply.message.replace(server.url, "SERVER")) if isinstance(reply, Fault) else reply
        )


HTTP: dict[str, tuple[Script, Fault]] = {
    "410, compact": (answer(status(410, "Expired", GONE), 410), EXPIRED),
    "410, over many lines": (answer(PRETTY, 410), EXPIRED),
    "410, empty": (answer("", 410), Fault(Phase.OPEN, Kind.HTTP, 410)),
    "410, Gone": (answer(status(410, "Gone", GONE), 410), replace(EXPIRED, reason="Gone")),
    "504, too large": (
        answer(status(504, "Timeout", "m", causes=[{"reason": "ResourceVersionTooLarge"}], retryAfterSeconds=1), 504),
        Fault(Phase.OPEN, Kind.HTTP, 504, "Timeout", "m", ("ResourceVersionTooLarge",), 1.0),
    ),
    "429, header": (
        answer(status(429, "TooManyRequests"), 429, retry_after="7"),
        Fault(Phase.OPEN, Kind.HTTP, 429, "TooManyRequests", retry_after=7.0),
    ),
    "429, details": (
        answer(status(429, "TooManyRequests", retryAfterSeconds=9), 429),
        Fault(Phase.OPEN, Kind.HTTP, 429, "TooManyRequests", retry_after=9.0),
    ),
    "429, both: the longer": (
        answer(status(429, "TooManyRequests", retryAfterSeconds=3), 429, retry_after="4"),
        Fault(Phase.OPEN, Kind.HTTP, 429, "TooManyRequests", retry_after=4.0),
    ),
    "503, a date that is past": (
        answer("", 503, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
        Fault(Phase.OPEN, Kind.HTTP, 503),
    ),
    "503, nonsense for a date": (answer("", 503, retry_after="soon"), Fault(Phase.OPEN, Kind.HTTP, 503)),
    "503, a proxy's page": (
        answer("<html>\n<b>Service\n Unavailable</b>", 503, "text/html"),
        Fault(Phase.OPEN, Kind.HTTP, 503, message="SERVER answered text/html: <html> <b>Service Unavailable</b>"),
    ),
    "200, a login page": (
        answer("<html>log in", 200, "text/html"),
        Fault(Phase.OPEN, Kind.HTTP, 200, message="SERVER answered text/html: <html>log in"),
    ),
    "JSON that is no Status": (
        answer('{"error":"nope"}', 500),
        Fault(Phase.OPEN, Kind.HTTP, 500, message='SERVER answered application/json: {"error":"nope"}'),
    ),
    "an error's body that is cut": (
        [b"HTTP/1.1 410 Gone\r\ncontent-length: 100\r\n\r\nabc", CUT],
        Fault(Phase.OPEN, Kind.HTTP, 410),
    ),
    "an error's body that never ends": (
        [b"HTTP/1.1 410 Gone\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\nabc", 60.0],
        Fault(Phase.OPEN, Kind.HTTP, 410, message="SERVER answered text/plain: abc"),
    ),
}


@pytest.mark.parametrize("name", HTTP)
async def test_answers_that_refuse(name: str) -> None:
    """Behaviours 29, 31-33, 44: what the server says of itself survives any form it is sent in."""
    script, fault = HTTP[name]

    found = await told(in_turn(script))

    if name == "an error's body that is cut":  # how much of it arrives before the reset is the kernel's business
        assert isinstance(found, Fault)
        found = replace(found, message="")
    assert found == fault


async def test_a_retry_after_may_be_a_date() -> None:
    """Proxies send dates (RFC 9110): taken for 0 they would be asked at full speed."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)
    fault = await told(in_turn(answer("", 503, retry_after=email.utils.format_datetime(soon, usegmt=False))))

    assert isinstance(fault, Fault)
    assert 50 < fault.retry_after <= 60


@pytest.mark.parametrize(
    "hint", ["86400", "9" * 400, "Fri, 31 Dec 9998 23:59:59 GMT", "1 Jan 2026 00:00:00 +99999999999"]
)
async def test_no_hint_is_obeyed_for_long(hint: str) -> None:
    """32: a maintenance page that says a day, a clock that is years ahead, nonsense: none may silence a stream."""
    fault = await told(in_turn(answer("", 503, retry_after=hint)))

    assert isinstance(fault, Fault)
    assert fault.retry_after in (300.0, 0.0)


async def heard(*script: Step, initial: bool = False) -> list[Frames | Fault]:
    """Everything that a watch answered by *script* says, its fault last. Ages and addresses are left out."""
    async with Server(in_turn(script)) as server:
        asked = api(server)
        opened = await (asked.open_list() if initial else asked.open(V5))
        assert opened == Opened()
        replies: list[Frames | Fault] = []
        while not (replies and isinstance(replies[-1], Fault)):
            reply = await asked.frames()
            assert not isinstance(reply, Quiet)
            if isinstance(reply, Fault):
                reply = replace(reply, age=0.0, message=reply.message.replace(server.url, "SERVER"))
            replies.append(reply)
        await closed(asked)
        return replies


def ended(frames: int = 0, kind: Kind = Kind.END, message: str = "", phase: Phase = Phase.STREAM) -> Fault:
    return Fault(phase, kind, message=message, frames=frames)


async def test_a_watch_that_says_nothing() -> None:
    """Behaviour 21: 200, zero bytes, closed. Its age and its silence tell the table what it means."""
    assert await heard(*watch()) == [ended()]


async def test_changes_bookmarks_and_errors_in_order() -> None:
    """Appendix 3, shapes 1, 5, 7: an ERROR event is a frame like any other; the machine judges it."""
    error = b'{"type":"ERROR","object":%b}\n' % status(500, "InternalError", "etcdserver: no leader").encode()

    replies = await heard(HEAD, chunk(line("a", "6") + BOOKMARK + error), END)

    said: list[Frame] = [added("a", "6"), Bookmark(ResourceVersion("9"))]
    assert replies == [
        Frames([*said, Status("Status", 500, "InternalError", "etcdserver: no leader")]),
        ended(frames=3),
    ]


@pytest.mark.parametrize("text", [status(410, "Expired", GONE), PRETTY, PRETTY + "\n"])
async def test_a_status_with_200_instead_of_a_watch(text: str) -> None:
    """Behaviour 44 (python-base#231): read as lines it would be many undecodable ones, and never a 410."""
    assert await heard(*answer(text)) == [replace(EXPIRED, phase=Phase.STREAM)]


async def test_a_status_with_200_as_one_line() -> None:
    replies = await heard(*answer(status(410, "Expired", GONE) + "\n"))

    assert replies == [Frames([Status("Status", 410, "Expired", GONE)]), ended(frames=1)]


async def test_one_bad_line_on_a_live_watch_is_told_at_once() -> None:
    """Behaviour 46: it must not wait for what may come after it."""
    replies = await heard(*watch(b'{"type":"ADDED","object":null}\n', end=[600.0]))

    first = replies[0]
    assert isinstance(first, Frames)
    assert [type(frame) for frame in first.frames] == [Undecodable]


async def test_a_frame_split_at_every_byte() -> None:
    """Behaviour 48: also inside of characters of 2, 3 and 4 bytes."""
    filling = "ä€🦔"
    whole = line("a", "6", filling)
    pieces = [piece for at in range(1, len(whole)) for piece in (chunk(whole[:at]), 0.03, chunk(whole[at:]), 0.03)]

    *frames, fault = await heard(HEAD, *pieces, END)

    assert frames == [Frames([added("a", "6", filling)])] * (len(whole) - 1)
    assert fault == ended(frames=len(whole) - 1)


async def test_a_watch_cut_in_the_middle_of_a_line() -> None:
    """Behaviour 45: what was whole counts, the rest does not, and the end was none in good order."""
    *frames, fault = await heard(HEAD, chunk(line("a", "6")), 0.01, b"ff\r\n" + line("b", "7")[:9], 0.01, CUT)

    assert frames == [Frames([added("a", "6")])]
    assert isinstance(fault, Fault)
    assert replace(fault, message="") == ended(1, Kind.NETWORK)
    assert fault.message.startswith("SERVER: ")


async def test_a_watch_ended_cleanly_in_the_middle_of_a_line() -> None:
    """Behaviour 45: a proxy may end the body in good order; a line without its end is none."""
    replies = await heard(HEAD, chunk(line("a", "6")), 0.01, chunk(line("b", "7")[:20]), END)

    assert replies == [Frames([added("a", "6")]), ended(1)]


@pytest.mark.parametrize("size", [5 << 20, 20_000_000])
async def test_large_objects(size: int) -> None:
    """Behaviour 47: libraries' readline() gives up at half a MiB."""
    filling = "x" * size

    replies = await heard(*watch(line("a", "6", filling)))

    assert replies == [Frames([added("a", "6", filling)]), ended(1)]


async def test_a_line_beyond_the_cap() -> None:
    """Behaviour 47: memory is bounded, and it is said aloud."""
    replies = await heard(HEAD, *[chunk(b"x" * (1 << 20))] * 34, END)

    assert replies == [ended(0, Kind.UNDECODABLE, f"a line of more than {LINE_CAP} bytes")]


class Clock:
    """Seconds since it was made, on the loop's own time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()

    def __float__(self) -> float:
        return self._loop.time() - self._began


async def test_silence_without_bookmarks_lasts_as_long_as_the_watch() -> None:
    """Behaviour 23: core events get no bookmarks, so an idle watch is no dead one before its own time is over."""
    async with Server(in_turn(watch(end=[9999.0]))) as server:
        asked, clock = api(server), Clock()
        await asked.open(V5)
        fault = await asked.frames()
        seconds = int(dict(server.requests[0].params)["timeoutSeconds"])
        await closed(asked)

    assert float(clock) == pytest.approx(seconds + 10, abs=2)
    assert isinstance(fault, Fault)
    assert fault.age == pytest.approx(seconds + 10, abs=2)
    assert replace(fault, age=0.0) == ended(0, Kind.SILENT, f"nothing heard for {seconds + 10} s")


async def test_a_bookmark_once_seen_is_expected_on_every_later_watch() -> None:
    """Behaviour 23: learnt per resource. A server that was put back is silent on each new connection."""
    async with Server(in_turn(watch(BOOKMARK), watch(end=[9999.0]))) as server:
        asked = api(server)
        await asked.open(V5)
        assert await asked.frames() == Frames([Bookmark(ResourceVersion("9"))])
        await asked.open(ResourceVersion("9"))
        clock = Clock()
        fault = await asked.frames()
        await closed(asked)

    assert float(clock) == pytest.approx(70, abs=2)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.message) == (Kind.SILENT, "nothing heard for 70 s")


async def test_the_bookmark_that_ends_a_snapshot_promises_no_others() -> None:
    """Core events get this one too, and then none."""
    *frames, fault = await heard(HEAD, chunk(line("a", "6") + INITIAL_END), 200.0, CUT, initial=True)

    assert frames == [Frames([added("a", "6"), Bookmark(ResourceVersion("8"), ends_initial=True)])]
    assert isinstance(fault, Fault)
    assert replace(fault, message="") == ended(2, Kind.NETWORK)


async def test_a_snapshot_that_never_ends() -> None:
    """Behaviour 12: objects, but no bookmark after them; the table then falls back to pages."""
    replies = await heard(HEAD, chunk(line("a", "6")), 9999.0, initial=True)

    silent = ended(1, Kind.SILENT, "nothing heard for 30 s", Phase.INITIAL)
    assert replies == [Frames([added("a", "6")]), silent]


async def test_a_busy_snapshot_that_never_ends() -> None:
    """12: a change every few seconds, and no bookmark: silence does not show it, and a restart would not end it."""
    busy = [step for version in range(6, 100) for step in (chunk(line("a", str(version))), 10.0)]
    *frames, fault = await heard(HEAD, *busy, initial=True)

    assert ENDLESS / 11 < len(frames) < ENDLESS / 9
    assert isinstance(fault, Fault)
    assert classify(fault) == FallBack()


async def test_a_snapshot_that_we_leave_unread_is_not_without_an_end() -> None:
    """28: it waits for Kafka, and the server for us."""
    async with Server(in_turn([HEAD, chunk(line("a", "6")), 9.0, chunk(line("b", "7")), chunk(INITIAL_END)])) as server:
        asked = api(server)
        replies: list[object] = [await asked.open_list(), await asked.frames()]
        await asyncio.sleep(2 * ENDLESS)
        replies += [await asked.frames()]
        await closed(asked)

    assert replies[:2] == [Opened(), Frames([added("a", "6")])]
    assert isinstance(replies[2], Frames)


async def test_a_busy_stream_rests_after_it_was_read() -> None:
    """Whoever has what was read must know whether more may come at once, or not for a while."""
    many = b"".join(line("a", str(number)) for number in range(10, 10 + MANY))
    async with Server(in_turn([HEAD, chunk(line("a", "6")), 1.0, chunk(many), 60.0])) as server:
        asked = api(server)
        await asked.open(V5)
        seen = []
        for _ in range(2):
            frames = await asked.frames()
            assert isinstance(frames, Frames)
            seen.append((len(frames.frames), asked.rests))
        asked.close()
        assert (seen, asked.rests) == ([(1, False), (MANY, True)], False)
        await closed(asked)


async def test_bytes_are_a_sign_of_life() -> None:
    """A huge object on a thin line: the deadline is of one read, not of one frame."""
    whole = line("a", "6")
    size = len(whole) // 9
    dribble = [step for at in range(0, len(whole), size) for step in (chunk(whole[at : at + size]), 29.0)]

    replies = await heard(HEAD, *dribble, END, initial=True)

    assert replies == [Frames([added("a", "6")]), ended(1, phase=Phase.INITIAL)]


async def test_empty_lines_are_no_sign_of_life() -> None:
    """23: a proxy that sends them to keep a connection open would hide for ever that the server behind it is gone."""
    async with Server(
        in_turn(watch(BOOKMARK, end=[step for _ in range(99) for step in (20.0, chunk(b"\n"))]))
    ) as server:
        asked = api(server)
        await asked.open(V5)
        assert await asked.frames() == Frames([Bookmark(ResourceVersion("9"))])
        clock = Clock()
        fault = await asked.frames()
        await closed(asked)

    assert float(clock) == pytest.approx(70, abs=2)
    assert isinstance(fault, Fault)
    assert (fault.kind, fault.message) == (Kind.SILENT, "nothing heard for 70 s")


async def test_what_is_asked() -> None:
    """Appendix 1, letter for letter: a token goes with nothing but its limit; selectors go with everything."""
    empty = answer('{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[]}')
    selection = Selection(PODS, "d", "a in (b,c)", "spec.nodeName=n")
    async with Server(in_turn(empty, empty, empty, empty, watch(), watch())) as server:
        asked = api(server, selection)
        replies = [
            await asked.newest(),
            await asked.page("", whole=False),
            await asked.page("a+b/c==", whole=False),
            await asked.page("", whole=True),
            await asked.open(V5),
            await asked.open_list(),
        ]
        await closed(asked)

    page = Page([], ResourceVersion("7"))
    assert replies == [Newest(ResourceVersion("7")), page, page, page, Opened(), Opened()]
    assert {request.path for request in server.requests} == {"/api/v1/namespaces/d/pods"}
    chosen = [("labelSelector", "a in (b,c)"), ("fieldSelector", "spec.nodeName=n")]
    streamed = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", "T")]
    initial = [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"), ("resourceVersion", "")]
    assert [_timeless(request) for request in server.requests] == [
        [("limit", "1"), *chosen],
        [("limit", "500"), *chosen],
        [("limit", "500"), ("continue", "a+b/c=="), *chosen],
        chosen,
        [*streamed, ("resourceVersion", "5"), *chosen],
        [*streamed, *initial, *chosen],
    ]
    assert [request.headers["accept-encoding"] for request in server.requests] == ["gzip"] * 4 + ["identity"] * 2


async def test_watches_are_asked_to_last_for_random_times() -> None:
    """22: those that were opened together, as after a restart, would end together for ever after."""
    async with Server(lambda _: watch()) as server:
        asked = api(server)
        for _ in range(20):
            assert await asked.open(V5) == Opened()
            assert await asked.open_list() == Opened()
        await closed(asked)
    seconds = [int(dict(request.params)["timeoutSeconds"]) for request in server.requests]

    assert all(WATCH[0] <= each <= WATCH[1] for each in seconds)
    assert all(len(set(kind)) > 10 for kind in (seconds[::2], seconds[1::2]))


def _timeless(request: Request) -> list[tuple[str, str]]:
    """Behaviour 22: a watch lasts 300 to 600 s, by chance."""
    seconds = dict(request.params).get("timeoutSeconds")
    assert seconds is None or 300 <= int(seconds) <= 600
    return [(name, "T" if name == "timeoutSeconds" else value) for name, value in request.params]


async def listed(script: Script, token: str = "") -> Page | Fault:
    async with Server(in_turn(script)) as server:
        asked = api(server)
        reply = await asked.page(token, whole=False)
        await closed(asked)
        return reply


async def test_pages() -> None:
    """Behaviour 15: items of built-in types carry no kind."""
    bare = body("a", "6").replace(b'"kind":"Pod","apiVersion":"v1",', b"")
    meta = b'{"resourceVersion":"9","continue":"more"}'
    found = await listed(answer(b'{"kind":"PodList","metadata":%b,"items":[%b]}' % (meta, bare)))

    assert found == Page([replace(added("a", "6"), type=ChangeType.LISTED)], ResourceVersion("9"), "more")


async def test_an_expired_token() -> None:
    """Behaviour 6: the new token that such a 410 offers would give an inconsistent list, and is not taken."""
    text = status(410, "Expired", "m").replace('"metadata": {}', '"metadata": {"continue": "inconsistent"}')

    assert await listed(answer(text, 410), "old") == Fault(Phase.PAGE, Kind.HTTP, 410, "Expired", "m")


async def test_a_status_with_200_instead_of_a_list() -> None:
    """As a list it would be empty: everything would seem to be deleted."""
    assert await listed(answer(status(410, "Expired", GONE))) == Fault(Phase.LIST, Kind.HTTP, 410, "Expired", GONE)


async def test_pages_that_cannot_be_read() -> None:
    cut = await listed(answer('{"metadata":{"resourceVersion":"9"},"items":[{'))

    assert isinstance(cut, Fault)
    assert replace(cut, message="") == Fault(Phase.LIST, Kind.UNDECODABLE)


NOT_FOUND = answer(status(404, "NotFound", "m"), 404)
CORE = '{"kind":"APIResourceList","groupVersion":"v1","resources":[%s]}'
PODS_SERVED = CORE % '{"name":"pods","singularName":"pod","namespaced":true,"kind":"Pod","verbs":["list","watch"]}'


@pytest.mark.parametrize(
    ("discovered", "absent"),
    [
        (NOT_FOUND, False),
        (answer(CORE % ""), True),
        (answer(PODS_SERVED), False),
        (answer("", 503), False),
        (answer("?"), False),
    ],
)
async def test_a_404_is_confirmed_by_discovery(discovered: Script, absent: bool) -> None:
    """Behaviour 37: a proxy's 404, or a server that is starting, must not end an epoch with nothing in it."""
    asked = [Fault(phase, Kind.HTTP, 404, "NotFound", "m", absent=absent) for phase in (Phase.PROBE, Phase.OPEN)]

    async with Server(lambda request: discovered if request.path == "/api/v1" else NOT_FOUND) as server:
        reader = api(server)
        found = [await reader.newest(), await reader.open(V5)]
        await closed(reader)

    assert found == asked


async def test_a_server_that_is_not_there() -> None:
    """Behaviour 41: the address stands in the message, or nobody knows what to mend."""
    async with Server(in_turn()) as server:
        asked = api(server)
    fault = await asked.open(V5)
    await closed(asked)

    assert isinstance(fault, Fault)
    assert replace(fault, message="") == Fault(Phase.OPEN, Kind.NETWORK)
    assert fault.message.startswith(f"{server.url}: Cannot connect to host")


@pytest.mark.parametrize("phase", [Phase.LIST, Phase.OPEN])
async def test_a_server_that_accepts_and_says_nothing(phase: Phase) -> None:
    """Behaviour 50: without deadlines of our own it would hold us for ever."""
    async with Server(lambda _: [9999.0]) as server:
        asked = api(server)
        fault = await (asked.open(V5) if phase is Phase.OPEN else asked.page("", whole=False))
        await closed(asked)

    assert isinstance(fault, Fault)
    assert replace(fault, message="") == Fault(phase, Kind.NETWORK)


async def test_a_new_watch_ends_the_old_one_and_close_ends_it_too() -> None:
    """A released connection would go on receiving: the server must see it end."""
    async with Server(lambda _: watch(*[line("a", "6")] * 50, end=[1.0] * 50)) as server:
        asked = api(server)
        await asked.open(V5)
        await asked.open(V5)
        first = asked._stream
        await asyncio.sleep(200)
        after_second = server.gone
        asked.close()
        await asyncio.sleep(200)

        assert (after_second, server.gone) == (1, 2)
        assert first is not None
        assert asked._stream is None
        await closed(asked)


async def test_a_dead_host_is_noticed_by_the_kernel() -> None:
    """HTTP/1.1 has no ping, and the library sets no keepalive."""
    async with Server(in_turn(watch(end=[9999.0]))) as server:
        asked = api(server)
        await asked.open(V5)
        assert asked._stream is not None
        connection = asked._stream.response.connection
        assert connection is not None
        assert connection.transport is not None
        opened = connection.transport.get_extra_info("socket")

        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        await closed(asked)


KUBE_SYSTEM = '{"kind":"Namespace","metadata":{"uid":"%s"}}'


def of(cluster_uid: str, server: Server) -> Api:
    return Api(server.session(), Selection(PODS, None, "app=web", "type=Normal"), cluster_uid)


async def test_a_verification_lists_metadata_of_the_selection_in_large_pages() -> None:
    """42: the selectors go with it, or what they leave out would look like a difference; bodies nobody needs."""
    pages = ['{"metadata":{"resourceVersion":"9","continue":"t"},"items":[]}', '{"metadata":{"resourceVersion":"9"}}']
    async with Server(in_turn(answer(KUBE_SYSTEM % "uid-1"), *[answer(page) for page in pages])) as server:
        asked = of("uid-1", server)
        replies = [await asked.look(""), await asked.look("t")]
        await closed(asked)
    identity, first, second = server.requests
    selectors = [("labelSelector", "app=web"), ("fieldSelector", "type=Normal")]

    assert replies == [Page([], ResourceVersion("9"), "t"), Page([], ResourceVersion("9"))]
    assert identity.path == "/api/v1/namespaces/kube-system"
    assert first.params == [("limit", "2000"), *selectors]
    assert second.params == [("limit", "2000"), ("continue", "t"), *selectors]
    assert "PartialObjectMetadataList" in first.headers["accept"]


@pytest.mark.parametrize("uid", ["uid-1", ""])
async def test_the_cluster_that_is_known_is_asked_for_a_snapshot(uid: str) -> None:
    """39: and so is one that may not say which it is, for that proves nothing."""
    whose = answer(KUBE_SYSTEM % uid) if uid else answer(status(403, "Forbidden"), 403)
    async with Server(in_turn(whose, watch())) as server:
        asked = of("uid-1", server)
        reply = await asked.open_list()
        await closed(asked)

    assert reply == Opened()


async def test_another_cluster_is_asked_for_nothing() -> None:
    """39: its objects would be published as those of ours."""
    async with Server(lambda _: answer(KUBE_SYSTEM % "uid-2")) as server:
        asked = of("uid-1", server)
        replies = [await asked.open_list(), await asked.page("", whole=False), await asked.look("")]
        await closed(asked)
    phases = [Phase.INITIAL, Phase.LIST, Phase.PROBE]

    assert replies == [Fault(phase, Kind.STRANGER, message="cluster uid was uid-1, is uid-2") for phase in phases]
    assert {request.path for request in server.requests} == {"/api/v1/namespaces/kube-system"}


async def test_reconnects_ask_whose_cluster_it_is_once_a_minute() -> None:
    """39: a watch of another cluster may be accepted; but each question more makes a storm worse."""

    def route(request: Request) -> Script:
        known = request.path.endswith("kube-system")
        return answer(KUBE_SYSTEM % "uid-2" if known else '{"metadata":{"resourceVersion":"9"}}')

    async with Server(route) as server:
        asked = of("uid-1", server)
        soon = await asked.newest()
        await asyncio.sleep(61)
        late = await asked.newest()
        await closed(asked)

    assert soon == Newest(ResourceVersion("9"))
    assert late == Fault(Phase.PROBE, Kind.STRANGER, message="cluster uid was uid-1, is uid-2")


async def test_silence_is_no_fault_until_it_lasts_too_long() -> None:
    """42: the stream stays open, so nothing that comes late is missed, also half a line."""
    half, rest = line("a", "6")[:20], line("a", "6")[20:]
    async with Server(in_turn(watch(half, end=[100.0, chunk(rest), 3600.0]))) as server:
        asked = api(server)
        await asked.open(V5)
        replies = [await asked.frames(60.0), await asked.frames(60.0), await asked.frames(1e6)]
        await closed(asked)
    *heard, silence = replies

    assert heard == [Quiet(), Frames([added("a", "6")])]
    assert isinstance(silence, Fault)
    assert silence.kind is Kind.SILENT
