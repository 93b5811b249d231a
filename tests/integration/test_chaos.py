"""Three replicas, six streams, everything goes wrong: every change exactly once and in order, or in an announced gap.

`CHAOS_SECONDS` is how long the writer works (a minute otherwise), `CHAOS_SEED` repeats a plan. With
`CHAOS_DELIVERY=at-least-once` changes may come again after a crash, as exact repetitions.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess
from tests.chaos.plan import Fault, Side, plan
from tests.chaos.proxy import Proxy
from tests.chaos.streams import EXPECTED_REASONS, PARTITIONS, WATCHES, quiet_namespace
from tests.load import KINDS, Writer
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, create_topics, trial

SECONDS = float(os.environ.get("CHAOS_SECONDS", "60"))
SEED = int(os.environ.get("CHAOS_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
DELIVERY = os.environ.get("CHAOS_DELIVERY", "exactly-once")
REPLICAS = 3
RATE = 60.0
"""Writes per second, beside a broker, an API server, three bridges and the writer itself on two cores."""
RSS = 256 << 20
DELAY = 0.3
"""Seconds that each piece takes on a slow network: a request is some of them."""


@pytest.mark.integration(timeout=2 * SECONDS + 400)
async def test_chaos(new_cluster: Callable[[], Cluster], new_broker: Callable[[], Broker], tmp_path: Path) -> None:
    """0 lost, 0 doubled, 0 ghosts, whoever is killed, stopped, frozen or cut off."""
    faults = plan(SEED, SECONDS, REPLICAS)
    print(f"\nCHAOS_SEED={SEED} CHAOS_SECONDS={SECONDS:.0f}: {RATE:.0f} writes per second, {REPLICAS} replicas")
    print("\n".join(f"  {fault}" for fault in faults))
    cluster = new_cluster()
    async with Proxy(int(cluster.url.rpartition(":")[2])) as proxy:
        through = _through(cluster, proxy, tmp_path)
        fields = {"name": "chaos", "standalone": False, "kubernetes": {"kubeconfig": str(through)}}
        broker = new_broker()
        kafka = {"bootstrapServers": broker.bootstrap, "delivery": DELIVERY}
        async with trial(cluster, broker, tmp_path, WATCHES, kafka=kafka, **fields) as run:
            with ExitStack() as others:
                chaos = Chaos(run, proxy, [run.bridge, *_others(run, others, tmp_path)])
                await _survive(chaos, faults)


class Chaos:
    """A trial whose bridge is several replicas, and what can be done to them. Faults of one side come one by one."""

    def __init__(self, run: Trial, proxy: Proxy, replicas: list[BridgeProcess]) -> None:
        self.run = run
        self.proxy = proxy
        self.replicas = replicas
        self._started = time.monotonic()
        self._locks: dict[tuple[Side, int], asyncio.Lock] = {}

    async def inflict(self, faults: list[Fault]) -> None:
        self._started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for fault in faults:
                group.create_task(self._one(fault))

    async def _one(self, fault: Fault) -> None:
        await asyncio.sleep(fault.second)
        which = fault.replica if fault.side == "replica" else 0
        async with self._locks.setdefault((fault.side, which), asyncio.Lock()):
            match fault.side:
                case "replica":
                    await self._replica(fault, self.replicas[fault.replica])
                case "broker":
                    await self._broker(fault, self.run.broker)
                case "cluster":
                    await self._cluster(fault, self.run.cluster)
                case "network":
                    await self._network(fault, self.proxy)
        print(f"  {time.monotonic() - self._started:6.1f} s  {fault.what}: over")

    async def _replica(self, fault: Fault, replica: BridgeProcess) -> None:
        """On this thread: a replica is tied to the one that starts it."""
        assert replica.is_running, f"a replica had ended by itself:\n{replica.tail()}"
        if fault.what == "freeze replica":
            replica.send(signal.SIGSTOP)
            await asyncio.sleep(fault.lasting)
            replica.send(signal.SIGCONT)
            return
        if fault.what == "stop replica":
            heard = _has_begun(replica)
            replica.send(signal.SIGTERM)
            code = await asyncio.to_thread(replica.wait, 15)
            assert code == 0 or (code == -signal.SIGTERM and not heard), replica.tail()
        replica.kill()
        await asyncio.sleep(fault.lasting)
        replica.start()

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


async def _survive(chaos: Chaos, faults: list[Fault]) -> None:
    run = chaos.run
    await create_topics(run.broker.bootstrap, PARTITIONS)
    writer = await run.writer(*KINDS, namespaces=["team-a", "team-b"], seed=SEED)
    await quiet_namespace(writer)
    await writer.work(2, RATE)
    for replica in chaos.replicas:
        replica.start()
    await run.synced()
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.work(SECONDS, RATE))
        group.create_task(chaos.inflict(faults))
    took = await run.caught_up(writer)
    for replica in chaos.replicas:
        await asyncio.to_thread(_listens, replica)
    await _judge(chaos, writer, took)


def _listens(replica: BridgeProcess) -> None:
    until = time.monotonic() + 30
    while not _has_begun(replica):
        assert time.monotonic() < until, replica.tail()
        time.sleep(0.1)


def _has_begun(replica: BridgeProcess) -> bool:
    """One that was started a moment ago does not hear signals yet: it would die of SIGTERM, as any program."""
    return '"bridge started"' in replica.log.read_text(errors="replace").rpartition("---- life")[2]


async def _judge(chaos: Chaos, writer: Writer, took: float) -> None:
    run, ledger = chaos.run, await writer.ledger()
    lives = sum(replica.lives for replica in chaos.replicas)
    codes = [replica.terminate() for replica in chaos.replicas[1:]]
    report = await run.verdict(ledger)
    peak = max(replica.peak_rss for replica in chaos.replicas)
    print(f"{writer.lost_answers:>10}  answers lost to the writer and read back")
    print(f"{lives:>10}  lives of {REPLICAS} replicas, {peak >> 20} MiB at most")
    print(f"{took:>10.1f}  seconds to catch up in the end")
    assert codes == [0] * (REPLICAS - 1), [replica.tail() for replica in chaos.replicas]
    assert report.ok, [replica.tail() for replica in chaos.replicas]
    assert report.counts["keys of unknown outcome"] == 0
    assert report.counts["acknowledged writes"] > SECONDS * RATE / 6, "the writer hardly worked: nothing is proven"
    assert report.counts["writes told as they happened"] > SECONDS * RATE / 20, (
        "hardly anything but gaps: nothing is proven"
    )
    assert {name.split()[1] for name in report.restarts} <= EXPECTED_REASONS
    assert peak <= RSS


def _others(run: Trial, stack: ExitStack, directory: Path) -> list[BridgeProcess]:
    """The replicas beside the trial's own, of the same config."""
    others = []
    for number in range(1, REPLICAS):
        place = directory / f"replica-{number}"
        place.mkdir()
        others.append(stack.enter_context(BridgeProcess(run.bridge.config.read_text(), place)))
    return others


def _through(cluster: Cluster, proxy: Proxy, directory: Path) -> Path:
    """The administrator's kubeconfig, by way of the proxy. The writer has its own, straight way."""
    content = json.loads(cluster.kubeconfig.read_text())
    content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{proxy.port}"
    path = directory / "kubeconfig"
    path.touch(0o600)
    path.write_text(json.dumps(content))
    return path
