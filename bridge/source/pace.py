"""When a busy stream is read: in bursts, since at ordinary rates each wake-up costs more than what it brings.

At 500 changes a second, through TLS, a read for each costs twice what a read for 25 of them does, and the many small
transactions cost Kafka and us as much again. A stream that is not busy is read at once, and so is one that has much to
say: there a read brings enough by itself.
"""

GATHER = 0.065
"""Seconds that a busy stream is left alone: with a commit's 15 ms changes still reach consumers within 100."""
CLOSE = 0.02
"""Seconds between two reads that follow closely."""
ROW = 3
"""So many of those in a row make a stream busy: an object that changes twice or three times at once does not."""
MANY = 8
"""Changes in one read that do, too."""
PLENTY = 128 << 10
"""Bytes in one read, above which more is waiting than a pause would gather."""


class Pace:
    """Owns how busy a stream has been of late. *wait*: for how many seconds to let it gather before the next read."""

    def __init__(self) -> None:
        self.wait = 0.0
        self._last = float("-inf")
        self._row = 0

    def read(self, lines: int, size: int, now: float) -> None:
        """At *now* (seconds) so many *lines*, of *size* bytes, have come."""
        self._row = self._row + 1 if now - self._last < CLOSE else 0
        self._last = now
        goes_on = lines > 1 and self.wait > 0
        is_busy = goes_on or lines >= MANY or self._row >= ROW
        self.wait = GATHER if is_busy and size < PLENTY else 0.0
