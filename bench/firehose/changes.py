"""An endless life in a cluster, as the bytes of a watch: a thousand pods at a time, replaced after eight changes each.

Change number k has the version FIRST + k. So one in eight is ADDED, six are MODIFIED, one is DELETED, and every pod has
a name and a uid of its own: what a rolling update of everything looks like. Nothing is kept of what was sent, any
part can be made again.
"""

import random
import re
import time
from collections.abc import Iterator
from functools import cache

from bench.firehose.pods import CREATED, NAME, NOW, PHASES, UID, VERSION, WIDTHS, encode, life, uid

FIRST = 1_000_000_000
"""Version of change 0. Of ten digits, so that all versions are equally long."""
PODS = 1000
"""Alive at a time. In keyed batches a codec sees each of them again, as often as its window lets it."""
NAMESPACES = 20
NEW, GONE = 0, PHASES - 1
EPOCH = 1_790_000_000
"""Seconds: when change 0 happened. A thousand happen in each second."""

_ANY = re.compile("|".join(WIDTHS))
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
"""Of which the API server makes the ends of names (apimachinery, rand.go)."""


class _Template:
    """One pod in one phase: the bytes between what is put in, and which is put in where."""

    def __init__(self, kind: str, text: str) -> None:
        line = f'{{"type":"{kind}","object":{text}}}\n' if kind else text
        self.between = [part.encode() for part in _ANY.split(line)]
        self.marks = _ANY.findall(line)
        self.length = sum(map(len, self.between)) + sum(WIDTHS[mark] for mark in self.marks)
        self.chunk = f"{self.length:x}\r\n".encode()

    def parts(self, put: dict[str, bytes]) -> Iterator[bytes]:
        for part, mark in zip(self.between, self.marks, strict=False):
            yield part
            yield put[mark]
        yield self.between[-1]


class Changes:
    """Of pods that are *size* bytes long on average."""

    def __init__(self, size: int) -> None:
        dice = random.Random(size)
        lives = [life(size, dice, f"team-{slot % NAMESPACES:02}") for slot in range(PODS)]
        self._named: dict[int, tuple[int, dict[str, bytes]]] = {}
        kinds = ["ADDED", *["MODIFIED"] * (PHASES - 2), "DELETED"]
        texts = [[encode(body) for body in phases] for phases in lives]
        self._events = [[_Template(*pair) for pair in zip(kinds, phases, strict=True)] for phases in texts]
        self._objects = [[_Template("", text) for text in phases] for phases in texts]

    def chunk(self, k: int) -> bytes:
        """Change number *k* as a chunk of HTTP: Go's server makes one of each event, which it flushes."""
        template = self._events[k % PODS][_phase(k)]
        return b"".join([template.chunk, *template.parts(self._put(k)), b"\r\n"])

    def objects(self, before: int) -> list[bytes]:
        """The pods that live before change number *before*, as a list has them."""
        found = []
        for k in range(before - PODS, before):
            phase = _phase(k)
            if phase != GONE:
                found.append(b"".join(self._objects[k % PODS][phase].parts(self._put(k))))
        return found

    def _put(self, k: int) -> dict[str, bytes]:
        slot = k % PODS
        number = (k // PODS + slot) // PHASES
        known, names = self._named.get(slot, (-1, {}))
        if known != number:
            names = _names(slot, number)
            self._named[slot] = number, names
        return {**names, VERSION: b"%d" % (FIRST + k), NOW: _time(k // PODS)}


def _phase(k: int) -> int:
    """Neighbours are in different phases."""
    return (k // PODS + k % PODS) % PHASES


def _names(slot: int, number: int) -> dict[str, bytes]:
    """What the pod of that *number* in its slot is called."""
    dice = random.Random(slot * 1_000_003 + number)
    born = number * PHASES - slot % PHASES + slot // PODS
    name = "".join(dice.choices(_LETTERS, k=WIDTHS[NAME]))
    return {NAME: name.encode(), UID: uid(dice).encode(), CREATED: _time(born)}


@cache
def _time(second: int) -> bytes:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH + second)).encode()
