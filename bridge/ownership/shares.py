"""The assignor: which member of the group gets which partition. Sticky, and even by streams, not by partitions.

A member is known by its id. Partitions are numbers; a partition's *weight* is the number of streams that hash to it.
"""

from collections.abc import Iterable, Mapping, Sequence

Shares = dict[str, set[int]]


def share(weights: Sequence[int], held: Mapping[str, Iterable[int]]) -> Shares:
    """Every partition to exactly one of the members, who are the keys of *held*: what each of them has now.

    Even: no single partition could be moved that would make two members' loads more alike. Sticky: what is held
    stays, unless moving it makes it more even. Partitions without streams are shared out by themselves, by number.
    """
    shares: Shares = {member: set() for member in sorted(held)}
    if not shares:
        return shares
    known = {number: member for member in sorted(held, reverse=True) for number in held[member]}
    with_streams = {number: weight for number, weight in enumerate(weights) if weight > 0}
    without = {number: 1 for number, weight in enumerate(weights) if weight <= 0}
    for costs in (with_streams, without):
        part = _Part(costs, known, list(shares))
        part.place()
        part.level()
        for member, numbers in part.shares.items():
            shares[member] |= numbers
    return shares


def hand_over(target: Mapping[str, Iterable[int]], held: Mapping[str, Iterable[int]]) -> Shares:
    """What members may have at once, on the way to *target*: nothing that another one still holds.

    Who finds that a partition of its is missing here ends its streams and joins again without it; then it is free.
    """
    holders: dict[int, set[str]] = {}
    for member, numbers in held.items():
        for number in numbers:
            holders.setdefault(number, set()).add(member)
    return {
        member: {number for number in numbers if holders.get(number, set()) <= {member}}
        for member, numbers in target.items()
    }


class _Part:
    """Partitions that are shared out together: number -> cost. Owns the shares as they grow."""

    def __init__(self, costs: Mapping[int, int], known: Mapping[int, str], members: Iterable[str]) -> None:
        self.shares: Shares = {member: set() for member in members}
        self._costs = costs
        self._loads = dict.fromkeys(self.shares, 0)
        self._free = {number for number in costs if number not in known}
        for number in costs:
            if number in known:
                self._give(number, known[number])

    def place(self) -> None:
        """What nobody holds goes to whoever has least, the heaviest first."""
        for number in sorted(self._free, key=lambda number: (-self._costs[number], number)):
            self._give(number, min(self._loads, key=lambda member: (self._loads[member], member)))

    def level(self) -> None:
        """Ends: each move makes the sum of the squared loads smaller."""
        while (move := self._move()) is not None:
            number, giver, taker = move
            self.shares[giver].remove(number)
            self._loads[giver] -= self._costs[number]
            self._give(number, taker)

    def _give(self, number: int, member: str) -> None:
        self.shares[member].add(number)
        self._loads[member] += self._costs[number]

    def _move(self) -> tuple[int, str, str] | None:
        """The best next one: between those that differ most, what is free before what is held."""
        rising = sorted(self._loads, key=lambda member: (self._loads[member], member))
        for giver in reversed(rising):
            for taker in rising:
                gap = self._loads[giver] - self._loads[taker]
                if gap <= 1:
                    break
                fit = [number for number in self.shares[giver] if self._costs[number] < gap]
                if fit:
                    return min(fit, key=lambda number: self._order(number, gap)), giver, taker
        return None

    def _order(self, number: int, gap: int) -> tuple[bool, bool, int, int]:
        """Not more than half the gap, if it can be: or the next move would be back."""
        twice = 2 * self._costs[number]
        return number not in self._free, twice > gap, abs(twice - gap), number
