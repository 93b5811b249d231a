"""Builds the servers, once: kube-apiserver and etcd with Go, Kafka's jars with Maven, into a cache outside git.

An entry of the cache is complete or absent: it is built beside its place and renamed. Its name holds the versions and
a hash of everything that goes into it, so other versions are another entry.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import versions
from tests.servers.steps import BuildError, Step, run_together
from tests.servers.tools import missing_for_build, missing_for_start

HERE = Path(__file__).parent

MAJOR, MINOR, _ = versions.KUBERNETES.split(".")
STAMP = {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": MAJOR, "gitMinor": MINOR}
"""Without these the server would call itself v0.0.0, and clients that judge by version would be misled."""

LINKER = " ".join(["-s", "-w", *(f"-X k8s.io/component-base/version.{name}={value}" for name, value in STAMP.items())])
GO_FLAGS = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", LINKER]


def place() -> Path:
    """Where the built servers are, or will be: `bin/` and `lib/` below it."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kube-event-bridge" / "servers"
    cache = Path(os.environ.get("EVENT_BRIDGE_TEST_CACHE") or default)
    return cache.absolute() / f"kube-{versions.KUBERNETES}-etcd-{versions.ETCD}-kafka-{versions.KAFKA}-{_inputs()}"


def is_built() -> bool:
    return place().is_dir()


def build() -> Path:
    """Make sure that the servers are there; says what it does, for a cold build takes minutes."""
    target = place()
    if missing := missing_for_start() if is_built() else missing_for_build():
        raise BuildError("the test servers need more:\n" + "\n".join(f"  - {line}" for line in missing))
    if is_built():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with alone(target.parent / "lock"):
        if not is_built():
            _build_into(target)
    return target


def _build_into(target: Path) -> None:
    _say(f"building kube-apiserver {versions.KUBERNETES}, etcd {versions.ETCD}, Kafka {versions.KAFKA}, once, into")
    _say(f"  {target}")
    _say("the first time on a machine takes 5 to 10 minutes on two cores (1 GB of downloads); then it is cached")
    for orphan in target.parent.glob("unfinished-*"):  # of a build that was killed: we hold the lock
        shutil.rmtree(orphan)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=target.parent))
    try:
        sources = _copy_inputs(unfinished)
        run_together([_go(unfinished, sources), _maven(unfinished, sources)], _say)
        shutil.rmtree(sources)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _say("built")


def _go(unfinished: Path, sources: Path) -> Step:
    """One `go build` for all the mains: they share most packages. `-v` prints one line for each it compiles."""
    return Step(
        name="Go: kube-apiserver and etcd",
        command=["go", "build", "-v", *GO_FLAGS, "-o", f"{unfinished / 'bin'}/", "./cmd/..."],
        directory=sources,
        log=unfinished / "go.log",
        environment={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""},
    )


def _maven(unfinished: Path, sources: Path) -> Step:
    return Step(
        name="Maven: Kafka's jars",
        command=["mvn", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={unfinished / 'lib'}"],
        directory=sources,
        log=unfinished / "maven.log",
    )


def _copy_inputs(unfinished: Path) -> Path:
    """Build from a copy: neither tool can then leave anything in the source tree."""
    sources = unfinished / "sources"
    for file in _input_files():
        copy = sources / file.relative_to(HERE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return sources


def _inputs() -> str:
    """What makes two builds differ: the inputs, the flags, the platform."""
    digest = hashlib.sha256("\n".join([*GO_FLAGS, sys.platform, platform.machine()]).encode())
    for file in _input_files():
        digest.update(f"\n{file.relative_to(HERE)}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _input_files() -> list[Path]:
    return sorted([HERE / "go.mod", HERE / "go.sum", HERE / "pom.xml", *(HERE / "cmd").rglob("*.go")])


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """One build at a time on this cache; the lock goes with its holder, however that ends."""
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process is building them; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    print(f"== servers: {line}", file=sys.stderr, flush=True)


def main() -> int:
    try:
        target = build()
    except BuildError as error:
        _say(f"ERROR: {error}")
        return 1
    _say(f"ready in {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
