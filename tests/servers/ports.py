"""Ports for servers that will be killed and restarted on them."""

import random
import socket
from collections.abc import Callable

from tests.servers.process import StartError

RANGE = range(20_000, 32_000)
"""Below Linux's ephemeral ports (32768 and up): while a server is down, no client may get its port for an outgoing
connection, least of all one that keeps trying to reach that very port and would then be connected to itself."""


def free_ports(count: int) -> list[int]:
    """Free a moment ago; somebody else may still be quicker."""
    candidates = iter(random.sample(RANGE, len(RANGE)))
    ports: list[int] = []
    while len(ports) < count:
        port = next(candidates)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if probe.connect_ex(("127.0.0.1", port)) != 0 and _bindable(port):
                ports.append(port)
    return ports


def _bindable(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def on_free_ports(count: int, start: Callable[[list[int]], None]) -> None:
    """Try again on others when a port was taken between the look and the start."""
    for _ in range(4):
        try:
            return start(free_ports(count))
        except StartError as failure:
            if not failure.port_taken:
                raise
    return start(free_ports(count))
