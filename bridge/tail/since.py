"""Where to begin: `--since`, as people write it."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from bridge.config.problem import Misread
from bridge.config.units import duration


class Now(Struct, frozen=True):
    """With the next record that comes."""


class Beginning(Struct, frozen=True):
    """With the oldest that is there."""


class At(Struct, frozen=True):
    """With the first record that was written at this time or later, in milliseconds since 1970."""

    time_ms: int


Since = Now | Beginning | At


def since(text: str, now: datetime) -> Since:
    """A duration back from *now*, a time (UTC unless it says otherwise), or one of two words. Raises `Misread`."""
    if text in ("now", "beginning"):
        return Now() if text == "now" else Beginning()
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return At(_milliseconds(_back(text, now)))
    return At(_milliseconds(time if time.tzinfo is not None else time.replace(tzinfo=UTC)))


def _back(text: str, now: datetime) -> datetime:
    try:
        return max(now - timedelta(seconds=duration(text)), datetime.fromtimestamp(0, UTC))
    except OverflowError:
        return datetime.fromtimestamp(0, UTC)
    except Misread as misread:
        raise Misread(
            f"{text} is neither a duration nor a time", "Write 10m, 2026-11-23T08:30:00Z, beginning or now."
        ) from misread


def _milliseconds(time: datetime) -> int:
    """Kafka knows no time before 1970."""
    return max(int(time.timestamp() * 1000), 0)
