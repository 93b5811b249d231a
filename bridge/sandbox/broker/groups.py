"""Consumer groups: members join, one of them shares the partitions out, and a change of members begins a generation.

After Kafka's GroupCoordinator, the classic protocol with eager rebalances.
"""

import asyncio
import uuid
from collections.abc import Callable
from enum import StrEnum

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.member import Answer, Joining, Member
from bridge.sandbox.broker.roster import Roster

SHORTEST_SESSION, LONGEST_SESSION = 6.0, 1800.0
"""group.min.session.timeout.ms and group.max.session.timeout.ms."""


class State(StrEnum):
    """As DescribeGroups calls them."""

    EMPTY = "Empty"
    JOINING = "PreparingRebalance"
    SYNCING = "CompletingRebalance"
    STABLE = "Stable"


def refused_join(code: Code, member: str = "") -> Answer:
    return {
        "error_code": code,
        "generation_id": -1,
        "group_protocol": "",
        "leader_id": "",
        "member_id": member,
    }


def refused_sync(code: Code) -> Answer:
    return {"error_code": code, "member_assignment": b""}


class Group:
    """Owns its roster. *delay*: seconds that an empty group waits for more of them (group.initial.rebalance.delay)."""

    def __init__(self, delay: float) -> None:
        self.state = State.EMPTY
        self.roster = Roster()
        self._delay = delay
        self._announced: dict[str, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_gathering = False

    async def join(self, name: str, said: Joining, *, announce: bool) -> Answer:
        """*announce*: a new member is first told its name, and comes again with it (KIP-394)."""
        if not SHORTEST_SESSION <= said.session <= LONGEST_SESSION:
            return refused_join(Code.INVALID_SESSION_TIMEOUT, name)
        if not self.roster.accepts(said):
            return refused_join(Code.INCONSISTENT_GROUP_PROTOCOL, name)
        if member := self.roster.get(name):
            return await self._join_again(member, said)
        if name and name not in self._announced:
            return refused_join(Code.UNKNOWN_MEMBER_ID, name)
        new = Member(name or f"{said.client}-{uuid.uuid4()}", said, _now())
        if not name and said.instance is None and announce:
            self._announced[new.name] = _later(said.session, self._unannounce, new.name)
            return refused_join(Code.MEMBER_ID_REQUIRED, new.name)
        if said.instance is not None and (old := self.roster.static(said.instance)):
            return await self._take_over(old, new)
        if timer := self._announced.pop(name, None):
            timer.cancel()
        self.roster.add(new)
        self._watch(new)
        return await self._wait(new)

    async def sync(self, name: str, generation: int, assignments: dict[str, bytes]) -> Answer:
        member = self.roster.get(name)
        code = self.roster.check(name, generation)
        if member is None or code:
            return refused_sync(code)
        if self.state is State.JOINING:
            return refused_sync(Code.REBALANCE_IN_PROGRESS)
        if self.state is State.STABLE:
            return _assigned(member)
        waiting = member.sync(refused_sync(Code.REBALANCE_IN_PROGRESS))
        if name == self.roster.leader:
            self.state = State.STABLE
            for each in self.roster:
                each.assignment = assignments.get(each.name, b"")
                each.seen = _now()
                each.synced(_assigned(each))
        return await waiting

    def heartbeat(self, name: str, generation: int) -> Code:
        if code := self._hear(name, generation):
            return code
        return Code.REBALANCE_IN_PROGRESS if self.state is State.JOINING else Code.NONE

    def leave(self, name: str) -> Code:
        if name in self._announced:
            self._unannounce(name)
            return Code.NONE
        if self.roster.get(name) is None:
            return Code.UNKNOWN_MEMBER_ID
        self._remove(name)
        return Code.NONE

    def admits_commit(self, name: str, generation: int) -> Code:
        """Of offsets. Without a generation it is a consumer that is in no group, or an operator."""
        if generation < 0 and not name:
            return Code.UNKNOWN_MEMBER_ID if self.roster else Code.NONE
        if code := self._hear(name, generation):
            return code
        return Code.REBALANCE_IN_PROGRESS if self.state is State.SYNCING else Code.NONE

    def pause(self) -> None:
        """The broker stops, and nobody is thrown out meanwhile. Who had only been announced is forgotten."""
        self._stop_timer()
        for timer in (*self._announced.values(), *(member.timer for member in self.roster if member.timer)):
            timer.cancel()
        self._announced.clear()

    def resume(self) -> None:
        """Every member has a whole session to be heard again."""
        for member in self.roster:
            member.seen = _now()
            self._watch(member)
        if self.state is State.JOINING:
            self._wait_for_all()

    async def _join_again(self, member: Member, said: Joining) -> Answer:
        """Its leader asks so for a new generation; the others may only have missed the answer."""
        member.seen = _now()
        is_new = member.said.protocols != said.protocols
        member.said = said
        leads = member.name == self.roster.leader and self.state is State.STABLE
        if is_new or leads or self.state is State.JOINING:
            return await self._wait(member)
        return self.roster.told(member)

    async def _take_over(self, old: Member, new: Member) -> Answer:
        """The others need not notice. Who lead is told that its predecessor still does, or it would share out anew."""
        told = {**self.roster.told(old), "member_id": new.name, "members": []} if self.roster.protocol else {}
        self.roster.replace(old, new)
        old.joined(refused_join(Code.FENCED_INSTANCE_ID, old.name))
        old.synced(refused_sync(Code.FENCED_INSTANCE_ID))
        self._watch(new)
        if self.state is State.STABLE and old.said.protocols == new.said.protocols:
            return told
        return await self._wait(new)

    async def _wait(self, member: Member) -> Answer:
        """For a generation with *member* in it."""
        waiting = member.join(refused_join(Code.UNKNOWN_MEMBER_ID, member.name))
        self._rebalance()
        return await waiting

    def _rebalance(self) -> None:
        if self.state is not State.JOINING:
            self._is_gathering = self.state is State.EMPTY and self._delay > 0
            self.state = State.JOINING
            for member in self.roster:
                member.seen = _now()
                member.synced(refused_sync(Code.REBALANCE_IN_PROGRESS))
            self._wait_for_all()
        self._begin_if_all_are_there()

    def _wait_for_all(self) -> None:
        longest = max((member.said.rebalance for member in self.roster), default=0.0)
        self._stop_timer()
        self._timer = _later(self._delay if self._is_gathering else longest, self._begin_generation)

    def _begin_if_all_are_there(self) -> None:
        if self._is_gathering or self._announced:
            return
        if all(member.joins for member in self.roster):
            self._begin_generation()

    def _begin_generation(self) -> None:
        """With those that have joined; who has not is out."""
        self._stop_timer()
        self._is_gathering = False
        self.roster.begin()
        self.state = State.SYNCING if self.roster else State.EMPTY
        for member in self.roster:
            if member.joins:
                member.seen = _now()
            member.joined(self.roster.told(member))

    def _remove(self, name: str) -> None:
        member = self.roster.remove(name)
        member.joined(refused_join(Code.UNKNOWN_MEMBER_ID, name))
        member.synced(refused_sync(Code.UNKNOWN_MEMBER_ID))
        if self.state is State.JOINING:
            self._begin_if_all_are_there()
        elif self.roster:
            self._rebalance()
        else:
            self._begin_generation()

    def _unannounce(self, name: str) -> None:
        self._announced.pop(name).cancel()
        if self.state is State.JOINING:
            self._begin_if_all_are_there()

    def _hear(self, name: str, generation: int) -> Code:
        """A sign of life, if it is of a member."""
        code = self.roster.check(name, generation)
        member = self.roster.get(name)
        if member is not None and code is Code.NONE:
            member.seen = _now()
        return code

    def _watch(self, member: Member) -> None:
        """Out it goes when nothing was heard of it for its session. A timer that finds it alive is set anew."""
        if self.roster.get(member.name) is not member:
            return
        if member.timer is not None:
            member.timer.cancel()
        due = (_now() if member.waits else member.seen) + member.said.session
        if due <= _now():
            self._remove(member.name)
        else:
            member.timer = asyncio.get_running_loop().call_at(due, self._watch, member)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _assigned(member: Member) -> Answer:
    return {"error_code": Code.NONE, "member_assignment": member.assignment}


def _now() -> float:
    return asyncio.get_running_loop().time()


def _later(seconds: float, act: Callable[..., None], *of: str) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, act, *of)
