"""Directories for servers' data, that go away: at the end, or at the next start after we were killed."""

import fcntl
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

PREFIX = "event-bridge-servers-"
UNLOCKED_FOR = 60.0
"""A directory is locked within milliseconds of its creation; younger than this, it may just not be locked yet."""


class Directory:
    """Held by a lock that the kernel drops with us, so that a later run knows an orphan from one in use."""

    def __init__(self) -> None:
        _remove_orphans()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = (self.path / "lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def remove(self) -> None:
        shutil.rmtree(self.path)
        self._lock.close()


def _remove_orphans() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, PermissionError):  # just removed by its owner; somebody else's
            _remove_if_orphan(path)


def _remove_if_orphan(path: Path) -> None:
    lock = path / "lock"
    if time.time() - lock.stat().st_mtime < UNLOCKED_FOR:
        return
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        shutil.rmtree(path)
