"""What goes wrong, and when: the same seed, the same plan."""

import random
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

What = Literal[
    "kill replica",
    "stop replica",
    "freeze replica",
    "restart storm",
    "one replica alone",
    "more replicas",
    "resync",
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
Side = Literal["replica", "replicas", "spare", "stream", "broker", "cluster", "network"]

DECK: dict[What, tuple[Side, int, float, float]] = {
    "kill replica": ("replica", 3, 0.0, 4.0),
    "stop replica": ("replica", 2, 0.0, 4.0),
    "freeze replica": ("replica", 2, 3.0, 16.0),  # the group forgets a member after 10 s: both sides of it
    "restart storm": ("replicas", 1, 6.0, 12.0),
    "one replica alone": ("replicas", 1, 3.0, 12.0),
    "more replicas": ("spare", 1, 4.0, 12.0),
    "resync": ("stream", 2, 0.0, 0.0),
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
"""Seconds between two faults on average: a minute holds more than half a deck."""
GUST = (1.0, 3.0)
"""Seconds between two restarts of everybody in a storm, least and most: hardly one has begun when it is ended."""
CALM = 0.9
"""Of the run: after that, nothing begins."""


class Fault(Struct, frozen=True):
    """Begins at *second* of the run and lasts *lasting* seconds. *which* replica or stream, where it is about one."""

    second: float
    what: What
    lasting: float
    which: int

    @property
    def side(self) -> Side:
        return DECK[self.what][0]

    def __str__(self) -> str:
        whom = f" {self.which}" if self.side in ("replica", "stream") or self.what == "one replica alone" else ""
        return f"{self.second:6.1f} s  {self.what}{whom}, for {self.lasting:.1f} s"


class Gust(Struct, frozen=True):
    """After *pause* seconds all replicas start anew: the *killed* ones after a SIGKILL, the others after a SIGTERM."""

    pause: float
    killed: list[bool]


def plan(seed: int, seconds: float, replicas: int, streams: int) -> list[Fault]:
    """Shuffled decks, one after another, so that every kind comes before any comes too often."""
    dice = random.Random(seed)
    count = max(1, round(CALM * seconds / PACE))
    cards = _cards(dice)
    counts = {"stream": streams}
    faults = []
    for number in range(count):
        what, second = next(cards), (number + dice.uniform(0, 1)) * PACE
        side, _, least, most = DECK[what]
        which = dice.randrange(counts.get(side, replicas))
        faults.append(Fault(round(second, 1), what, round(dice.uniform(least, most), 1), which))
    return faults


def storm(fault: Fault, replicas: int) -> list[Gust]:
    """The restarts of a storm, for as long as it lasts. Now and then all go the same way, as nodes and rollouts do."""
    dice = random.Random(str(fault))
    gusts: list[Gust] = []
    while sum(gust.pause for gust in gusts) < fault.lasting:
        killed = (
            [dice.random() < 0.5] * replicas if dice.random() < 0.5 else [dice.random() < 0.5 for _ in range(replicas)]
        )
        gusts.append(Gust(dice.uniform(*GUST), killed))
    return gusts


def _cards(dice: random.Random) -> Iterator[What]:
    while True:
        deck = [what for what, (_, many, _, _) in DECK.items() for _ in range(many)]
        dice.shuffle(deck)
        yield from deck
