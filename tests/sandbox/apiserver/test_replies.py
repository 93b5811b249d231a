"""Every way to fail that real servers were seen to have can be said by script, and arrives as it was said."""

import asyncio
import gzip
import json

import pytest

from bridge.sandbox.apiserver import shapes
from bridge.sandbox.apiserver.replies import Answer, End, Late, Reply, Stream, members, pieces
from bridge.sandbox.apiserver.server import ApiServer
from tests.sandbox.apiserver.wire import Seen, seen

PODS = "/api/v1/pods"
GONE = shapes.refused(410, "Expired", "too old resource version: 5 (9)")
POD = shapes.event("ADDED", {"kind": "Pod", "metadata": {"name": "ü€🦉", "resourceVersion": "5"}})
BIG = shapes.event(
    "ADDED", {"kind": "Pod", "metadata": {"name": "big", "resourceVersion": "5"}, "data": "x" * 20_000_000}
)
EMPTY_LIST = b'{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"%b","continue":""},"items":[]}'


def told(*steps: bytes | float | End) -> Stream:
    return Stream(steps)


WATCHES: dict[str, tuple[Stream, Seen]] = {
    name: (told(line), Seen(200, line, "end"))
    for name, line in {
        "1: the cache has forgotten": shapes.expired(),
        "2: Gone, of old servers": shapes.expired(reason="Gone"),
        "2: etcd has forgotten": shapes.error(410, "Expired", shapes.ETCD_TOO_OLD),
        "5: etcd has no leader": shapes.NO_LEADER,
        "5: an object that cannot be read": shapes.UNREADABLE,
        "5: an error that is no Status": shapes.event("ERROR", {"oops": 1}),
        "5: an error without a code": shapes.event("ERROR", {"kind": "Status", "message": "what"}),
        "7: a bookmark without a version": shapes.bookmark("Pod"),
        "7: a bookmark from the past": shapes.bookmark("Pod", "1"),
        "7: an end of the snapshot that is none": shapes.initial_end("Pod", "9", "false"),
        "8: a delete of nothing": shapes.event("DELETED", None),
        "8: an unknown type": shapes.event("RENAMED", {"kind": "Pod"}),
        "8: no version": shapes.event("ADDED", {"kind": "Pod", "metadata": {"name": "a"}}),
        "9: 20 MB": BIG,
        "9: no newline at the end": POD.rstrip(b"\n"),
    }.items()
} | {
    "4: nothing, and closed": (shapes.NOTHING, Seen(200, b"", "end")),
    "9: split at every byte, within characters too": (Stream(pieces(POD)), Seen(200, POD, "end")),
    "9: cut in the middle of a line": (told(POD + POD[:40], End.CUT), Seen(200, POD + POD[:40], "cut")),
    "10: silent from the beginning": (told(End.SILENCE), Seen(200, b"", "silent")),
    "10: silent after a while": (told(POD, 5.0, POD, End.SILENCE), Seen(200, POD + POD, "silent")),
    "an ERROR after an object": (told(POD, shapes.expired()), Seen(200, POD + shapes.expired(), "end")),
}


@pytest.mark.parametrize("name", WATCHES)
async def test_streams(name: str) -> None:
    """Appendix 3 of the notes on watching, by its numbers: what the bridge is tested with must be what it meets."""
    reply, expected = WATCHES[name]
    async with ApiServer() as server:
        server.answer(PODS, reply, watch=True)
        found = await seen(server.url, PODS, watch="true")

    assert found == expected


ANSWERS: dict[str, tuple[Answer, int, dict[str, str]]] = {
    "3: 410": (GONE, 410, {}),
    "3: 410 over many lines": (shapes.pretty(GONE), 410, {}),
    "3: 410 and nothing": (Answer(410), 410, {}),
    "3: 410 on a page": (shapes.page_expired("token"), 410, {}),
    "6: 504, a version from the future": (shapes.TOO_LARGE, 504, {}),
    "6: 429 by header": (Answer(429, headers={"Retry-After": "7"}), 429, {"Retry-After": "7"}),
    "6: 429 by details": (shapes.refused(429, "TooManyRequests", "", retryAfterSeconds=9), 429, {}),
    "6: a proxy's page": (shapes.BEHIND_PROXY, 503, {"Content-Type": "text/html"}),
    "11: a list without a version": (Answer(body=EMPTY_LIST % b""), 200, {}),
    "11: a list at 0": (Answer(body=EMPTY_LIST % b"0"), 200, {}),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_answers(name: str) -> None:
    answer, status, headers = ANSWERS[name]
    async with ApiServer() as server:
        server.answer(PODS, answer)
        found = await seen(server.url, PODS)

    assert found == Seen(status, answer.body, "end")
    assert headers.items() <= answer.headers.items()


async def test_what_the_shapes_say() -> None:
    """The details that a reader must find: a hint when to come again, a cause, a token to go on with."""
    too_large, page = json.loads(shapes.TOO_LARGE.body), json.loads(shapes.page_expired("token").body)

    assert (too_large["code"], too_large["reason"], too_large["details"]["retryAfterSeconds"]) == (504, "Timeout", 1)
    assert too_large["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert (page["reason"], page["metadata"]) == ("Expired", {"continue": "token"})
    assert json.loads(shapes.expired())["object"]["message"] == "too old resource version: 5 (9)"


async def test_a_stream_of_gzip_members() -> None:
    async with ApiServer() as server:
        server.answer(PODS, members(POD, POD))
        found = await seen(server.url, PODS, watch="true")

    assert found.body == gzip.compress(POD) * 2
    assert gzip.decompress(found.body) == POD + POD


async def test_replies_are_used_up_one_by_one_and_then_the_truth_is_told() -> None:
    """Twice nothing, and then all is well: as a rolling upgrade looks."""
    async with ApiServer() as server:
        server.answer(PODS, shapes.NOTHING, shapes.NOTHING, watch=True)
        listed = await seen(server.url, PODS)
        watched = [await seen(server.url, PODS, watch="true", timeoutSeconds="1") for _ in range(2)]
        server.create("pods", {"metadata": {"name": "p"}})
        truth = await seen(server.url, PODS, watch="true", timeoutSeconds="1")

    assert listed.body.startswith(b'{"kind":"PodList"')
    assert watched == [Seen(200, b"", "end")] * 2
    assert truth.body.startswith(b'{"type":"ADDED"')


async def test_pages_that_take_six_minutes() -> None:
    """Longer than etcd remembers, which is when the token of the next page is worth nothing."""
    loop = asyncio.get_running_loop()
    replies: list[Reply] = [Late(180.0), Late(180.0)]
    async with ApiServer() as server:
        server.answer(PODS, *replies)
        began = loop.time()
        found = [await seen(server.url, PODS, limit="1") for _ in replies]

        assert ([one.status for one in found], round(loop.time() - began)) == ([200, 200], 360)
