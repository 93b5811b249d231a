"""`bridge.source.chunks`: what a watch comes in. A line lost or spoilt here is a change lost in silence."""

import pytest

from bridge.source.chunks import SIZE_CAP, BadChunk, Chunks

TEXT = '{"a":"é€😀"}\n{}\n\n{"b":1}\n'.encode()
WHOLE = ['{"a":"é€😀"}'.encode(), b"{}", b'{"b":1}']
END = b"0\r\n\r\n"


def chunk(body: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(body), extension, body)


def feed(*parts: bytes) -> list[bytes]:
    chunks = Chunks()
    return [line for part in parts for line in chunks.feed(part)]


@pytest.mark.parametrize("cut", range(len(TEXT) + 1))
def test_a_line_may_be_parted_by_chunks_anywhere(cut: int) -> None:
    """Proxies flush when they like, also in the midst of a character."""
    chunks = [chunk(part) for part in (TEXT[:cut], TEXT[cut:]) if part]

    assert feed(b"".join(chunks)) == WHOLE


CODED = b"".join(chunk(line + b"\n") for line in WHOLE) + chunk(TEXT[:8], b";x=y") + chunk(TEXT[8:]) + END


@pytest.mark.parametrize("cut", range(len(CODED) + 1))
def test_a_read_may_end_anywhere(cut: int) -> None:
    """In a chunk's size, between its two ends of line, in its body: the network does not ask."""

    assert feed(CODED[:cut], CODED[cut:]) == WHOLE + WHOLE


def test_it_may_come_byte_by_byte() -> None:
    assert feed(*[CODED[i : i + 1] for i in range(len(CODED))]) == WHOLE + WHOLE


def test_what_comes_after_the_body_is_left() -> None:
    """The library reads the end, trailers and all, and uses the connection again."""
    chunks = Chunks()

    assert chunks.feed(chunk(b"{}\n") + b"0\r\nx: y\r\n\r\nHTTP/1.1 200 OK") == [b"{}"]
    assert (chunks.ended, chunks.rest) == (True, b"0\r\nx: y\r\n\r\nHTTP/1.1 200 OK")


def test_what_is_held_of_a_long_line_is_known() -> None:
    """A 30 MB object in one chunk comes in hundreds of reads; above the cap the reader gives up."""
    chunks, part = Chunks(), b"x" * 65536
    size = b"%x\r\n" % (320 * len(part) + 1)

    assert chunks.feed(size) == []
    held = [(chunks.feed(part), chunks.lines.held) for _ in range(320)]
    assert held == [([], 65536 * (n + 1)) for n in range(320)]
    assert chunks.feed(b"\n\r\n" + chunk(b"{}\n")) == [part * 320, b"{}"]
    assert chunks.lines.held == 0


def test_a_line_of_many_chunks_and_many_lines_in_a_chunk() -> None:
    assert feed(chunk(b"{") + chunk(b'"a":1') + chunk(b"}\n{}\n{") + chunk(b"}\n")) == [b'{"a":1}', b"{}", b"{}"]


@pytest.mark.parametrize(
    "bad", [b"{}\r\n", b"-5\r\n", b"\r\n", b"1 0\r\n", b"0x5\r\n", b"+5\r\n", b"1_0\r\n", b"1" + b";" * SIZE_CAP]
)
def test_what_is_no_chunk_is_not_guessed_at(bad: bytes) -> None:
    """After a size that cannot be read nothing is known any more: the watch ends, and resumes where it was."""
    chunks = Chunks()

    with pytest.raises(BadChunk):
        chunks.feed(chunk(b"{}\n") + bad)
