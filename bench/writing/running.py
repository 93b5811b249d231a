"""The writer as the benchmark holds it."""

import sys
import time
from pathlib import Path

import msgspec
from msgspec.structs import replace

from bench.lab import Lab
from bench.writing.plan import Plan, Written
from tests.servers.apiserver import Cluster
from tests.servers.process import Process, tail

ROOT = Path(__file__).parents[2]


MAKING = 1800.0
"""Seconds to make 100,000 objects at worst: the server takes some hundreds each second."""


def furnished(lab: Lab, of: str, objects: int, size: int, namespaces: int = 1) -> tuple[Cluster, Plan]:
    """The workload's cluster, with so many ConfigMaps in it, and a plan of them all, for `at_rate` to change."""
    cluster = lab.cluster(of)
    place = str(lab.directory.path / "written.json")
    everything = Plan(cluster.url, str(cluster.ca), cluster.token, place, objects, size, 0, namespaces)
    if lab.objects < objects:
        lacking = replace(everything, start=lab.objects, objects=objects - lab.objects)
        Writer(lacking).written(MAKING)
        lab.objects = objects
    return cluster, everything


def at_rate(plan: Plan, rate: float, seconds: float) -> Plan:
    return replace(plan, rate=rate, seconds=seconds)


class Writer:
    """One plan being carried out."""

    def __init__(self, plan: Plan) -> None:
        self._acknowledgements = Path(plan.acknowledgements)
        self._acknowledgements.unlink(missing_ok=True)
        path = self._acknowledgements.with_name("plan.json")
        path.write_bytes(msgspec.json.encode(plan))
        self._process = Process("writer", self._acknowledgements.with_name("writer.log"))
        command = ["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "bench.writing", str(path)]
        self._process.start(command, lambda: True, 10.0)

    def is_done(self) -> bool:
        return self._acknowledgements.exists()

    def written(self, seconds: float) -> list[Written]:
        """When it is done, within *seconds*."""
        until = time.monotonic() + seconds
        try:
            while not self.is_done():
                if time.monotonic() > until:
                    raise TimeoutError(f"the writer was not done within {seconds} s:\n{tail(self._process.log, 8)}")
                time.sleep(0.05)
        finally:
            self._process.kill()
        return msgspec.json.decode(self._acknowledgements.read_bytes(), type=list[Written])
