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
from bridge.ownership.telling import (
    ConfigPending,
    ConfigWaiting,
    GroupDelayed,
    GroupLost,
    GroupWaiting,
    MembershipChanged,
    ShareChanged,
)
from bridge.ownership.words import Offer, Said, Told, assign, behind, difference, introduce
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

    def adopt(self, config: Config) -> None:
        """It is in force: what begins from now on begins by it."""

    async def follow(self) -> None:
        """End, in the partitions that are acquired, streams that are otherwise now, and begin those that are new."""


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
        self._wanted = config
        self._member = ""
        self._joined: Joined | None = None
        self._is_stale = True
        self._leaving: asyncio.Task[None] | None = None
        self._backoff = Backoff(LONGEST_WAIT)
        self._trouble = _Trouble()
        self._is_member = False

    def offer(self, config: Config) -> None:
        """The file says this now. It is in force as soon as it is the file of all that run what we run.

        What does not touch the streams is nobody else's business, and in force at once.
        """
        self._wanted = config
        if not self._is_pending:
            self._adopt(config)
        ConfigPending(self._is_pending).emit()
        self._is_stale = True

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
        wanted = self._wanted
        words = self._words()
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
                self._take(told, sent, tasks, wanted)
                return
            joined = told
        if joined is Standing.OUT:
            await self._lose()

    @property
    def _is_pending(self) -> bool:
        """The file has other streams than are in force."""
        return self._wanted.watches != self._config.watches

    def _words(self) -> Said:
        said = replace(self._said, held=tuple(sorted(self._claims.held)))
        if not self._is_pending:
            return said
        other = self._introduced(self._wanted)
        return replace(said, offer=Offer(other.config, other.streams))

    def _introduced(self, config: Config) -> Said:
        return introduce(config, self._said.cluster_uid, self._said.host)

    def _take(self, told: Told, sent: float, tasks: asyncio.TaskGroup, wanted: Config) -> None:
        """What is new is run from now on; what is gone is ended, and we join again when it is.

        *wanted* is what our file said when we joined: if all are to run that now, so do we, whatever it says since.
        """
        self._is_stale = self._wanted is not wanted
        self._claims.proven(sent)
        agreed = told.config not in ("", self._said.config) and told.config == self._introduced(wanted).config
        if agreed:
            self._adopt(self._wanted if self._wanted.watches == wanted.watches else wanted)
        ConfigPending(self._is_pending).emit()
        self._fine(told)
        held, given = self._claims.held, set(told.partitions)
        if given != held:
            ShareChanged(len(given), sorted(given - held), sorted(held - given)).emit()
        self._claims.take(given - held)
        self._keeper.acquire(sorted(given - held))
        lost = sorted(held - given)
        if lost or agreed:
            self._leaving = tasks.create_task(self._let_go(lost), name="hand over")

    def _adopt(self, config: Config) -> None:
        self._keeper.adopt(config)
        self._config = config
        self._said = self._introduced(config)

    def _fine(self, told: Told) -> None:
        self._backoff.reset()
        self._counts_as(member=True)
        if told.instead is not None:
            what = difference(self._introduced(self._wanted), told.instead)
            self._trouble.waits(lambda seconds: GroupWaiting(what, seconds).emit())
        elif told.behind:
            why = behind(told.behind)
            self._trouble.waits(lambda seconds: ConfigWaiting(why, seconds).emit())
        else:
            self._trouble.over()

    async def _let_go(self, partitions: list[int]) -> None:
        """Also, what another configuration has otherwise ends and begins; the others learn that we run it."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._keeper.release(partitions))
            both.create_task(self._keeper.follow())
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
    """Owns why we run nothing, or not what our file says; since when, and when that was last said."""

    def __init__(self) -> None:
        self.over()

    def over(self) -> None:
        self._since = self._said = float("-inf")
        self._waiting: Callable[[float], None] | None = None

    def delays(self, what: str) -> None:
        self._tell(lambda seconds: GroupDelayed(what, seconds).emit())

    def waits(self, say: Callable[[float], None]) -> None:
        self._waiting = say
        self.goes_on()

    def goes_on(self) -> None:
        """Members are fine, but for those that another configuration keeps waiting."""
        if self._waiting is not None:
            self._tell(self._waiting)

    def _tell(self, say: Callable[[float], None]) -> None:
        now = asyncio.get_running_loop().time()
        self._since = now if self._since == float("-inf") else self._since
        if now - self._said >= REMIND:
            self._said = now
            say(round(now - self._since, 1))
