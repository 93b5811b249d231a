"""Every way to fail, said without an end: a sick server must not be asked in a hurry, and must cost no memory.

The shapes are those of `wire`, and of the notes that docs/watching.md rests on, by their numbers.
"""

import asyncio
import gc
import tracemalloc
from pathlib import Path

import pytest

from tests.scenarios import wire

BRIDGE = str(Path(__file__).parents[2] / "bridge" / "source" / "*")
MINUTES = 300.0
"""Seconds, by the clock that jumps."""
GROWTH = 32 << 10
"""Bytes in two minutes and a half: less than a line or a page would be, if one stayed behind at each try."""
POD = '{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"b","namespace":"default","uid":"uid-b"'

WATCHES = {
    "1: expired": "ERROR 410 Expired too old resource version: 5 (9)",
    "2: gone": "ERROR 410 Gone too old resource version: 5 (9)",
    "2: expired by etcd": "ERROR 410 Expired The resourceVersion for the provided watch is too old.",
    "3: 410": "answer 410 Expired too old",
    "3: 410 printed": "answer 410 printed Expired too old",
    "3: 410 without a word": "answer 410",
    "4: nothing": "nothing",
    "5: no leader": "ERROR 500 InternalError etcdserver: no leader",
    "5: unreadable": "ERROR 500 StorageReadError data from the storage is not transformable",
    "5: no status": 'LINE {"type":"ERROR","object":{"oops":1}}',
    "5: no code": 'LINE {"type":"ERROR","object":{"kind":"Status","message":"what"}}',
    "5: no object": 'LINE {"type":"ERROR"}',
    "6: 504": "shape too-large",
    "6: 429 without a hint": "answer 429",
    "6: 429 by header": "answer 429 after=2",
    "6: 429 by details": "answer 429 hint=2 TooManyRequests busy",
    "6: 429 event": "ERROR 429 TooManyRequests busy",
    "6: proxy": "shape behind-proxy",
    "7: bookmark without a version": 'LINE {"type":"BOOKMARK","object":{"kind":"Pod"}}',
    "7: bookmark of nothing": 'LINE {"type":"BOOKMARK","object":null}',
    "7: bookmark below": "BOOKMARK 2",
    "7: end that says false": "ADDED a:6; " + wire.NO_END,
    "8: delete of nothing": 'LINE {"type":"DELETED","object":null}',
    "8: unknown type": 'LINE {"type":"RENAMED","object":{"kind":"Pod"}}',
    "8: no version": f"LINE {POD}}}}}}}",
    "9: no newline": f'PART {POD},"resourceVersion":"8"}}}}}}',
    "9: cut in a line": f"PART {POD}; CUT",
    "9: cut": "CUT",
    "9: spoilt": f"LINE {POD}",
    "9: empty lines": "LINE ; LINE ; LINE ",
    "10: silence": "SILENCE",
    "a late end": "WAIT 2.5",
    "a page of a proxy": "body <html>hello</html>",
    "a status": 'body {"kind":"Status","code":410,"reason":"Expired"}',
    "a list": 'body {"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[]}',
    "401": "answer 401 Unauthorized Unauthorized",
    "403": "answer 403 Forbidden no",
    "404": "answer 404 NotFound nothing here",
    "405": "answer 405 MethodNotAllowed no",
    "redirect": "answer 302",
}
LISTS = {
    "3: 410": "answer 410 Expired too old",
    "3: 410 on a page": "shape page-expired",
    "6: 504": "shape too-large",
    "6: 429": "answer 429",
    "6: proxy": "shape behind-proxy",
    "11: no version": 'body {"kind":"PodList","metadata":{"resourceVersion":""},"items":[]}',
    "11: version 0": 'body {"kind":"PodList","metadata":{"resourceVersion":"0"},"items":[]}',
    "11: late": "late 180",
    "a table": 'body {"kind":"Table","metadata":{"resourceVersion":"9"}}',
    "not JSON": "body {",
    "no metadata": "body {}",
    "null": "body null",
    "500": "answer 500 InternalError oops",
    "401": "answer 401 Unauthorized Unauthorized",
    "403": "answer 403 Forbidden no",
    "404": "answer 404 NotFound nothing here",
}
SNAPSHOTS = ["4: nothing", "5: no leader", "6: 429 without a hint", "7: end that says false", "9: cut", "10: silence"]
STORMS = [
    *(pytest.param("@ resume", "watch", said, id=f"watch: {name}") for name, said in WATCHES.items()),
    *(pytest.param("@ resume", "list", said, id=f"probe: {name}") for name, said in LISTS.items()),
    *(pytest.param("", "watch", WATCHES[name], id=f"snapshot: {name}") for name in SNAPSHOTS),
    *(pytest.param("", "list", said, id=f"pages: {name}") for name, said in LISTS.items()),
]


@pytest.mark.parametrize(("start", "what", "said"), STORMS)
async def test_a_storm_is_sat_out(start: str, what: str, said: str) -> None:
    """21, 29, 32, 43: asked at most once a second, and when it is over the stream lives."""
    refusal = [] if start or what == "watch" else ["< watch answer 422 Invalid forbidden"] * 350
    script = ["@ has a b", start, *refusal, *[f"< {what} {said}"] * 350, f"! wait {MINUTES}"]
    async with wire.conversation("\n".join(script)) as talk:
        outcome = await talk.outcome()

    asked = sum(request.time < MINUTES for request in talk.requests)
    assert outcome.splitlines()[-1] == wire.LIVES
    assert asked <= MINUTES


@pytest.mark.parametrize("name", WATCHES)
async def test_a_storm_leaves_nothing_behind(name: str) -> None:
    """No try may keep a line, a page or a task: storms last for days."""
    script = ["@ has a b", "@ resume", *[f"< watch {WATCHES[name]}"] * 350, f"! wait {MINUTES}"]
    async with wire.conversation("\n".join(script)) as talk:
        memory = asyncio.create_task(_memory())
        await talk.outcome()
        early, late = await memory

    assert late - early < GROWTH


async def _memory() -> tuple[int, int]:
    """What the bridge's own lines hold, in the middle and at the end of the storm, in bytes."""
    tracemalloc.start()
    try:
        held = []
        for _ in range(2):
            await asyncio.sleep(MINUTES / 2 - 1)
            gc.collect()
            snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, BRIDGE)])
            held.append(sum(trace.size for trace in snapshot.traces))
        return held[0], held[1]
    finally:
        tracemalloc.stop()
