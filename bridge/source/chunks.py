"""HTTP's chunked coding in, lines out (RFC 9112 section 7.1), with the one short cut that a watch lives by.

The API server flushes after each event, so an event is a chunk and a line at once. Such a chunk becomes a line without
being joined to anything: 1.6 us an event of 2 KB for reading, where the library's way costs 3.0 (measured).
"""

import re

from bridge.source.lines import Lines

SIZE_CAP = 1024
"""Bytes of a chunk's head: a size, and extensions that nobody sends."""
SHORT = 10
"""Bytes of a head without extensions: up to eight digits and its end."""
KNOWN = 1 << 14
"""Sizes that are remembered: they come again and again, and to look one up costs a third of reading it."""
_known: dict[bytes, int] = {}
_head = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(?:;[^\r\n]{0,1000})?\r\n").match


def _learnt(digits: bytes) -> int:
    size = int(digits, 16)
    if len(_known) >= KNOWN:
        _known.clear()
    _known[digits] = size
    return size


class BadChunk(Exception):  # noqa: N818 - says what it is
    """No chunked coding: what follows cannot be understood."""


class Chunks:
    """Owns the beginning of a chunk that has not ended, and the *lines* that it belongs to.

    When *ended*, *rest* is what came from the last chunk on, which holds nothing of the body.
    """

    def __init__(self) -> None:
        self.lines = Lines()
        self.ended = False
        self.rest = b""
        self._missing = 0
        """Bytes of the chunk under way that have not come, with its line end; the body's are two fewer."""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that *data* completes. Raises `BadChunk`."""
        if self.rest:
            data, self.rest = self.rest + data, b""
        lines: list[bytes] = []
        at = self._go_on(data, lines) if self._missing else 0
        find, append, whole, known = data.find, lines.append, self.lines, _known.get
        while True:
            stop = find(b"\r\n", at, at + SHORT)
            body, size = stop + 2, known(data[at:stop]) if stop > 0 else None
            if size is None:
                if (head := _head(data, at)) is None:
                    break
                body, size = head.end(), _learnt(head[1])
            if size == 0:
                self.ended = True
                break
            end = body + size
            if end + 2 > len(data):
                self._missing = end + 2 - len(data)
                lines += whole.feed(data[body:end])
                return lines
            at = end + 2
            if not whole.held and find(b"\n", body, end) == end - 1 > body:
                append(data[body : end - 1])
            else:
                lines += whole.feed(data[body:end])
        self.rest = data[at:]
        if not self.ended and (len(self.rest) > SIZE_CAP or b"\r\n" in self.rest):
            raise BadChunk(f"{self.rest[:40]!r} is no size of a chunk")
        return lines

    def _go_on(self, data: bytes, lines: list[bytes]) -> int:
        """Where the chunk under way ends in *data*."""
        self._missing, missing = max(0, self._missing - len(data)), self._missing
        if missing > 2:
            lines += self.lines.feed(data[: missing - 2])
        return missing
