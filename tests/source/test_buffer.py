"""The buffer on a clock that jumps: what a writer is given and when, and when a reader may go on."""

import asyncio
import functools

import pytest

from bridge.model.event import Event, Synced
from bridge.source.buffer import AHEAD, EASE, OVERHEAD, Buffer, Pool
from tests.source.words import added, at

LONGEST, QUIET, ENOUGH = 0.05, 0.005, 1 << 20
SIZE = OVERHEAD + len(added("a", "101").body)
"""Bytes of one change."""


def change(version: int) -> Event:
    return added("a", str(version))


async def take(buffer: Buffer, enough: int = ENOUGH) -> tuple[list[Event], float]:
    """What was taken, and how many seconds it took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    events = await buffer.take(LONGEST, QUIET, enough)
    return events, round(loop.time() - began, 6)


async def test_a_lone_change_waits_no_longer_than_the_quiet() -> None:
    """What a change costs in latency when little happens: 5 ms, not the whole commit interval."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)])

    assert await take(buffer) == ([change(101)], QUIET)


async def test_the_first_change_is_waited_for_without_bound() -> None:
    """An idle stream commits nothing, and burns nothing."""
    buffer = Buffer(Pool(ENOUGH))
    asyncio.get_running_loop().call_later(3600, buffer.put, [change(101)])

    assert await take(buffer) == ([change(101)], 3600 + QUIET)


async def test_changes_that_keep_coming_are_taken_together_up_to_the_longest_wait() -> None:
    """A busy stream gives few large transactions, and yet each change is committed in time."""
    buffer = Buffer(Pool(ENOUGH))
    for n in range(40):
        asyncio.get_running_loop().call_later(n * 0.004, buffer.put, [change(n + 101)])
    await asyncio.sleep(0)
    events, seconds = await take(buffer)

    assert seconds == LONGEST
    assert events == [change(n + 101) for n in range(13)]


async def test_what_is_the_last_for_a_while_is_not_waited_for() -> None:
    """A busy stream is read in bursts: to wait for more after one makes each change of it 5 ms later, for nothing."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)], last=True)
    assert await take(buffer) == ([change(101)], 0)

    buffer.put([change(102)])
    asyncio.get_running_loop().call_later(QUIET / 2, functools.partial(buffer.put, [change(103)], last=True))
    assert await take(buffer) == ([change(102), change(103)], QUIET / 2)


async def test_enough_is_not_waited_for_any_longer() -> None:
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)])
    buffer.put([change(102)])

    assert await take(buffer, enough=2 * SIZE) == ([change(101), change(102)], 0)


async def test_no_more_than_enough_is_taken() -> None:
    """A transaction's size is bounded; what is over stays, and is taken at once next time."""
    buffer = Buffer(Pool(ENOUGH))
    for n in range(3):
        buffer.put([change(n + 101)])

    assert await take(buffer, enough=2 * SIZE) == ([change(101), change(102)], 0)
    assert (await take(buffer))[0] == [change(103)]


async def test_a_chunk_is_taken_whole() -> None:
    """One read of a stream may be more than enough: else it would never be taken."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101), change(102), change(103)])

    assert await take(buffer, enough=1) == ([change(101), change(102), change(103)], 0)


async def test_a_marker_has_a_size_too() -> None:
    """A bound in bytes must hold for what has no body."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([Synced(at(5, "100")), change(101)])

    assert buffer.size == OVERHEAD + SIZE


async def test_the_buffer_is_full_at_its_limit() -> None:
    """28."""
    buffer = Buffer(Pool(2 * SIZE))
    full = [buffer.full]
    for n in range(2):
        buffer.put([change(n + 101)])
        full.append(buffer.full)

    assert full == [False, False, True]


async def test_room_is_half_of_the_limit() -> None:
    """28: a watch that was closed for lack of room is not opened for the room of one change, to be closed again."""
    buffer = Buffer(Pool(4 * SIZE))
    for n in range(4):
        buffer.put([change(n + 101)])
    room = asyncio.create_task(buffer.room())
    there = []
    for _ in range(2):
        await buffer.take(LONGEST, QUIET, SIZE)
        await asyncio.sleep(0)
        there.append(room.done())
    await room

    assert there == [False, True]


async def test_there_is_room_at_once_where_there_is_room() -> None:
    buffer = Buffer(Pool(2 * SIZE))
    buffer.put([change(1)])

    await asyncio.wait_for(buffer.room(), 0.001)


