"""The OpenTelemetry collector, of which only the k8sobjects receiver and the Kafka exporter are built."""

import os
from pathlib import Path
from typing import Any

import yaml

from bench.contestants.building import Recipe, lacking
from bench.contestants.contestant import Job, Plain
from tests.servers.steps import Step

VERSION = "0.111.0"
"""As in `peers/collector/builder.yaml`. Later receivers are not served as Go modules."""


def _steps(sources: Path, target: Path) -> list[Step]:
    tools, bin_directory = target / "tools", target / "bin"
    builder = f"go.opentelemetry.io/collector/cmd/builder@v{VERSION}"
    settings = {"CGO_ENABLED": "0", "GOBIN": str(tools), "GOWORK": "off", "GOFLAGS": os.environ.get("GOFLAGS", "")}
    compose = [str(tools / "builder"), "--config=builder.yaml"]
    install = ["install", "-D", "_build/otelcol-k8skafka", str(bin_directory / "otelcol-k8skafka")]
    return [
        Step("Go: the collector's builder", ["go", "install", builder], sources, target / "builder.log", settings),
        Step("Go: the collector", compose, sources, target / "collector.log", settings),
        Step("the collector's place", install, sources, target / "install.log"),
    ]


RECIPE = Recipe("collector", _steps)


class Collector(Plain):
    """Without `required_acks: -1`, one consumer and endless retry it would lose or reorder records; see its manual."""

    cannot = "no exactly once, no key; no initial list; a gap is silent, and deletes in it are never told"
    slow = True

    def __init__(self, name: str, *, batches: bool) -> None:
        """Without *batches* it is as the receiver's manual has it: a request to Kafka for each event."""
        self.name = name
        self.variant = not batches
        self._processors = ["batch"] if batches else []
        self.what = (
            f"otelcol {VERSION}: k8sobjects in watch mode, {'batches of at most 50 ms' if batches else 'no batches'}, "
            "kafka exporter with acks of all, one queue consumer (more reorder), endless retry, encoding raw, zstd"
        )

    def missing(self) -> str:
        return lacking("go", "install")

    def built(self) -> bool:
        return RECIPE.is_built()

    def build(self) -> None:
        RECIPE.build()

    def command(self, job: Job) -> list[str]:
        path = job.directory / "collector.yaml"
        path.write_text(yaml.safe_dump(config(job, self._processors)))
        program = str(RECIPE.place / "bin" / "otelcol-k8skafka")
        return ["env", f"KUBECONFIG={job.kubeconfig}", program, f"--config={path}"]


def config(job: Job, processors: list[str]) -> dict[str, Any]:
    """Its file, with the keys of that version."""
    objects = [{"name": job.resource, "mode": "watch"}]
    kafka = {
        "brokers": [job.brokers],
        "protocol_version": "3.0.0",
        "topic": job.topic,
        "encoding": "raw",
        "producer": {"required_acks": -1, "max_message_bytes": 4_000_000, "compression": "zstd"},
        "sending_queue": {"enabled": True, "num_consumers": 1, "queue_size": 100_000},
        "retry_on_failure": {"enabled": True, "max_elapsed_time": 0},
    }
    pipeline = {"receivers": ["k8sobjects"], "processors": processors, "exporters": ["kafka"]}
    return {
        "receivers": {"k8sobjects": {"auth_type": "kubeConfig", "objects": objects}},
        "processors": {name: {"timeout": "50ms", "send_batch_size": 1000} for name in processors},
        "exporters": {"kafka": kafka},
        "service": {
            "telemetry": {"logs": {"level": "warn"}, "metrics": {"level": "none"}},
            "pipelines": {"logs": pipeline},
        },
    }


COLLECTOR = Collector("OpenTelemetry collector", batches=True)
COLLECTOR_PLAIN = Collector("OpenTelemetry collector, no batches", batches=False)
