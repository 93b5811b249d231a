"""What the demo shows is what the bridge is judged by: the gap must be seen, on every terminal."""

import io

import pytest
from rich.console import Console

from bridge.consumer.records import Keyed, read
from bridge.demo.chorus import Chorus
from bridge.demo.picture import Picture

OPENED = '{"type":"RESTARTED","stream":"pods","epoch":%d,"reason":"%s","message":"","partition":%d,"partitions":3}'
CLOSED = '{"type":"SYNCED","stream":"pods","epoch":%d,"resourceVersion":"90","partition":%d,"partitions":3,"objects":1}'
SEEN = '{"type":"%s","stream":"pods","epoch":%d,"resourceVersion":"80","time":"2026-11-25T08:00:00.000Z","object":{}}'
GONE = '{"type":"DELETED","stream":"pods","epoch":%d,"inferred":true,"time":"2026-11-25T08:00:00.000Z","object":{}}'


def _keyed(value: str, key: str = "pods") -> Keyed:
    keyed = read(key.encode(), value.encode())
    assert isinstance(keyed, Keyed)
    return keyed


def _gap(picture: Picture) -> None:
    """The first epoch, the second with a gap, and then life, more of it than any screen holds."""
    for number in range(3):
        picture.told(_keyed(OPENED % (1, "initial", number)), number)
        picture.told(_keyed(CLOSED % (1, number)), number)
    picture.told(_keyed(OPENED % (2, "expired", 0)), 0)
    for name in "abcdef":
        picture.told(_keyed(GONE % 2, f"pods/shop/gone-{name}"), 1)
    for number in range(200):
        picture.told(_keyed(SEEN % ("LISTED", 2), f"pods/shop/listed-{number}"), 2)
    for number in range(3):
        picture.told(_keyed(CLOSED % (2, number)), number)
    for number in range(100):
        picture.told(_keyed(SEEN % ("MODIFIED", 2), f"pods/shop/web-{number}"), 0)


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_the_gap_stays_in_sight(columns: int, rows: int) -> None:
    """A snapshot of hundreds passes in a blink; what a watcher came for must not pass with it."""
    picture = Picture(dict, dict, lambda: 7)
    picture.say("words that are longer than a narrow terminal is wide, since they explain what is happening just now")
    _gap(picture)
    console = Console(width=columns, height=rows, file=io.StringIO(), force_terminal=False)

    with console.capture() as capture:
        console.print(picture)
    lines = capture.get().splitlines()

    assert len(lines) < rows
    assert max(map(len, lines)) <= columns
    shown = [line.strip("│ ").rstrip("─ ") for line in lines]
    start = next(number for number, line in enumerate(shown) if line.startswith("── RESTARTED"))
    assert shown[start : start + 8] == [
        "── RESTARTED pods: expired",
        *(f"inferred      DELETED   pods/shop/gone-{name}  nobody saw it" for name in "abcd"),
        "and 2 more",
        "LISTED    200 pods that are there",
        "── SYNCED pods at version 90: what was not told since RESTARTED is gone",
    ]
    assert shown[-2].endswith("pods/shop/web-99  version 80")
    assert any(line.endswith("just now") for line in shown)


def test_a_marker_is_told_when_it_is_true() -> None:
    """SYNCED before the last partition's objects would look like a broken promise."""
    chorus = Chorus()

    begun = [chorus.is_due(_keyed(OPENED % (1, "initial", number)), number) for number in range(3)]
    ended = [chorus.is_due(_keyed(CLOSED % (1, number)), number) for number in range(3)]

    assert (begun, ended) == ([True, False, False], [False, False, True])
