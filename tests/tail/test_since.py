from datetime import UTC, datetime

import pytest

from bridge.config.problem import Misread
from bridge.tail.since import At, Beginning, Now, Since, since

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MS = 1795435200000


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("now", Now()),
        ("beginning", Beginning()),
        ("10m", At(MS - 600_000)),
        ("1.5s", At(MS - 1_500)),
        ("2026-11-23T12:00:00Z", At(MS)),
        ("2026-11-23T12:00:00.250", At(MS + 250)),
        ("2026-11-23T13:00:00+01:00", At(MS)),
        ("2026-11-23", At(MS - 12 * 3_600_000)),
        ("1960-01-01", At(0)),
        ("99999999d", At(0)),
    ],
)
def test_a_beginning_as_people_write_it(text: str, meant: Since) -> None:
    assert since(text, NOON) == meant


@pytest.mark.parametrize("text", ["lunch", "10", "-5m", ""])
def test_what_is_neither_a_duration_nor_a_time_is_refused(text: str) -> None:
    """Not taken for now, which would show nothing and say nothing of it."""
    with pytest.raises(Misread):
        since(text, NOON)
