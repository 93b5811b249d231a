"""How far a snapshot has come, for the log."""

import asyncio

from bridge.model.event import Change, ChangeType, Event, Restarted, Synced
from bridge.source.telling import RelistProgressed

PROGRESS = 5.0
"""Seconds between two log lines about a snapshot under way."""


class Relisting:
    """Owns how far a snapshot has come, to tell of it every few seconds."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._began: float | None = None
        self._said = 0.0
        self._objects = 0

    def follow(self, events: list[Event]) -> None:
        now = asyncio.get_running_loop().time()
        for event in events:
            match event:
                case Restarted():
                    self._began = self._said = now
                    self._objects = 0
                case Synced():
                    self._began = None
                case Change(type=ChangeType.LISTED):
                    self._objects += 1
                case _:
                    pass
        if self._began is not None and now - self._said >= PROGRESS:
            self._said, seconds = now, now - self._began
            rate = round(self._objects / seconds, 1)
            RelistProgressed(self._stream, self._objects, round(seconds, 1), rate).emit()
