"""How busy a stream was in the last minutes, in steps: what a sparkline is drawn from."""

STEP = 5.0
"""Seconds. The page asks more often, so that each step is seen as soon as it is over."""
STEPS = 60


class Rates:
    """Owns how many records were committed in each of the last steps, and in the one that is under way.

    Times are seconds since 1970, and may go back a little: clocks are set. Then the step under way goes on.
    """

    def __init__(self, now: float) -> None:
        self._counts = [0] * (STEPS + 1)
        self._slot = int(now // STEP)

    def add(self, records: int, now: float) -> None:
        self._advance(now)
        self._counts[-1] += records

    def read(self, now: float) -> tuple[float, ...]:
        """Records per second, of the steps that are over, the oldest first."""
        self._advance(now)
        return tuple(count / STEP for count in self._counts[:-1])

    def _advance(self, now: float) -> None:
        slot = int(now // STEP)
        passed = slot - self._slot
        if -STEPS < passed <= 0:
            return
        kept = self._counts[passed:] if passed > 0 else []
        self._slot, self._counts = slot, [*kept, *[0] * (STEPS + 1 - len(kept))]
