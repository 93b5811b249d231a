"""What a good engineer would write by hand in Rust: kube-rs' watcher and librdkafka, in `peers/rust`."""

from pathlib import Path

from bench.contestants.building import Recipe, lacking
from bench.contestants.contestant import Job, Plain
from tests.servers.steps import Step


def _steps(sources: Path, target: Path) -> list[Step]:
    """With the versions of its lock file."""
    command = ["cargo", "install", "--locked", "--path", str(sources), "--root", str(target)]
    return [Step("Rust: kube-rs and rdkafka", command, sources, target / "cargo.log")]


RECIPE = Recipe("rust", _steps)


class Rust(Plain):
    """*compression* is librdkafka's `compression.type`."""

    cannot = "no exactly once; after a restart everything is listed again, deletes in between are never told"
    slow = False

    def __init__(self, name: str, compression: str, *, variant: bool = False) -> None:
        self.name = name
        self.variant = variant
        self.what = (
            "kube-rs 5 (watcher of dynamic objects, one thread) and librdkafka by rdkafka 0.39: idempotent, "
            f"linger 5 ms, compression {compression}; release build with thin LTO"
        )
        self._compression = compression

    def missing(self) -> str:
        return lacking("cargo", "cc", "make")

    def built(self) -> bool:
        return RECIPE.is_built()

    def build(self) -> None:
        RECIPE.build()

    def command(self, job: Job) -> list[str]:
        resource = f"v1/{job.resource}"
        program = str(RECIPE.place / "bin" / "kube-rdkafka")
        return ["env", f"KUBECONFIG={job.kubeconfig}", program, job.brokers, job.topic, self._compression, resource]


RUST = Rust("Rust, kube-rs + rdkafka", "zstd")
RUST_PLAIN = Rust("Rust, uncompressed", "none", variant=True)
