"""The proof that a stream is ours, for those who write: without it nothing is begun, nor sent where nothing fences."""

import math
from collections.abc import Callable

from bridge.sink.connection import KafkaFault

Proof = Callable[[], float]
"""For how many seconds what is written is ours to write, as far as we know."""


def alone() -> float:
    """For who shares with nobody."""
    return math.inf


def assert_ours(name: str, proof: Proof) -> None:
    if proof() <= 0:
        raise KafkaFault(f"{name} may be another replica's now: that it is ours has not been confirmed for too long")
