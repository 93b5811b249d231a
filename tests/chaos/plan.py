"""What goes wrong, and when: the same seed, the same plan."""

import random
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

What = Literal[
    "kill replica",
    "stop replica",
    "freeze replica",
    "kill broker",
    "freeze broker",
    "kill API server",
    "restart API server",
    "expire everything",
    "compact etcd",
    "slow network",
    "cut connections",
    "dead network",
]
Side = Literal["replica", "broker", "cluster", "network"]

DECK: dict[What, tuple[Side, int, float, float]] = {
    "kill replica": ("replica", 3, 0.0, 4.0),
    "stop replica": ("replica", 2, 0.0, 4.0),
    "freeze replica": ("replica", 2, 3.0, 16.0),  # the group forgets a member after 10 s: both sides of it
    "kill broker": ("broker", 2, 0.0, 4.0),
    "freeze broker": ("broker", 1, 1.0, 6.0),
    "kill API server": ("cluster", 1, 0.0, 3.0),
    "restart API server": ("cluster", 1, 0.0, 0.0),
    "expire everything": ("cluster", 1, 0.0, 0.0),
    "compact etcd": ("cluster", 2, 0.0, 0.0),
    "slow network": ("network", 1, 2.0, 6.0),
    "cut connections": ("network", 2, 0.0, 0.0),
    "dead network": ("network", 1, 2.0, 8.0),
}
"""Of what it is, how many there are in a deck, and the seconds it lasts, least and most."""
PACE = 4.0
"""Seconds between two faults on average: a minute holds about a deck."""
CALM = 0.9
"""Of the run: after that, nothing begins."""


class Fault(Struct, frozen=True):
    """Begins at *second* of the run and lasts *lasting* seconds. *replica* says which, where it is about one."""

    second: float
    what: What
    lasting: float
    replica: int

    @property
    def side(self) -> Side:
        return DECK[self.what][0]

    def __str__(self) -> str:
        whom = f" {self.replica}" if self.side == "replica" else ""
        return f"{self.second:6.1f} s  {self.what}{whom}, for {self.lasting:.1f} s"


def plan(seed: int, seconds: float, replicas: int) -> list[Fault]:
    """Shuffled decks, one after another, so that every kind comes before any comes too often."""
    dice = random.Random(seed)
    count = max(1, round(CALM * seconds / PACE))
    cards = _cards(dice)
    return [_fault(dice, next(cards), (number + dice.uniform(0, 1)) * PACE, replicas) for number in range(count)]


def _cards(dice: random.Random) -> Iterator[What]:
    while True:
        deck = [what for what, (_, many, _, _) in DECK.items() for _ in range(many)]
        dice.shuffle(deck)
        yield from deck


def _fault(dice: random.Random, what: What, second: float, replicas: int) -> Fault:
    _, _, least, most = DECK[what]
    return Fault(round(second, 1), what, round(dice.uniform(least, most), 1), dice.randrange(replicas))
