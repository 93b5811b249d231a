import pytest

from bridge.source.lines import Lines

TEXT = '{"a":"é€😀"}\n{}\n\n{"b":1}\n'
WHOLE = ['{"a":"é€😀"}'.encode(), b"{}", b'{"b":1}']


def feed(*chunks: bytes) -> list[bytes]:
    lines = Lines()
    return [line for chunk in chunks for line in lines.feed(chunk)]


@pytest.mark.parametrize("cut", range(len(TEXT.encode()) + 1))
def test_a_line_may_be_cut_anywhere(cut: int) -> None:
    """48: a chunk ends where the network likes, in the midst of a character too; no event may be lost or spoilt."""
    data = TEXT.encode()

    assert feed(data[:cut], data[cut:]) == WHOLE


def test_a_line_may_come_byte_by_byte() -> None:
    """A proxy may flush each byte."""

    assert feed(*[TEXT.encode()[i : i + 1] for i in range(len(TEXT.encode()))]) == WHOLE


def test_a_tail_without_an_end_is_no_line() -> None:
    """45: a cut connection leaves half an event, and half an event is worse than none: it comes again on resuming."""

    assert feed(b'{"a":1}\n{"b"') == [b'{"a":1}']


def test_empty_lines_are_nothing() -> None:
    """Some proxies send them to keep a connection alive; they are no undecodable events."""

    assert feed(b"\n\n{}\n\n", b"\n") == [b"{}"]


def test_a_large_line_is_joined_once() -> None:
    """47: an object of 20 MB comes in hundreds of chunks; it is one line, and what is held is known at each moment."""
    lines, part = Lines(), b"x" * 65536
    held = [(lines.feed(part), lines.held) for _ in range(320)]

    assert held == [([], 65536 * (n + 1)) for n in range(320)]
    assert lines.feed(b"y\nz") == [part * 320 + b"y"]
    assert lines.held == 1


def test_nothing_is_held_between_lines() -> None:
    """What is held counts against the cap: a long life of short lines must not add up to it."""
    lines = Lines()

    assert [(lines.feed(b"a"), lines.held), (lines.feed(b"b\n"), lines.held)] == [([], 1), ([b"ab"], 0)]
