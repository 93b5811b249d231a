"""The hands that do what the plan says: to the replicas, to the servers, to the network between them."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import DEVNULL
from collections import Counter
from contextlib import AsyncExitStack

from bridge.config.load import load_file
from bridge.sink import checkpoints
from tests.bridge_process import ROOT, BridgeProcess
from tests.chaos.plan import Fault, Side, storm
from tests.chaos.proxy import Proxy
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial

DELAY = 0.3
"""Seconds that each piece takes on a slow network: a request is some of them."""
END = 15.0
"""Seconds that a replica has to end: 10 as it promises, and some for a busy machine."""


class Chaos:
    """A trial whose bridge is several replicas, and what can be done to them. Faults of one side come one by one.

    The first *many* of *replicas* run but for a fault, the others only by one. Owns how often each stream was *asked*
    for a new epoch: Kafka may be away meanwhile, so not all of it was heard.
    """

    def __init__(self, run: Trial, proxy: Proxy, replicas: list[BridgeProcess], many: int) -> None:
        self.run = run
        self.proxy = proxy
        self.replicas = replicas
        self.asked: Counter[str] = Counter()
        self._many = many
        self._started = time.monotonic()
        self._locks: dict[tuple[Side, int], asyncio.Lock] = {}

    async def inflict(self, faults: list[Fault]) -> None:
        self._started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._one(fault))

    async def followed(self) -> None:
        """Until every request for a new epoch that Kafka has was followed."""
        config = load_file(self.run.bridge.config, {})
        for stream in self.asked:
            until = time.monotonic() + 60
            while True:
                saved = await checkpoints.read(config, stream)
                if saved.request is None or (saved.checkpoint and saved.checkpoint.honoured == saved.request.id):
                    break
                assert time.monotonic() < until, f"{saved.request} of {stream} is not followed"
                await asyncio.sleep(0.5)

    async def end(self) -> list[int]:
        """All but the trial's own, in order; their exit codes."""
        for replica in self.replicas[: self._many]:
            await asyncio.to_thread(_listens, replica)
        return [replica.terminate() for replica in self.replicas[1 : self._many]]

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.second)
        async with AsyncExitStack() as stack:
            for place in self._touched(fault):
                await stack.enter_async_context(self._locks.setdefault(place, asyncio.Lock()))
            match fault.side:
                case "replica":
                    await self._replica(fault, self.replicas[fault.which])
                case "replicas":
                    await self._replicas(fault, self.replicas[: self._many])
                case "spare":
                    await self._spare(fault, self.replicas[self._many :])
                case "stream":
                    await self._resync(self.run.scopes[fault.which].stream)
                case "broker":
                    await self._broker(fault, self.run.broker)
                case "cluster":
                    await self._cluster(fault, self.run.cluster)
                case "network":
                    await self._network(fault, self.proxy)
        print(f"  {time.monotonic() - self._started:6.1f} s  {fault.what}: over")

    def _touched(self, fault: Fault) -> list[tuple[Side, int]]:
        """Always in this order: two faults never wait for each other."""
        match fault.side:
            case "replica":
                return [("replica", fault.which)]
            case "replicas":
                return [("replica", number) for number in range(self._many)]
            case side:
                return [(side, 0)]

    async def _replica(self, fault: Fault, replica: BridgeProcess) -> None:
        if fault.what == "freeze replica":
            replica.send(signal.SIGSTOP)
            await asyncio.sleep(fault.lasting)
            replica.send(signal.SIGCONT)
            return
        await _ended(replica, kill=fault.what == "kill replica")
        await asyncio.sleep(fault.lasting)
        replica.start()

    async def _replicas(self, fault: Fault, replicas: list[BridgeProcess]) -> None:
        """On this thread: a replica is tied to the one that starts it."""
        if fault.what == "one replica alone":
            others = [replica for number, replica in enumerate(replicas) if number != fault.which]
            await asyncio.gather(*(_ended(replica) for replica in others))
            await asyncio.sleep(fault.lasting)
            for replica in others:
                replica.start()
            return
        for gust in storm(fault, len(replicas)):
            await asyncio.sleep(gust.pause)
            await asyncio.gather(
                *(_ended(replica, kill=kill) for replica, kill in zip(replicas, gust.killed, strict=True))
            )
            for replica in replicas:
                replica.start()

    async def _spare(self, fault: Fault, replicas: list[BridgeProcess]) -> None:
        for replica in replicas:
            replica.start()
        await asyncio.sleep(fault.lasting)
        await asyncio.gather(*(_ended(replica) for replica in replicas))

    async def _resync(self, stream: str) -> None:
        """As an operator does, whose machine may be cut off from Kafka as well."""
        command = [sys.executable, "-m", "bridge", "resync", stream, "--wait", "0", "-c", str(self.run.bridge.config)]
        self.asked[stream] += 1
        process = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL, cwd=ROOT)
        assert await process.wait() in (0, 1)

    async def _broker(self, fault: Fault, broker: Broker) -> None:
        if fault.what == "freeze broker":
            broker.pause()
            await asyncio.sleep(fault.lasting)
            broker.resume()
            return
        await asyncio.to_thread(broker.kill)
        await asyncio.sleep(fault.lasting)
        await asyncio.to_thread(broker.start)

    async def _cluster(self, fault: Fault, cluster: Cluster) -> None:
        match fault.what:
            case "compact etcd":
                await asyncio.to_thread(cluster.compact)
            case "expire everything":
                await asyncio.to_thread(cluster.expire_everything)
            case "restart API server":
                await asyncio.to_thread(cluster.restart_api)
            case _:
                await asyncio.to_thread(cluster.kill_api)
                await asyncio.sleep(fault.lasting)
                await asyncio.to_thread(cluster.start_api)

    async def _network(self, fault: Fault, proxy: Proxy) -> None:
        match fault.what:
            case "slow network":
                proxy.delay = DELAY
                await asyncio.sleep(fault.lasting)
                proxy.delay = 0.0
            case "dead network":
                proxy.stand_still()
                await asyncio.sleep(fault.lasting)
                proxy.go_on()
            case _:
                proxy.cut()


async def _ended(replica: BridgeProcess, *, kill: bool = False) -> None:
    """By a SIGKILL, or in order by a SIGTERM."""
    assert replica.is_running, f"a replica had ended by itself:\n{replica.tail()}"
    if not kill:
        heard = _has_begun(replica)
        replica.send(signal.SIGTERM)
        code = await asyncio.to_thread(replica.wait, END)
        assert code == 0 or (code == -signal.SIGTERM and not heard), replica.tail()
    replica.kill()


def _listens(replica: BridgeProcess) -> None:
    until = time.monotonic() + 30
    while not _has_begun(replica):
        assert time.monotonic() < until, replica.tail()
        time.sleep(0.1)


def _has_begun(replica: BridgeProcess) -> bool:
    """One that was started a moment ago does not hear signals yet: it would die of SIGTERM, as any program."""
    return '"bridge started"' in replica.log.read_text(errors="replace").rpartition("---- life")[2]
