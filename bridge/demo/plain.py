"""The demo as plain lines: for pipes, logs and screens that cannot be drawn on."""

import time
from collections import Counter
from collections.abc import Callable

from bridge.consumer.records import Deleted, Keyed
from bridge.demo.chorus import Chorus
from bridge.demo.lines import is_marker, kind_of, line

EVERY = 1.0
"""Seconds between two lines about ordinary changes."""


class Plain:
    """Owns what was not yet said of ordinary changes. Markers and inferred deletes are said one by one."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._chorus = Chorus()
        self._counts: Counter[str] = Counter()
        self._last = ""
        self._said = time.monotonic()

    def say(self, words: str) -> None:
        self._flush()
        self._write(f"\n== {words}")

    def told(self, keyed: Keyed, partition: int) -> None:
        if is_marker(keyed):
            if self._chorus.is_due(keyed, partition):
                self._flush()
                self._write(line(keyed))
        elif isinstance(keyed.record, Deleted) and keyed.record.inferred:
            self._write(f"  {line(keyed)}")
        else:
            self._counts[kind_of(keyed)] += 1
            self._last = line(keyed)
            if time.monotonic() - self._said >= EVERY:
                self._flush()

    def _flush(self) -> None:
        if self._counts:
            counts = ", ".join(f"{count} {kind}" for kind, count in sorted(self._counts.items()))
            self._write(f"  {counts}; the last: {self._last}")
        self._counts.clear()
        self._said = time.monotonic()
