"""The changes of a run, written to a file beforehand: to send them is then the kernel's work alone."""

from array import array
from pathlib import Path

from bench.firehose.changes import Changes

PIECE = 256 << 10
"""Bytes written at once."""


class Prepared:
    """*count* changes of *size* bytes on average."""

    def __init__(self, size: int, count: int, directory: Path) -> None:
        self.size, self.count = size, count
        self.path = directory / "changes"
        self.changes = Changes(size)
        self._offsets = array("Q", [0])
        self._write()

    def offset(self, k: int) -> int:
        """Where change number *k* begins; for *count* the length of the file."""
        return self._offsets[k]

    def sent(self, offset: int) -> int:
        """How many changes lie whole before *offset*."""
        low, high = 0, self.count
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._offsets[middle] <= offset else (low, middle - 1)
        return low

    def _write(self) -> None:
        pieces, held, end = [], 0, 0
        with self.path.open("wb") as file:
            for k in range(self.count):
                chunk = self.changes.chunk(k)
                end += len(chunk)
                self._offsets.append(end)
                pieces.append(chunk)
                held += len(chunk)
                if held >= PIECE:
                    file.write(b"".join(pieces))
                    pieces, held = [], 0
            file.write(b"".join(pieces))
