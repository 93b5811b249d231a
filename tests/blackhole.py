"""Addresses that swallow every packet, as behind a firewall, or of a machine that is off: no answer, and no refusal."""

import contextlib
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def blackhole(addresses: int = 1) -> Iterator[list[str]]:
    """*addresses* of one port, in which connections hang: its queue of those to be accepted is full."""
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("0.0.0.0", 0))
        deaf.listen(0)
        port = deaf.getsockname()[1]
        for _ in range(3):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                filling.connect(("127.0.0.1", port))
        yield [f"127.0.0.{number}:{port}" for number in range(1, addresses + 1)]
