"""Three replicas, six streams, everything goes wrong: every change exactly once and in order, or in an announced gap.

`CHAOS_SECONDS` is how long the writer works (a minute otherwise), `CHAOS_SEED` repeats a plan. With
`CHAOS_DELIVERY=at-least-once` changes may come again after a crash, as exact repetitions.
"""

import asyncio
import json
import os
import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bridge_process import BridgeProcess
from tests.chaos.inflicting import Chaos
from tests.chaos.plan import Fault, plan
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
SPARE = 2
"""More of them, for some seconds now and then."""
RATE = 60.0
"""Writes per second, beside a broker, an API server, three bridges and the writer itself on two cores."""
RSS = 256 << 20


@pytest.mark.integration(timeout=2 * SECONDS + 400)
async def test_chaos(new_cluster: Callable[[], Cluster], new_broker: Callable[[], Broker], tmp_path: Path) -> None:
    """0 lost, 0 doubled, 0 ghosts, whoever is killed, stopped, frozen or cut off."""
    faults = plan(SEED, SECONDS, REPLICAS, len(WATCHES))
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
                chaos = Chaos(run, proxy, [run.bridge, *_others(run, others, tmp_path)], REPLICAS)
                await _survive(chaos, faults)


async def _survive(chaos: Chaos, faults: list[Fault]) -> None:
    run = chaos.run
    await create_topics(run.broker.bootstrap, PARTITIONS)
    writer = await run.writer(*KINDS, namespaces=["team-a", "team-b"], seed=SEED)
    await quiet_namespace(writer)
    await writer.work(2, RATE)
    for replica in chaos.replicas[:REPLICAS]:
        replica.start()
    await run.synced()
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.work(SECONDS, RATE))
        group.create_task(chaos.inflict(faults))
    await chaos.followed()
    took = await run.caught_up(writer)
    await _judge(chaos, writer, took)


async def _judge(chaos: Chaos, writer: Writer, took: float) -> None:
    run, ledger = chaos.run, await writer.ledger()
    lives = sum(replica.lives for replica in chaos.replicas)
    codes = await chaos.end()
    report = await run.verdict(ledger)
    peak = max(replica.peak_rss for replica in chaos.replicas)
    print(f"{writer.lost_answers:>10}  answers lost to the writer and read back")
    print(f"{lives:>10}  lives of {REPLICAS} replicas, {peak >> 20} MiB at most")
    print(f"{took:>10.1f}  seconds to catch up in the end; {chaos.asked.total()} requests for a new epoch")
    assert codes == [0] * (REPLICAS - 1), [replica.tail() for replica in chaos.replicas]
    assert report.ok, [replica.tail() for replica in chaos.replicas]
    assert report.counts["keys of unknown outcome"] == 0
    assert report.counts["acknowledged writes"] > SECONDS * RATE / 6, "the writer hardly worked: nothing is proven"
    assert report.counts["writes told as they happened"] > SECONDS * RATE / 20, (
        "hardly anything but gaps: nothing is proven"
    )
    requested = {name.split()[0]: count for name, count in report.restarts.items() if name.endswith(" requested")}
    assert all(count <= chaos.asked[stream] for stream, count in requested.items()), (requested, chaos.asked)
    assert {name.split()[1] for name in report.restarts} <= EXPECTED_REASONS | {"requested"}
    assert peak <= RSS


def _others(run: Trial, stack: ExitStack, directory: Path) -> list[BridgeProcess]:
    """The replicas beside the trial's own, of the same config."""
    others = []
    for number in range(1, REPLICAS + SPARE):
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
