"""The servers of a measurement, each started when it is first needed, and contestants let loose on them."""

import itertools
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from bench import proc
from bench.contestants.contestant import Contestant, Job
from bench.firehose.client import Firehose
from bench.topics import Topic
from tests.servers.apiserver import Cluster
from tests.servers.directory import Directory
from tests.servers.kafka import Broker
from tests.servers.process import Process, tail

PARTITIONS = 12
"""Of a topic, as the bridge makes them."""
SETTINGS = {"log.segment.delete.delay.ms": "1000", "log.retention.check.interval.ms": "300000"}
"""Topics of earlier runs leave the disk at once."""
STOP = 15.0
STEADY = 1.0
"""Seconds without CPU after which a contestant is taken to wait."""


class Running:
    """One contestant at work."""

    def __init__(self, process: Process, topic: Topic, job: Job) -> None:
        self.process = process
        self.topic = topic
        self.job = job
        self.started = time.monotonic()
        self.pids: list[int] = []

    def usage(self) -> proc.Usage:
        try:
            return proc.usage(self.pids or self._members())
        except OSError:
            raise LookupError(f"it ended:\n{tail(self.process.log, 8)}") from None

    def is_alive(self) -> bool:
        return bool(self._members())

    def wait_until(self, what: str, is_so: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not is_so():
            if not self.is_alive():
                raise LookupError(f"it ended:\n{tail(self.process.log, 8)}")
            if time.monotonic() > until:
                raise TimeoutError(f"{what}: not within {seconds} s:\n{tail(self.process.log, 8)}")
            time.sleep(0.05)

    def settle(self, seconds: float) -> proc.Usage:
        """Until it only waits; what it has used until then. From here on its processes are known."""
        until = time.monotonic() + seconds
        self.pids = self._members()
        before, since = self.usage(), time.monotonic()
        while time.monotonic() - since < STEADY:
            if time.monotonic() > until:
                raise TimeoutError(f"{self.process.name} was not at rest within {seconds} s")
            time.sleep(0.1)
            now = self.usage()
            if now.cpu - before.cpu > 2 / proc.TICKS:  # clients have heartbeats
                before, since = now, time.monotonic()
        self.pids = self._members()
        return self.usage()

    def _members(self) -> list[int]:
        assert self.process.pid is not None
        return proc.members(self.process.pid)


class Lab:
    """Use as a context."""

    def __init__(self, profile: Path | None = None) -> None:
        self.profile = profile
        self._stack = ExitStack()
        self._cluster: tuple[str, Cluster] | None = None
        self.objects = 0
        """How many the cluster that there is now has been given."""
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.directory = Directory()
        self._stack.callback(self.directory.remove)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @cached_property
    def broker(self) -> Broker:
        return self._stack.enter_context(Broker(SETTINGS))

    @cached_property
    def firehose(self) -> Firehose:
        return self._stack.enter_context(Firehose())

    def cluster(self, of: str) -> Cluster:
        """One for each workload, with nothing in it; that of the workload before goes."""
        if self._cluster is None or self._cluster[0] != of:
            if self._cluster is not None:
                self._cluster[1].close()
            self._cluster = of, self._stack.enter_context(Cluster())
            self.objects = 0
        return self._cluster[1]

    @contextmanager
    def job(
        self, api: Firehose | Cluster, resource: str, namespaces: tuple[str, ...] = ()
    ) -> Iterator[tuple[Job, Topic]]:
        """Names and a directory of their own, and a topic; all gone at the end."""
        name = f"bench-{next(self._numbers)}"
        directory = self.directory.path / name
        directory.mkdir()
        topic = Topic(self.broker.bootstrap, name, PARTITIONS)
        token, ca = (api.token, api.ca) if isinstance(api, Cluster) else ("", None)
        job = Job(
            url=api.url,
            kubeconfig=api.kubeconfig,
            brokers=self.broker.bootstrap,
            topic=name,
            resource=resource,
            directory=directory,
            token=token,
            ca=ca,
            namespaces=namespaces,
            profile=self.profile,
        )
        try:
            yield job, topic
        finally:
            topic.remove()
            shutil.rmtree(directory)

    @contextmanager
    def running(self, contestant: Contestant, job: Job, topic: Topic) -> Iterator[Running]:
        """Ended by SIGKILL, which concerns nobody any more; with a profile in good order, for it is written then."""
        process = Process(contestant.name, job.directory / "log")
        process.start(contestant.command(job), lambda: True, STOP)
        try:
            yield Running(process, topic, job)
            if job.profile is not None:
                process.stop(STOP)
        finally:
            process.kill()
