"""The door of the HTTP side: up before anything else is asked or read, and until all has ended."""

import importlib.metadata
import os
import platform
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bridge.audience import listening
from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.telemetry import HttpListening
from bridge.web.board import Board, Setup
from bridge.web.server import serve


@asynccontextmanager
async def serving(config: Config, stopping: Callable[[], bool]) -> AsyncIterator[Board | None]:
    """Serve what `http.listen` says, if anything. Raises `Unbindable`. The board hears what is told meanwhile."""
    if config.http.listen is None:
        yield None
        return
    board = Board(setup_of(config), stopping)
    builds = (_version("kube-event-bridge"), platform.python_version(), _version("aiokafka"))
    with listening(board.hear):
        async with serve(config.http.listen, board, builds) as url:
            HttpListening(url).emit()
            yield board


def setup_of(config: Config) -> Setup:
    names = tuple(spec.name for spec in streams(config))
    return Setup(_version("kube-event-bridge"), config.name, config.cluster, host(), config.standalone, names)


def host() -> str:
    """What this replica is called: as containers have it, the pod's name."""
    return os.environ.get("HOSTNAME") or socket.gethostname()


def _version(distribution: str) -> str:
    return importlib.metadata.version(distribution)
