"""Durations and sizes as people write them: `50ms`, `15s`, `1MiB`. Inside the bridge: float seconds, int bytes."""

import re
from typing import NewType

from bridge.config.problem import Misread

Duration = NewType("Duration", float)
"""Seconds."""

Size = NewType("Size", int)
"""Bytes."""

DURATION_PATTERN = r"[0-9]+(\.[0-9]+)?(ms|s|m|h|d)"
SIZE_PATTERN = r"[0-9]+(\.[0-9]+)?(B|kB|KB|MB|GB|Ki|Mi|Gi|KiB|MiB|GiB)"

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_BYTES |= {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_LONGEST = 20
"""No sensible number is longer; float and int are then safe from texts of a million digits."""


def duration(text: str) -> Duration:
    """Only 0 goes without a unit: `5` could be meant in seconds or in milliseconds, so it is refused."""
    if text == "0":
        return Duration(0.0)
    if len(text) <= _LONGEST and re.fullmatch(DURATION_PATTERN, text):
        number, unit = _split(text)
        return Duration(round(float(number) * _SECONDS[unit], 6))
    if len(text) <= _LONGEST and re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        raise Misread("a duration needs a unit", f"Write {text}s for seconds or {text}ms for milliseconds.")
    raise Misread("not a duration", "Write a number and a unit (ms, s, m, h or d), for example 50ms or 15s.")


def size(text: str) -> Size:
    """Plain whole numbers are bytes."""
    if len(text) <= _LONGEST and re.fullmatch(r"[0-9]+", text):
        return Size(int(text))
    if len(text) <= _LONGEST and re.fullmatch(SIZE_PATTERN, text):
        number, unit = _split(text)
        return Size(round(float(number) * _BYTES[unit]))
    raise Misread("not a size", "Write a number and a unit (KB, MB, GB, KiB, MiB or GiB), for example 1MiB.")


def duration_text(seconds: float) -> str:
    """As a person would write it: the largest unit that leaves a whole number."""
    for unit in ("h", "m", "s"):
        if seconds >= _SECONDS[unit] and seconds % _SECONDS[unit] == 0:
            return f"{seconds / _SECONDS[unit]:.0f}{unit}"
    number, unit = (seconds, "s") if seconds >= 1 else (seconds * 1000, "ms")
    return f"{number:.6f}".rstrip("0").rstrip(".") + unit


def size_text(count: int) -> str:
    """As a person would write it: the largest binary unit that leaves a whole number, else plain bytes."""
    for unit in ("GiB", "MiB", "KiB"):
        if count and count % _BYTES[unit] == 0:
            return f"{count // _BYTES[unit]}{unit}"
    return str(count)


def _split(text: str) -> tuple[str, str]:
    number = text.rstrip("msdhBkKMGi")
    return number, text[len(number) :]
