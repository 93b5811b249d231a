"""The proof of ownership: it ends by itself when the broker says nothing."""

import asyncio

from bridge.ownership.claims import Claims

SESSION = 10.0


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_what_is_held_is_ours_for_a_session_after_the_last_word() -> None:
    """Who was frozen for longer finds this out before anything else, from the clock alone."""
    claims = Claims(SESSION)
    claims.take([1])
    claims.proven(now())

    await asyncio.sleep(SESSION - 0.1)
    assert claims.owns(1)
    await asyncio.sleep(0.1)
    assert not claims.owns(1)
    claims.proven(now() - 1)
    assert claims.owns(1)


async def test_a_late_answer_proves_from_when_it_was_asked_for() -> None:
    """The broker heard us then at the latest that we know of; not when its answer came."""
    claims = Claims(SESSION)
    claims.take([1])
    await asyncio.sleep(60)

    claims.proven(now() - SESSION)

    assert not claims.owns(1)


async def test_what_is_not_held_is_not_ours() -> None:
    claims = Claims(SESSION)
    claims.proven(now())
    claims.take([1, 2])
    claims.drop([2])

    assert [claims.owns(number) for number in (1, 2, 3)] == [True, False, False]
    assert claims.held == {1}


async def test_who_waits_goes_on_when_it_is_proven() -> None:
    """A stream that was fenced must not fence back before the group has confirmed it."""
    claims = Claims(SESSION)
    claims.take([1])
    waiting = asyncio.ensure_future(claims.owned(1))
    await asyncio.sleep(3)
    assert not waiting.done()

    claims.proven(now())

    await asyncio.wait_for(waiting, 1)