def much(buffer: Buffer) -> None:
    """More than the writer takes in two turns."""
    buffer.put([change(101)] * (AHEAD // SIZE + 1))


async def eased(buffer: Buffer) -> float:
    """How many seconds the reader waited."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await buffer.eased()
    return round(loop.time() - began, 6)


async def test_a_reader_far_ahead_waits_for_a_writer_that_goes_on() -> None:
    """A watch that runs on fills the memory, and is closed and opened again for nothing."""
    buffer = Buffer(Pool(8 * AHEAD))
    much(buffer)
    taking = asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(buffer.take(0, 0, 2 * AHEAD)))

    assert (await eased(buffer), await eased(buffer)) == (0.1, 0.0)
    assert taking.when() <= asyncio.get_running_loop().time()


async def test_a_small_buffer_is_not_filled_for_a_writer_that_goes_on() -> None:
    """Where memory is short a flood must not close the watch each time: Kafka takes what comes."""
    buffer = Buffer(Pool(AHEAD))
    buffer.put([change(101)] * (AHEAD // SIZE // 2 + 1))
    asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(buffer.take(0, 0, AHEAD)))

    assert (await eased(buffer), buffer.full) == (0.1, False)


async def test_a_reader_waits_once_for_a_writer_that_has_stopped() -> None:
    """While Kafka is away changes gather in memory: a server that nobody reads would cut the watch."""
    buffer = Buffer(Pool(8 * AHEAD))
    much(buffer)

    waits = [await eased(buffer), await eased(buffer)]
    await buffer.take(0, 0, ENOUGH)
    much(buffer)
    much(buffer)

    assert [*waits, await eased(buffer)] == [EASE, 0.0, EASE]


async def test_a_busy_stream_may_have_what_others_do_not_need() -> None:
    """One hot watch among a hundred: with an even share it would be closed and opened again all the time."""
    pool = Pool(8 * SIZE, buffers=2)
    busy, idle = Buffer(pool), Buffer(pool)
    while not busy.full:
        busy.put([change(101)])
    held = [busy.size, idle.limit]
    idle.put([change(101)])
    idle.put([change(102)])

    assert held == [6 * SIZE, 2 * SIZE]
    assert (idle.full, pool.used) == (True, pool.common)


async def test_room_that_others_give_back_is_noticed() -> None:
    """Also what an attempt had read that has failed."""
    pool = Pool(8 * SIZE, buffers=2)
    one, other = Buffer(pool), Buffer(pool)
    for n in range(4):
        one.put([change(n + 101)])
        other.put([change(n + 101)])
    waiting = asyncio.create_task(one.room())
    await asyncio.sleep(0)
    before = waiting.done()
    await one.take(LONGEST, QUIET, SIZE)
    other.drop()
    await waiting

    assert (before, other.size, pool.used) == (False, 0, SIZE)


async def test_a_closed_buffer_gives_what_is_left_at_once_and_then_nothing() -> None:
    """A stream that stops commits what it has read, and does not hang on what will not come."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)])
    ended = [buffer.ended]
    buffer.close()
    ended.append(buffer.ended)
    taken = [await take(buffer), await take(buffer)]
    ended.append(buffer.ended)

    assert taken == [([change(101)], 0), ([], 0)]
    assert ended == [False, False, True]


async def test_closing_ends_a_wait() -> None:
    buffer = Buffer(Pool(ENOUGH))
    asyncio.get_running_loop().call_later(5, buffer.close)

    assert await take(buffer) == ([], 5)


async def test_closing_ends_the_wait_for_more() -> None:
    """A stream that is asked to stop does so now."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)])
    asyncio.get_running_loop().call_later(QUIET / 2, buffer.close)

    assert await take(buffer) == ([change(101)], QUIET / 2)


async def test_a_take_that_is_cancelled_takes_nothing() -> None:
    """What was read is never thrown away."""
    buffer = Buffer(Pool(ENOUGH))
    buffer.put([change(101)])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(buffer.take(LONGEST, QUIET, ENOUGH), QUIET / 2)

    assert (await take(buffer))[0] == [change(101)]


async def test_a_pool_that_is_parted_anew_loses_no_room() -> None:
    """Streams come and go while others hold what they have: what was counted once must not stay counted for ever."""
    pool = Pool(8 * SIZE, buffers=2)
    one, other = Buffer(pool), Buffer(pool)
    for n in range(4):
        one.put([change(n + 101)])
        other.put([change(n + 101)])
    pool.resize(16 * SIZE, 4)
    parted = (pool.own, pool.common)
    for buffer in (one, other):
        for n in range(3):
            buffer.put([change(n + 201)])
    pool.resize(4 * SIZE, 1)
    full = [one.full, other.full]
    one.drop()
    other.drop()

    assert parted == (2 * SIZE, 8 * SIZE)
    assert full == [True, True]
    assert (pool.used, one.limit) == (0, 4 * SIZE)


async def test_a_larger_pool_lets_a_waiting_watch_open_again() -> None:
    """`buffer` was raised because watches were closed: nobody has to take anything first."""
    pool = Pool(2 * SIZE)
    buffer = Buffer(pool)
    for n in range(2):
        buffer.put([change(n + 101)])
    waiting = asyncio.create_task(buffer.room())
    await asyncio.sleep(0)
    before = waiting.done()
    pool.resize(8 * SIZE, 1)
    await waiting

    assert (before, buffer.full) == (False, False)
