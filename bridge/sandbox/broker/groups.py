"""Consumer groups: members join, one of them shares the partitions out, and a change of members begins a generation.

After Kafka's GroupCoordinator, the classic protocol with eager rebalances.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.member import Answer, Joining, Member

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
    """Owns its members. *delay*: seconds that an empty group waits for more of them (group.initial.rebalance.delay)."""

    def __init__(self, delay: float) -> None:
        self.state = State.EMPTY
        self.generation = 0
        self.kind = ""
        self.protocol = ""
        self.members: dict[str, Member] = {}
        self._delay = delay
        self._leader = ""
        self._announced: dict[str, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_gathering = False

    async def join(self, name: str, said: Joining, *, announce: bool) -> Answer:
        """*announce*: a new member is first told its name, and comes again with it (KIP-394)."""
        if not SHORTEST_SESSION <= said.session <= LONGEST_SESSION:
            return refused_join(Code.INVALID_SESSION_TIMEOUT, name)
        if not self._is_consistent(said):
            return refused_join(Code.INCONSISTENT_GROUP_PROTOCOL, name)
        if name and name not in self.members and name not in self._announced:
            return refused_join(Code.UNKNOWN_MEMBER_ID, name)
        if not name:
            name = f"{said.client}-{uuid.uuid4()}"
            if said.instance is not None:
                self._replace(said.instance)
            elif announce:
                self._announced[name] = _later(said.session, self._unannounce, name)
                return refused_join(Code.MEMBER_ID_REQUIRED, name)
        return await self._join(name, said)

    async def sync(self, name: str, generation: int, assignments: dict[str, bytes]) -> Answer:
        if code := self.check(name, generation):
            return refused_sync(code)
        member = self.members[name]
        if self.state is State.JOINING:
            return refused_sync(Code.REBALANCE_IN_PROGRESS)
        if self.state is State.STABLE:
            return _assigned(member)
        waiting = member.sync(refused_sync(Code.REBALANCE_IN_PROGRESS))
        if name == self._leader:
            self.state = State.STABLE
            for each in self.members.values():
                each.assignment = assignments.get(each.name, b"")
                self._see(each)
                each.synced(_assigned(each))
        return await waiting

    def heartbeat(self, name: str, generation: int) -> Code:
        if code := self.check(name, generation):
            return code
        self._see(self.members[name])
        return Code.REBALANCE_IN_PROGRESS if self.state is State.JOINING else Code.NONE

    def leave(self, name: str) -> Code:
        if name in self._announced:
            self._unannounce(name)
            return Code.NONE
        if name not in self.members:
            return Code.UNKNOWN_MEMBER_ID
        self._remove(name)
        return Code.NONE

    def check(self, name: str, generation: int) -> Code:
        """Whether *name* is a member, and of this generation."""
        if name not in self.members:
            return Code.UNKNOWN_MEMBER_ID
        return Code.NONE if generation == self.generation else Code.ILLEGAL_GENERATION

    def admits_commit(self, name: str, generation: int) -> Code:
        """Of offsets. Without a generation it is a consumer that is in no group, or an operator."""
        if generation < 0 and not name:
            return Code.NONE if not self.members else Code.UNKNOWN_MEMBER_ID
        if code := self.check(name, generation):
            return code
        self._see(self.members[name])
        return Code.REBALANCE_IN_PROGRESS if self.state is State.SYNCING else Code.NONE

    def pause(self) -> None:
        """The broker stops, and nobody is thrown out meanwhile. Who had only been announced is forgotten."""
        self._stop_timer()
        for timer in (*self._announced.values(), *(member.timer for member in self.members.values() if member.timer)):
            timer.cancel()
        self._announced.clear()

    def resume(self) -> None:
        """Every member has a whole session to be heard again."""
        for member in self.members.values():
            self._see(member)
            self._watch(member)
        if self.state is State.JOINING:
            self._wait_for_all()

    async def _join(self, name: str, said: Joining) -> Answer:
        member = self.members.get(name)
        if member is None:
            if timer := self._announced.pop(name, None):
                timer.cancel()
            member = self.members[name] = Member(name, said, _now())
            self._watch(member)
            self.kind = said.kind
            needed = True
        else:
            self._see(member)
            needed = member.said.protocols != said.protocols or (self.state is State.STABLE and name == self._leader)
            member.said = said
        if not needed and self.state in (State.SYNCING, State.STABLE):
            return self._told(member)
        waiting = member.join(refused_join(Code.UNKNOWN_MEMBER_ID, name))
        self._rebalance()
        return await waiting

    def _is_consistent(self, said: Joining) -> bool:
        if not said.protocols or not said.kind:
            return False
        if not self.members:
            return True
        return said.kind == self.kind and any(self._is_common(protocol) for protocol in said.protocols)

    def _is_common(self, protocol: str) -> bool:
        return all(protocol in member.said.protocols for member in self.members.values())

    def _replace(self, instance: str) -> None:
        """A static member (KIP-345) that has restarted: it takes the place of the one it was."""
        for name in [name for name, member in self.members.items() if member.said.instance == instance]:
            member = self.members.pop(name)
            member.joined(refused_join(Code.FENCED_INSTANCE_ID, name))
            member.synced(refused_sync(Code.FENCED_INSTANCE_ID))

    def _rebalance(self) -> None:
        if self.state is not State.JOINING:
            self._is_gathering = self.state is State.EMPTY and self._delay > 0
            self.state = State.JOINING
            for member in self.members.values():
                self._see(member)
                member.synced(refused_sync(Code.REBALANCE_IN_PROGRESS))
            self._wait_for_all()
        self._begin_if_all_are_there()

    def _wait_for_all(self) -> None:
        longest = max((member.said.rebalance for member in self.members.values()), default=0.0)
        self._stop_timer()
        self._timer = _later(self._delay if self._is_gathering else longest, self._begin_generation)

    def _begin_if_all_are_there(self) -> None:
        if self._is_gathering or self._announced:
            return
        if all(member.joins for member in self.members.values()):
            self._begin_generation()

    def _begin_generation(self) -> None:
        """With those that have joined; who has not is out."""
        self._stop_timer()
        self._is_gathering = False
        self.members = {name: member for name, member in self.members.items() if member.joins}
        self.generation += 1
        if not self.members:
            self.state, self.protocol, self._leader = State.EMPTY, "", ""
            return
        self.state = State.SYNCING
        self.protocol = self._elected()
        if self._leader not in self.members:
            self._leader = next(iter(self.members))
        for member in self.members.values():
            self._see(member)
            member.joined(self._told(member))

    def _elected(self) -> str:
        """Every member has a vote, for the first of its protocols that all have."""
        votes = Counter(
            next(protocol for protocol in member.said.protocols if self._is_common(protocol))
            for member in self.members.values()
        )
        return votes.most_common(1)[0][0]

    def _told(self, member: Member) -> Answer:
        """Of the generation. Only the leader learns who the others are."""
        others = [
            {
                "member_id": each.name,
                "group_instance_id": each.said.instance,
                "member_metadata": each.said.protocols[self.protocol],
            }
            for each in self.members.values()
        ]
        return {
            "error_code": Code.NONE,
            "generation_id": self.generation,
            "group_protocol": self.protocol,
            "leader_id": self._leader,
            "member_id": member.name,
            "members": others if member.name == self._leader else [],
        }

    def _remove(self, name: str) -> None:
        member = self.members.pop(name)
        member.joined(refused_join(Code.UNKNOWN_MEMBER_ID, name))
        member.synced(refused_sync(Code.UNKNOWN_MEMBER_ID))
        if self.state is State.JOINING:
            self._begin_if_all_are_there()
        elif self.members:
            self._rebalance()
        else:
            self._begin_generation()

    def _unannounce(self, name: str) -> None:
        self._announced.pop(name).cancel()
        if self.state is State.JOINING:
            self._begin_if_all_are_there()

    def _see(self, member: Member) -> None:
        member.seen = _now()

    def _watch(self, member: Member) -> None:
        """Out it goes when nothing was heard of it for its session. A timer that finds it alive is set anew."""
        if self.members.get(member.name) is not member:
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
