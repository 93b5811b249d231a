"""What a test may make the server answer instead of the truth, and the queue of it.

Every form in which a server, or something before it, was ever seen to fail can be said with these: any status with any
body, any bytes in any pieces, an end in or out of order, silence, delay.
"""

import enum
import gzip
from collections import deque
from collections.abc import Mapping

from msgspec import Struct


class End(enum.Enum):
    """How a stream goes on when all its pieces are sent; without one it ends in good order."""

    CUT = "cut"
    """The connection breaks in the middle of the answer."""
    SILENCE = "silence"
    """It stays open, and nothing comes until the client goes."""


Step = bytes | float | End
"""Bytes that are one chunk, seconds to wait, or how it ends."""


class Answer(Struct, frozen=True):
    """A whole answer. *body* is sent as it is."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Stream(Struct, frozen=True):
    """Status 200 and then one step after another."""

    steps: tuple[Step, ...] = ()
    headers: Mapping[str, str] = {}


class Late(Struct, frozen=True):
    """The true answer, after *seconds*."""

    seconds: float


Reply = Answer | Stream | Late


class Rule(Struct, frozen=True):
    """For the next request of *path*. *watch* None is both, lists and watches."""

    path: str
    method: str
    watch: bool | None
    reply: Reply


class Script:
    """Owns the replies that wait for their request: the first one that fits is used up."""

    def __init__(self) -> None:
        self._rules: deque[Rule] = deque()

    def __len__(self) -> int:
        return len(self._rules)

    def queue(self, path: str, *replies: Reply, method: str = "GET", watch: bool | None = None) -> None:
        self._rules.extend(Rule(path, method, watch, reply) for reply in replies)

    def take(self, method: str, path: str, watch: bool) -> Reply | None:
        for rule in self._rules:
            if (rule.method, rule.path) == (method, path) and rule.watch in (None, watch):
                self._rules.remove(rule)
                return rule.reply
        return None

    def clear(self) -> None:
        self._rules.clear()


def pieces(data: bytes, size: int = 1) -> tuple[bytes, ...]:
    """*data* cut at every *size* bytes, also within a character."""
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def members(*parts: bytes) -> Stream:
    """Each part a gzip member of its own, as 1.37 sends a WatchList (handlers/watch.go)."""
    return Stream(tuple(gzip.compress(part) for part in parts), {"Content-Encoding": "gzip"})
