"""Looks at the config file while the bridge runs, and offers what it says, if that can be used.

It is read, not listened to: a ConfigMap is swapped by a link of a link, of which inotify tells nothing in many mounts.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.config.load import read_text, reload_file
from bridge.config.problem import ConfigError, Problem, RestartNeeded
from bridge.config.tree import Config
from bridge.reload.telling import ConfigRejected, RestartRequired

POLL = 5.0
"""Seconds between two looks. A kubelet swaps a ConfigMap once a minute at the most."""
SETTLE = 1.0
"""Seconds that what was read must stay: who empties a file to write it again takes less, and half of a file may be
valid, and lack streams."""

Content = str | tuple[Problem, ...]
"""What the file says, or why it cannot be read."""


class ConfigFile:
    """Owns what the file said when it was last judged."""

    def __init__(self, path: Path, env: Mapping[str, str], current: Callable[[], Config]) -> None:
        """*current* is in force."""
        self._path = path
        self._env = env
        self._current = current
        self._offer: Callable[[Config], None] | None = None
        self._judged: Content | None = None
        self._asked = asyncio.Event()

    def tell(self, offer: Callable[[Config], None]) -> None:
        """Who gets what may be in force. To be said before `run`."""
        self._offer = offer

    def reload(self) -> None:
        """Look at once, also if nothing has changed: what the file refers to may have."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        await self._recognize()
        while True:
            if await self._wait(POLL):
                await self._judge(await self._read())
            elif (content := await self._read()) != self._judged:
                await self._judge_settled(content)

    async def _recognize(self) -> None:
        """What we were started with is no news. It may have changed already: that is judged at the first look."""
        content = await self._read()
        if isinstance(content, str):
            with contextlib.suppress(ConfigError):
                self._judged = content if await self._loaded(content) == self._current() else None

    async def _judge_settled(self, content: Content) -> None:
        """One that does not come to rest is looked at again at the next time."""
        asked = await self._wait(SETTLE)
        now = await self._read()
        if asked or now == content:
            await self._judge(now)

    async def _judge(self, content: Content) -> None:
        self._judged = content
        try:
            if not isinstance(content, str):
                raise ConfigError(list(content))  # noqa: TRY301 - one way to tell
            config = await self._loaded(content)
        except RestartNeeded as error:
            RestartRequired.by(str(self._path), error.problems).emit()
        except ConfigError as error:
            ConfigRejected.by(str(self._path), error.problems).emit()
        else:
            assert self._offer is not None, "somebody is told"
            self._offer(config)

    async def _loaded(self, content: str) -> Config:
        return await asyncio.to_thread(reload_file, content, self._path, self._env, self._current())

    async def _read(self) -> Content:
        """In a thread: a file system may hang."""
        try:
            return await asyncio.to_thread(_read, self._path)
        except ConfigError as error:
            return error.problems

    async def _wait(self, seconds: float) -> bool:
        """Whether we were asked to look meanwhile."""
        try:
            await asyncio.wait_for(self._asked.wait(), seconds)
        except TimeoutError:
            return False
        self._asked.clear()
        return True


def _read(path: Path) -> str:
    """Not of what would never end: a pipe that took the file's place."""
    if path.exists() and not path.is_file():
        what = "is no longer a file"
        raise ConfigError([Problem(str(path), 0, "", what, "Put the config file back.")])
    return read_text(path)
