"""Builds kustomize and promtool with Go, once, into the servers' cache; beside them the Prometheus operator's CRDs.

Each is a module of its own: what one needs changes nothing of the other.
"""

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import build as servers
from tests.servers.steps import BuildError, Step, run_together
from tests.servers.tools import missing_for_tools

HERE = Path(__file__).parent

PACKAGES = {
    "kustomize": "sigs.k8s.io/kustomize/kustomize/v5",
    "promtool": "github.com/prometheus/prometheus/cmd/promtool",
}
"""By the folder of their module."""
GO_FLAGS = ["-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", "-tags", "remove_all_sd"]
"""Prometheus without the clients of a dozen clouds, in which it would look for targets: less to build."""
ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
OPERATOR = "github.com/prometheus-operator/prometheus-operator"
CRDS = ("podmonitors", "prometheusrules", "servicemonitors")


def place() -> Path:
    """`bin/` and `crds/` below it."""
    return servers.place().parent / f"tools-{_inputs()}"


def build() -> Path:
    """Make sure that the tools are there. Raises `BuildError`."""
    target = place()
    if target.is_dir():
        return target
    if missing := missing_for_tools():
        raise BuildError("; ".join(missing))
    target.parent.mkdir(parents=True, exist_ok=True)
    with servers.alone(target.parent / "tools-lock"):
        if not target.is_dir():
            _build_into(target)
    return target


def _build_into(target: Path) -> None:
    _say(f"building kustomize and promtool, once, into {target}")
    _say("the first time on a machine takes 2 to 4 minutes on two cores (200 MB of downloads); then they are cached")
    for orphan in target.parent.glob("tools-unfinished-*"):  # of a build that was killed: we hold the lock
        shutil.rmtree(orphan)
    unfinished = Path(tempfile.mkdtemp(prefix="tools-unfinished-", dir=target.parent))
    try:
        run_together([_go(unfinished, name, package) for name, package in PACKAGES.items()], _say)
        _copy_crds(unfinished / "crds")
        unfinished.chmod(0o755)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _say("built")


def _go(unfinished: Path, name: str, package: str) -> Step:
    return Step(
        name=f"Go: {name}",
        command=["go", "build", "-v", *GO_FLAGS, "-o", f"{unfinished / 'bin'}/", package],
        directory=HERE / name,
        log=unfinished / f"{name}.log",
        environment=ENVIRONMENT,
    )


def _copy_crds(target: Path) -> None:
    """As the operator's own module ships them."""
    module = ["go", "mod", "download", "-json", OPERATOR]
    told = subprocess.run(module, cwd=HERE / "promtool", capture_output=True, text=True, check=False)
    if told.returncode != 0:
        raise BuildError(f"{' '.join(module)} failed:\n{told.stdout}{told.stderr}")
    (directory,) = [line.split('"')[3] for line in told.stdout.splitlines() if line.strip().startswith('"Dir"')]
    target.mkdir()
    for name in CRDS:
        source = Path(directory, "example", "prometheus-operator-crd", f"monitoring.coreos.com_{name}.yaml")
        (target / f"{name}.yaml").write_bytes(source.read_bytes())


def _inputs() -> str:
    digest = hashlib.sha256("\n".join([*GO_FLAGS, *CRDS, sys.platform, platform.machine()]).encode())
    for name in PACKAGES:
        for file in (HERE / name / "go.mod", HERE / name / "go.sum"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _say(line: str) -> None:
    print(f"== tools: {line}", file=sys.stderr, flush=True)


def main() -> int:
    """Without them their tests are skipped, by name: no reason to stop."""
    try:
        _say(f"ready in {build()}")
    except BuildError as error:
        _say(f"MISSING, and tests of manifests and alerts are skipped: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
