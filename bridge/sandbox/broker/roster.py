"""Who is in a consumer group, and what they have agreed on: how partitions are shared, and who does it."""

from collections import Counter
from collections.abc import Iterator

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.member import Answer, Joining, Member


class Roster:
    """Owns the members, the generation, and its leader."""

    def __init__(self) -> None:
        self.generation = 0
        self.kind = ""
        self.protocol = ""
        self.leader = ""
        self._members: dict[str, Member] = {}

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members.values())

    def __len__(self) -> int:
        return len(self._members)

    def get(self, name: str) -> Member | None:
        return self._members.get(name)

    def accepts(self, said: Joining) -> bool:
        """Whether there would still be a protocol that all know."""
        if not said.protocols or not said.kind:
            return False
        if not self._members:
            return True
        return said.kind == self.kind and any(self._is_common(protocol) for protocol in said.protocols)

    def add(self, member: Member) -> None:
        self._members[member.name] = member
        self.kind = member.said.kind

    def remove(self, name: str) -> Member:
        return self._members.pop(name)

    def static(self, instance: str) -> Member | None:
        """Who is in as *instance* (KIP-345)."""
        return next((member for member in self if member.said.instance == instance), None)

    def replace(self, old: Member, new: Member) -> None:
        """The same instance, restarted: its share is kept, and its place, though it lead."""
        self._members = {each.name: each for each in (new if member is old else member for member in self)}
        new.assignment = old.assignment
        if self.leader == old.name:
            self.leader = new.name

    def check(self, name: str, generation: int) -> Code:
        """Whether *name* is a member, and of this generation."""
        if name not in self._members:
            return Code.UNKNOWN_MEMBER_ID
        return Code.NONE if generation == self.generation else Code.ILLEGAL_GENERATION

    def begin(self) -> None:
        """A generation, with those that have joined, and static members: only their sessions throw those out."""
        self._members = {each.name: each for each in self if each.joins or each.said.instance is not None}
        self.generation += 1
        if not self._members:
            self.protocol, self.leader = "", ""
            return
        self.protocol = self._elected()
        if self.leader not in self._members:
            self.leader = next(iter(self._members))

    def told(self, member: Member) -> Answer:
        """Of the generation. Only the leader learns who the others are."""
        everybody = [
            {
                "member_id": each.name,
                "group_instance_id": each.said.instance,
                "member_metadata": each.said.protocols[self.protocol],
            }
            for each in self
        ]
        return {
            "error_code": Code.NONE,
            "generation_id": self.generation,
            "group_protocol": self.protocol,
            "leader_id": self.leader,
            "member_id": member.name,
            "members": everybody if member.name == self.leader else [],
        }

    def _is_common(self, protocol: str) -> bool:
        return all(protocol in member.said.protocols for member in self)

    def _elected(self) -> str:
        """Every member has a vote, for the first of its protocols that all have."""
        votes = Counter(
            next(protocol for protocol in member.said.protocols if self._is_common(protocol)) for member in self
        )
        return votes.most_common(1)[0][0]
