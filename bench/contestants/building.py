"""Peers are built once, into the cache of the test servers. An entry is complete or absent, as theirs are."""

import fcntl
import hashlib
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.servers import build
from tests.servers.steps import Step, run_together

PEERS = Path(__file__).parents[1] / "peers"


class Recipe:
    """Of one peer: its sources below `peers/`, and the steps that make `bin/` of them, one after the other."""

    def __init__(self, name: str, steps: Callable[[Path, Path], list[Step]]) -> None:
        """*steps* are given a copy of the sources, and the directory in which everything is to be."""
        self.name = name
        self._steps = steps

    @property
    def place(self) -> Path:
        """Its name holds a hash of the sources: other sources are another entry."""
        digest = hashlib.sha256(f"{sys.platform} {platform.machine()}".encode())
        for file in self._files():
            digest.update(f"\n{file.relative_to(PEERS)}\n".encode() + file.read_bytes())
        return build.place().parent / f"peer-{self.name}-{digest.hexdigest()[:12]}"

    def is_built(self) -> bool:
        return self.place.is_dir()

    def build(self) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        with (self.place.parent / f"lock-{self.name}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # waits for who builds it already
            if not self.is_built():
                self._build()

    def _build(self) -> None:
        _say(f"building {self.name}, once, into {self.place}: this may take ten minutes")
        for orphan in self.place.parent.glob(f"half-{self.name}-*"):  # of a build that was killed: we hold the lock
            shutil.rmtree(orphan)
        half = Path(tempfile.mkdtemp(prefix=f"half-{self.name}-", dir=self.place.parent))
        try:
            sources = half / "sources"
            shutil.copytree(PEERS / self.name, sources)
            for step in self._steps(sources, half):
                run_together([step], _say)
            shutil.rmtree(sources)
            half.chmod(0o755)
            half.rename(self.place)
        finally:
            shutil.rmtree(half, ignore_errors=True)

    def _files(self) -> list[Path]:
        return sorted(path for path in (PEERS / self.name).rglob("*") if path.is_file())


def lacking(*tools: str) -> str:
    """Those that this machine does not have."""
    return " and ".join(tool for tool in tools if not shutil.which(tool))


def _say(line: str) -> None:
    print(f"== peers: {line}", file=sys.stderr, flush=True)
