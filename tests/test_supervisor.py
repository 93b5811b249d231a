"""The supervisor: all streams run, one that fails leaves the others alone, and the end comes in time."""

import asyncio

from bridge.stream import Outcome
from bridge.supervisor import GRACE, supervise


class Fake:
    """A stream that runs until it is stopped, fails at once, or does not listen."""

    def __init__(self, name: str, *, fails: bool = False, deaf: bool = False) -> None:
        self.name = name
        self.ended = ""
        self.reminders = 0
        self._fails, self._deaf = fails, deaf
        self._stop = asyncio.Event()

    async def run(self) -> Outcome:
        if self._fails:
            self.ended = "failed"
            return Outcome.FAILED
        try:
            await self._stop.wait()
        except asyncio.CancelledError:
            self.ended = "cut off"
            raise
        self.ended = "stopped"
        return Outcome.STOPPED

    def remind(self) -> None:
        self.reminders += 1

    def stop(self) -> None:
        if not self._deaf:
            self._stop.set()


async def test_a_signal_ends_all_streams_in_good_order() -> None:
    """SIGTERM must not cost the records under way."""
    streams, stopping = [Fake("a"), Fake("b")], asyncio.Event()
    asyncio.get_running_loop().call_later(60, stopping.set)

    worked = await supervise(streams, stopping)

    assert (worked, [stream.ended for stream in streams]) == (True, ["stopped", "stopped"])
    assert asyncio.get_running_loop().time() < 61


async def test_a_stream_that_does_not_end_is_cut_off() -> None:
    """A hanging broker must not keep the pod until Kubernetes kills it."""
    streams, stopping = [Fake("a"), Fake("b", deaf=True)], asyncio.Event()
    stopping.set()
    began = asyncio.get_running_loop().time()

    worked = await supervise(streams, stopping)

    assert (worked, [stream.ended for stream in streams]) == (True, ["stopped", "cut off"])
    assert GRACE <= asyncio.get_running_loop().time() - began < GRACE + 1


async def test_one_failed_stream_leaves_the_others_running() -> None:
    """A wrong selector in one watch must not stop the rest."""
    streams, stopping = [Fake("a", fails=True), Fake("b")], asyncio.Event()
    asyncio.get_running_loop().call_later(600, stopping.set)

    worked = await supervise(streams, stopping)

    assert (worked, [stream.ended for stream in streams]) == (True, ["failed", "stopped"])


async def test_a_failed_stream_is_told_of_again() -> None:
    """Who looks at the log an hour later must see it, too. Once a minute, and not of those that run."""
    streams, stopping = [Fake("a", fails=True), Fake("b")], asyncio.Event()
    asyncio.get_running_loop().call_later(630, stopping.set)

    await supervise(streams, stopping)

    assert [stream.reminders for stream in streams] == [10, 0]


async def test_nothing_left_to_run_is_an_end() -> None:
    """Without a single stream that can work, the exit code must tell: a running process would hide it."""
    streams = [Fake("a", fails=True), Fake("b", fails=True)]

    worked = await supervise(streams, asyncio.Event())

    assert not worked
