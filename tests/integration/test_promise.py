"""The promise itself, with everything going wrong: every change exactly once and in order, or in an announced gap.

`PROMISE_SECONDS` is how long the writer works (a minute otherwise), `PROMISE_SEED` repeats a plan of faults.
"""

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Struct, structs

from tests.audit.judge import judge
from tests.audit.ledger import Ledger, Scope
from tests.audit.records import Log
from tests.chaos.streams import EXPECTED_REASONS, PARTITIONS, WATCHES, quiet_namespace
from tests.load import KINDS
from tests.servers.apiserver import Cluster
from tests.servers.kafka import Broker
from tests.trial import Trial, create_topics, trial

SECONDS = float(os.environ.get("PROMISE_SECONDS", "60"))
SEED = int(os.environ.get("PROMISE_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
RATE = 80.0
"""Writes per second, beside a broker, an API server, the bridge and the writer itself on two cores."""

RSS = 256 << 20
SPOILT = 10
"""Records, of all kinds but PROGRESS, which nobody owes."""


class Fault(Struct, frozen=True):
    """What happens at *second* of the run; *pause* is how long what was killed stays down."""

    second: float
    what: str
    pause: float


@pytest.mark.integration(timeout=SECONDS + 400)
async def test_the_promise(
    new_cluster: Callable[[], Cluster], new_broker: Callable[[], Broker], tmp_path: Path
) -> None:
    """0 lost, 0 doubled, 0 ghosts, 0 missing, whatever is killed."""
    plan = faults(SEED, SECONDS)
    print(f"\nseed {SEED}, {SECONDS:.0f} s, {RATE:.0f} writes per second")
    print("\n".join(f"  {fault.second:6.1f} s  {fault.what}, down for {fault.pause:.1f} s" for fault in plan))
    async with trial(new_cluster(), new_broker(), tmp_path, WATCHES) as run:
        await _promise(run, plan)


def faults(seed: int, seconds: float) -> list[Fault]:
    """A plan of everything that the promise must survive, in any order, spread over the run but for its very ends."""
    dice = random.Random(seed)
    what = ["kill bridge"] * 5 + ["kill broker"] * 2 + ["kill API server", "expire everything", "compact etcd"]
    dice.shuffle(what)
    share = 0.9 * seconds / len(what)
    return [
        Fault((number + dice.uniform(0, 1.2)) * share, name, dice.uniform(0, 4)) for number, name in enumerate(what)
    ]


async def _promise(run: Trial, plan: list[Fault]) -> None:
    await create_topics(run.broker.bootstrap, PARTITIONS)
    writer = await run.writer(*KINDS, namespaces=["team-a", "team-b"], seed=SEED)
    await quiet_namespace(writer)
    await writer.work(2, RATE)
    run.bridge.start()
    await run.synced()
    async with asyncio.TaskGroup() as group:
        group.create_task(writer.work(SECONDS, RATE))
        group.create_task(_inflict(run, plan))
    took = await run.caught_up(writer)
    ledger = await writer.ledger()
    report = await run.verdict(ledger)
    print(f"{writer.lost_answers:>10}  answers lost to the writer and read back")
    print(f"{run.bridge.lives:>10}  lives of the bridge, {run.bridge.peak_rss >> 20} MiB at most")
    print(f"{took:>10.1f}  seconds to catch up in the end")
    assert report.ok, run.bridge.tail()
    assert report.counts["keys of unknown outcome"] == 0
    assert report.counts["acknowledged writes"] > SECONDS * RATE / 4, "the writer hardly worked: nothing is proven"
    assert report.counts["writes told as they happened"] > SECONDS * RATE / 20, (
        "hardly anything but gaps: nothing is proven"
    )
    assert {name.split()[1] for name in report.restarts} <= EXPECTED_REASONS
    assert run.bridge.peak_rss <= RSS
    _miss_any_record(await run.logs(), run.scopes, ledger)


def _miss_any_record(logs: list[Log], scopes: list[Scope], ledger: Ledger) -> None:
    """The proof of the proof: take any one record away, or say it twice, and the judge finds it."""
    dice = random.Random(SEED)
    for _ in range(SPOILT):
        at = dice.choice([n for n, log in enumerate(logs) if len(log.entries) > 100])
        log = logs[at]
        entry = dice.choice([entry for entry in log.entries if b'"type":"PROGRESS"' not in entry.value[:100]])
        left = [other for other in log.entries if other is not entry]
        twice = sorted([*log.entries, entry], key=lambda other: (other.partition, other.offset))
        for entries in (left, twice):
            spoilt = [*logs[:at], structs.replace(log, entries=entries), *logs[at + 1 :]]
            assert not judge(spoilt, scopes, ledger).ok, entry


async def _inflict(run: Trial, plan: list[Fault]) -> None:
    """Faults of different servers may overlap; those of one come one after the other."""
    started = time.monotonic()
    locks = {what: asyncio.Lock() for what in ("bridge", "broker", "cluster")}
    means = {
        "kill bridge": ("bridge", _kill_bridge),
        "kill broker": ("broker", _kill_broker),
        "kill API server": ("cluster", _kill_api),
        "expire everything": ("cluster", _expire),
        "compact etcd": ("cluster", _compact),
    }

    async def one(fault: Fault) -> None:
        await asyncio.sleep(fault.second)
        name, act = means[fault.what]
        async with locks[name]:
            await act(run, fault)
        print(f"  {time.monotonic() - started:6.1f} s  {fault.what}: over")

    async with asyncio.TaskGroup() as group:
        for fault in plan:
            group.create_task(one(fault))


async def _kill_bridge(run: Trial, fault: Fault) -> None:
    """On this thread: the bridge is tied to the one that starts it."""
    assert run.bridge.is_running, f"the bridge had ended by itself:\n{run.bridge.tail()}"
    run.bridge.kill()
    await asyncio.sleep(fault.pause)
    run.bridge.start()


async def _kill_broker(run: Trial, fault: Fault) -> None:
    await asyncio.to_thread(run.broker.kill)
    await asyncio.sleep(fault.pause)
    await asyncio.to_thread(run.broker.start)


async def _kill_api(run: Trial, fault: Fault) -> None:
    await asyncio.to_thread(run.cluster.kill_api)
    await asyncio.sleep(fault.pause)
    await asyncio.to_thread(run.cluster.start_api)


async def _expire(run: Trial, fault: Fault) -> None:
    await asyncio.sleep(fault.pause)
    await asyncio.to_thread(run.cluster.expire_everything)


async def _compact(run: Trial, fault: Fault) -> None:
    await asyncio.sleep(fault.pause)
    await asyncio.to_thread(run.cluster.compact)
