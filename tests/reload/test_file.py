"""When a config file counts as changed, and what is said of it: on a clock that jumps, with real files."""

# ruff: noqa: ASYNC240 - the clock stands meanwhile

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bridge.config.load import load_file
from bridge.config.tree import Config
from bridge.reload.file import POLL, SETTLE, ConfigFile
from tests.config.reading import KAFKA, REST

SOON = POLL + 2 * SETTLE
OTHER = f"{KAFKA}watches: [{{resource: jobs}}]\n"
BROKEN = f"{KAFKA}watches: [{{resource: jobs, topik: x}}]\n"


class Bridge:
    """Takes up whatever is offered. *offers* are the resources of each."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offers: list[str] = []
        self.config = load_file(path, {})
        self.file = ConfigFile(path, {}, lambda: self.config)
        self.file.tell(self._take)

    def _take(self, config: Config) -> None:
        self.config = config
        self.offers.append(",".join(watch.resource for watch in config.watches))


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Bridge]:
    bridge = Bridge(path)
    task = asyncio.create_task(bridge.file.run())
    await asyncio.sleep(2 * POLL)
    assert bridge.offers == [], "what we were started with is no news"
    try:
        yield bridge
    finally:
        assert not task.done()
        task.cancel()
        await asyncio.wait({task})


@pytest.fixture
def said() -> Iterator[list[Any]]:
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "bridge.yaml"
    path.write_text(REST)
    return path


async def test_a_changed_file_is_offered_soon(path: Path, said: list[Any]) -> None:
    async with running(path) as bridge:
        path.write_text(OTHER)
        await asyncio.sleep(SOON)
        await asyncio.sleep(10 * POLL)

    assert (bridge.offers, said) == (["jobs"], [])


async def test_a_configmap_that_is_swapped_is_seen(tmp_path: Path, said: list[Any]) -> None:
    """A kubelet makes a new folder and turns `..data` to it: the file that is named never changes."""
    for name, text in (("..one", REST), ("..two", OTHER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "bridge.yaml").write_text(text)
    (tmp_path / "..data").symlink_to("..one")
    (tmp_path / "bridge.yaml").symlink_to("..data/bridge.yaml")
    async with running(tmp_path / "bridge.yaml") as bridge:
        (tmp_path / "..data_tmp").symlink_to("..two")
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")
        await asyncio.sleep(SOON)

    assert (bridge.offers, said) == (["jobs"], [])


async def test_a_change_that_no_time_stamp_shows_is_seen(path: Path, said: list[Any]) -> None:
    """As many bytes, and a tool that sets times: only the content tells."""
    before = path.stat()
    async with running(path) as bridge:
        path.write_text(REST.replace("pods", "jobs"))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        await asyncio.sleep(SOON)

    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert (bridge.offers, said) == (["jobs"], [])


async def test_half_a_file_is_not_judged(path: Path, said: list[Any]) -> None:
    """Half of it may be valid, and lack streams: they would be ended, for a second."""
    whole = f"{KAFKA}watches:\n- {{resource: pods}}\n- {{resource: jobs}}\n"
    async with running(path) as bridge:
        for length in range(0, len(whole), 12):
            path.write_text(whole[:length])
            await asyncio.sleep(SETTLE / 4)
        path.write_text(whole)
        await asyncio.sleep(2 * SOON)

    assert (bridge.offers, said) == (["pods,jobs"], [])


async def test_a_broken_file_is_told_once_and_the_mended_one_is_offered(path: Path, said: list[Any]) -> None:
    """A log that is full of it would hide the rest."""
    async with running(path) as bridge:
        path.write_text(BROKEN)
        await asyncio.sleep(20 * POLL)
        told = list(said)
        path.write_text(OTHER)
        await asyncio.sleep(SOON)

    assert told == [
        {
            "event": "config rejected",
            "log_level": "error",
            "config": str(path),
            "problems": [f"{path}:2: watches[0].topik: unknown field. Did you mean 'topic'?"],
        }
    ]
    assert (bridge.offers, said) == (["jobs"], told)


async def test_another_mistake_is_told_anew(path: Path, said: list[Any]) -> None:
    """Each try of whoever mends it has an answer."""
    async with running(path):
        for text in (BROKEN, OTHER.replace("jobs", "'jo bs'"), BROKEN):
            path.write_text(text)
            await asyncio.sleep(SOON)

    assert [line["event"] for line in said] == 3 * ["config rejected"]


async def test_a_file_that_is_gone_is_told_once_and_is_no_disaster(path: Path, said: list[Any]) -> None:
    """Somebody moves it, a mount is lost: what runs goes on."""
    async with running(path) as bridge:
        path.rename(path.with_suffix(".old"))
        await asyncio.sleep(20 * POLL)
        told = [(line["event"], line["problems"]) for line in said]
        path.write_text(REST)
        await asyncio.sleep(SOON)

    missing = f"{path}: cannot read it: No such file or directory. Correct the path or the permissions."
    assert told == [("config rejected", [missing])]
    assert bridge.offers == ["pods"], "the one that is in force, so that the trouble is known to be over"


async def test_a_file_that_is_gone_for_a_moment_is_not_told(path: Path, said: list[Any]) -> None:
    """Editors move the old one away before they write the new one."""
    async with running(path) as bridge:
        for _ in range(40):
            path.rename(path.with_suffix(".old"))
            await asyncio.sleep(SETTLE / 4)
            path.with_suffix(".old").rename(path)
            await asyncio.sleep(SETTLE / 2)

    assert (bridge.offers, said) == ([], [])


@pytest.mark.parametrize("what", ["folder", "pipe"])
async def test_what_is_no_file_is_not_read(path: Path, said: list[Any], what: str) -> None:
    """A pipe would never end, and keep the process from ending."""
    async with running(path):
        path.unlink()
        if what == "folder":
            path.mkdir()
        else:
            os.mkfifo(path)
        await asyncio.sleep(SOON)

    assert [line["problems"] for line in said] == [[f"{path}: is no longer a file. Put the config file back."]]


async def test_who_asks_gets_an_answer_at_once(path: Path, said: list[Any]) -> None:
    """SIGHUP: also where the file is as it was, for what it refers to may have changed, or one wants to know."""
    loop = asyncio.get_running_loop()
    async with running(path) as bridge:
        began = loop.time()
        bridge.file.reload()
        while not bridge.offers:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        took = loop.time() - began
        path.write_text(BROKEN)
        for _ in range(2):
            bridge.file.reload()
            await asyncio.sleep(0.5)

    assert took < 0.1
    assert bridge.offers == ["pods"]
    assert [line["event"] for line in said] == 2 * ["config rejected"]


async def test_what_a_file_refers_to_is_read_with_it(tmp_path: Path, said: list[Any]) -> None:
    """Not by itself; when it is asked for, and with the next change."""
    path = tmp_path / "bridge.yaml"
    path.write_text(f"{KAFKA}watches: [{{resource: {{file: which}}}}]\n")
    (tmp_path / "which").write_text("pods")
    async with running(path) as bridge:
        (tmp_path / "which").write_text("jobs")
        await asyncio.sleep(10 * POLL)
        before = list(bridge.offers)
        bridge.file.reload()
        await asyncio.sleep(1)
        (tmp_path / "which").unlink()
        bridge.file.reload()
        await asyncio.sleep(1)

    assert (before, bridge.offers) == ([], ["jobs"])
    assert [line["event"] for line in said] == ["config rejected"]


async def test_a_change_between_the_start_and_the_first_look_is_not_missed(path: Path, said: list[Any]) -> None:
    """Imports take a second, and the API server may take long."""
    bridge = Bridge(path)
    path.write_text(OTHER)
    task = asyncio.create_task(bridge.file.run())
    await asyncio.sleep(SOON)
    task.cancel()

    assert (bridge.offers, said) == (["jobs"], [])
