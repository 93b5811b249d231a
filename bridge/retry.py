"""How long to wait before the next try. The only place that is random."""

import random

import backoff

FIRST, FACTOR, CAP = 0.8, 2, 30.0
"""Seconds: client-go's reflector and kube-rs use the same (reflector.go, watcher.rs)."""


class Backoff:
    """Exponential with full jitter, up to *cap* seconds. Owns how often it was asked since the last `reset`.

    Reset it only on proof of health (an object, a bookmark, a commit), never on a mere connection:
    a server that answers and then fails would be asked at full speed otherwise.
    """

    def __init__(self, cap: float = CAP) -> None:
        self._cap = cap
        self.reset()

    def reset(self) -> None:
        self._tries = 0
        self._waits = backoff.expo(base=FACTOR, factor=FIRST, max_value=self._cap)
        next(self._waits)  # the library's generators yield None first

    @property
    def fresh(self) -> bool:
        """Nothing has failed since the last reset."""
        return self._tries == 0

    def next(self) -> float:
        """Seconds to wait before one more try."""
        self._tries += 1
        return spread(next(self._waits))

    def next_but_first(self) -> float:
        """The same, but nothing the first time: for what is mended by asking again."""
        self._tries += 1
        return spread(next(self._waits)) if self._tries > 1 else 0.0


def spread(seconds: float) -> float:
    """Full jitter: anything from an instant to *seconds*, so that many clients do not come back together."""
    return backoff.full_jitter(seconds)


def between(low: float, high: float) -> float:
    return random.uniform(low, high)  # noqa: S311 - spreads load, guards nothing
