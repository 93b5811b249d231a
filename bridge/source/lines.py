"""Chunks of bytes in, whole lines out. An HTTP chunk is no line: two events may share one, one event may need many."""

LINE_CAP = 32 << 20
"""Bytes. etcd refuses objects above 1.5 MB, their JSON may be larger; client-go allows 16 MiB (streaming.go)."""


class Lines:
    """Owns the beginning of a line whose end has not come yet. An unterminated tail is never a line.

    Linear in the bytes, also for a line of many chunks; bytes are not decoded, so UTF-8 may be cut anywhere.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.held = 0
        """Bytes of the unfinished line: whoever feeds must give up above `LINE_CAP`."""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that *chunk* completes, without their ends and without empty ones."""
        lines = chunk.split(b"\n")
        tail = lines.pop()
        if lines and self._parts:
            lines[0] = b"".join([*self._parts, lines[0]])
            self._parts, self.held = [], 0
        if tail:
            self._parts.append(tail)
            self.held += len(tail)
        return lines if all(lines) else [line for line in lines if line]

    @property
    def tail(self) -> bytes:
        """The beginning of the line that has not ended."""
        return b"".join(self._parts)
