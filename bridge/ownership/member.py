"""A life in the group: join, get partitions, run their streams, say now and then that we live, let go what others get.

Cooperative: a rebalance stops nothing. A partition that moves is given up by its owner first, streams ended and all,
and is given to its next owner by a second rebalance. What was ours when the broker threw us out is dropped at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec.structs import replace

from bridge.config.tree import Config
from bridge.ownership.claims import Claims
from bridge.ownership.group import Group, Joined, Named, Standing
from bridge.ownership.telling import GroupDelayed, GroupLost, GroupWaiting, MembershipChanged, ShareChanged
from bridge.ownership.words import Said, Told, assign, difference
from bridge.retry import Backoff
from bridge.sink import topics
from bridge.sink.connection import KafkaFault

HEARTBEAT = 0.5
"""Seconds between signs of life. It is also how late we hear that somebody has come or gone."""
LONGEST_WAIT = 5.0
"""Seconds between two tries to reach the group: it is one request, and streams stand still meanwhile."""
LEAVE = 1.0
"""Seconds for a farewell. Without it the others wait until our session has passed."""
REMIND = 60.0
"""Seconds between two words on the same trouble."""


class Keeper(Protocol):
    """Runs the streams of partitions."""

    def acquire(self, partitions: Iterable[int]) -> None: ...

    async def release(self, partitions: Iterable[int], *, at_once: bool = False) -> None:
        """Returns when their streams have ended, of themselves or by force: bounded, and never raises.

        *at_once*: by force, with whatever they are writing.
        """


class Member:
    """Owns our membership, from `run` until `leave`."""

    def __init__(
        self, config: Config, claims: Claims, keeper: Keeper, introduce: Callable[[], Awaitable[Said]]
    ) -> None:
        self._config = config
        self._claims = claims
        self._keeper = keeper
        self._introduce = introduce
        self._said = Said("", "", "", ())
        self._member = ""
        self._joined: Joined | None = None
        self._is_stale = True
        self._leaving: asyncio.Task[None] | None = None
        self._backoff = Backoff(LONGEST_WAIT)
        self._trouble = _Trouble()
        self._is_member = False

    async def run(self) -> None:
        """Until cancelled. Whatever fails, it is tried again."""
        self._said = await self._introduce()
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    if self._joined is None:
                        await topics.ensure_checkpoints(self._config)
                    async with Group.reached(self._config, self._said.host) as group:
                        await self._belong(group, tasks)
                except KafkaFault as fault:
                    self._counts_as(member=False)
                    self._trouble.delays(f"{fault}")
                    await asyncio.sleep(self._backoff.next())

    async def give_up(self) -> None:
        """After a `run` that failed: what we hold may be begun or ended by half. It ends, and others may have it."""
        held = sorted(self._claims.held)
        await self._keeper.release(held)
        self._claims.drop(held)
        if held:
            ShareChanged(0, [], held).emit()
        self._joined, self._is_stale, self._leaving = None, True, None
        self._counts_as(member=False)
        await self.leave()
        self._member = ""

    async def leave(self) -> None:
        """Say farewell, when all streams have ended. Bounded; what fails is left to the session's end.

        Also if the first join was still under way: the others' would wait for ours.
        """
        if not self._member:
            return
        try:
            async with asyncio.timeout(LEAVE), Group.reached(self._config, self._said.host, LEAVE) as group:
                await group.leave(self._member, LEAVE)
        except (KafkaFault, TimeoutError):
            return

    async def _belong(self, group: Group, tasks: asyncio.TaskGroup) -> None:
        while True:
            if self._joined is None or (self._is_stale and self._leaving is None):
                await self._join(group, tasks)
            else:
                await self._live(group)

    async def _join(self, group: Group, tasks: asyncio.TaskGroup) -> None:
        words = replace(self._said, held=tuple(sorted(self._claims.held)))
        joined = await group.join(self._member, words)
        if isinstance(joined, Named):
            self._member = joined.member
            return
        if isinstance(joined, Joined):
            self._member, self._joined = joined.member, joined
            shares = assign(self._config.checkpoints.partitions, joined.members) if joined.members else {}
            sent = asyncio.get_running_loop().time()
            told = await group.sync(joined, shares)
            if isinstance(told, Told):
                self._take(told, sent, tasks)
                return
            joined = told
        if joined is Standing.OUT:
            await self._lose()

    def _take(self, told: Told, sent: float, tasks: asyncio.TaskGroup) -> None:
        """What is new is run from now on; what is gone is ended, and we join again when it is."""
        self._is_stale = False
        self._claims.proven(sent)
        self._fine(told)
        held, given = self._claims.held, set(told.partitions)
        if given != held:
            ShareChanged(len(given), sorted(given - held), sorted(held - given)).emit()
        self._claims.take(given - held)
        self._keeper.acquire(sorted(given - held))
        if lost := sorted(held - given):
            self._leaving = tasks.create_task(self._let_go(lost), name="hand over")

    def _fine(self, told: Told) -> None:
        self._backoff.reset()
        self._counts_as(member=True)
        if told.instead is None:
            self._trouble.over()
        else:
            self._trouble.waits(difference(self._said, told.instead))

    async def _let_go(self, partitions: list[int]) -> None:
        await self._keeper.release(partitions)
        self._claims.drop(partitions)
        self._is_stale = True
        self._leaving = None

    async def _live(self, group: Group) -> None:
        """One sign of life, in its time or as soon as there is something to be said."""
        if self._leaving is not None:
            await asyncio.wait({self._leaving}, timeout=HEARTBEAT)
        else:
            await asyncio.sleep(HEARTBEAT)
        assert self._joined is not None, "only members live"
        sent = asyncio.get_running_loop().time()
        match await group.heartbeat(self._joined):
            case Standing.MEMBER:
                self._claims.proven(sent)
                self._counts_as(member=True)
                self._backoff.reset()
                self._trouble.goes_on()
            case Standing.REBALANCING:  # no proof: a rebalance throws out who does not join it in time
                self._is_stale = True
            case Standing.OUT:
                await self._lose()

    async def _lose(self) -> None:
        """Others may run what was ours: nothing of it may be begun or, where nothing fences, written any more."""
        self._member, self._joined, self._is_stale = "", None, True
        self._counts_as(member=False)
        held = sorted(self._claims.held)
        self._claims.drop(held)
        if held:
            GroupLost(held).emit()
        await self._keeper.release(held, at_once=True)
        if self._leaving is not None:
            await asyncio.wait({self._leaving})

    def _counts_as(self, *, member: bool) -> None:
        if member is not self._is_member:
            self._is_member = member
            MembershipChanged(member).emit()


class _Trouble:
    """Owns why we run nothing, since when, and when that was last said."""

    def __init__(self) -> None:
        self.over()

    def over(self) -> None:
        self._since = self._said = float("-inf")
        self._waiting = ""

    def delays(self, what: str) -> None:
        self._tell(lambda seconds: GroupDelayed(what, seconds).emit())

    def waits(self, what: str) -> None:
        self._waiting = what
        self.goes_on()

    def goes_on(self) -> None:
        """Members are fine, but for those that another configuration keeps waiting."""
        waiting = self._waiting
        if waiting:
            self._tell(lambda seconds: GroupWaiting(waiting, seconds).emit())

    def _tell(self, say: Callable[[float], None]) -> None:
        now = asyncio.get_running_loop().time()
        self._since = now if self._since == float("-inf") else self._since
        if now - self._said >= REMIND:
            self._said = now
            say(round(now - self._since, 1))
