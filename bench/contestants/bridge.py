"""The bridge itself, as users run it: a process with a config file, and every setting that is not named its default."""

import sys
from typing import Any

import yaml

from bench.contestants.contestant import Job, Plain


class Bridge(Plain):
    """*fields* go over `kafka` of the config; with any, it is a variant."""

    slow = False

    def __init__(self, name: str, what: str, cannot: str = "", **fields: str) -> None:
        self.name = name
        self.what = what
        self.cannot = cannot
        self.variant = bool(fields)
        self._fields = fields

    def command(self, job: Job) -> list[str]:
        path = job.directory / "bridge.yaml"
        path.write_text(yaml.safe_dump(self.config(job)))
        profiler = [] if job.profile is None else ["-m", "cProfile", "-o", str(job.profile)]
        return [sys.executable, *profiler, "-m", "bridge", "run", "--config", str(path)]

    def config(self, job: Job) -> dict[str, Any]:
        return {
            "name": job.topic,
            "http": {"listen": "127.0.0.1:0"},
            "kubernetes": {"kubeconfig": str(job.kubeconfig)},
            "kafka": {"bootstrapServers": job.brokers, **self._fields},
            "watches": [{"resource": job.resource, "topic": job.topic, "namespaces": list(job.namespaces)}],
        }

    def topics(self, job: Job) -> list[str]:
        return [job.topic, f"{job.topic}.checkpoints"]


EXACTLY_ONCE = Bridge("bridge", "exactly once, zstd: the defaults")
AT_LEAST_ONCE = Bridge(
    "bridge, at least once",
    "without transactions, zstd",
    "after a failure records may repeat",
    delivery="at-least-once",
)
