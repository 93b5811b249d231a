"""The producer of one stream: publishes a run of records and the checkpoint that covers them, together or not at all.

aiokafka needs watching (each point measured, see docs/exactly-once.md):
- it commits a transaction although a batch in it has failed, so every future is kept and all must succeed first;
- after a failed batch its sequence numbers are wrong for good, so after any failure the producer is dead;
- commit, abort, flush and stop wait for ever when brokers are down, so one deadline stands around a whole transaction,
  and the way out is `kill`. A dead producer's transaction is aborted by the next `start` of the same id.
And Kafka needs it: a broker that restarts may leave a decided transaction open (see `hanging`). So a producer that has
lost a connection has failed, and its successor's first act is `settle`.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, NoReturn, Self

from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from bridge.config.kafka import Kafka
from bridge.sink.addresses import hasten
from bridge.sink.batch import Batches, Run
from bridge.sink.client import Client
from bridge.sink.compression import quicken
from bridge.sink.connection import ANSWER, KafkaFault, SettingFault, connected, faults, settings
from bridge.sink.hanging import Unsettled, Verdict, last_of
from bridge.sink.metadata import topics_of
from bridge.sink.proof import Proof, alone, assert_ours
from bridge.sink.route import Target

WORN_OUT = 10**9
"""Records. At 2**31 of one partition aiokafka's sequence number becomes negative, and Kafka refuses it."""
START = 30.0
"""Seconds to begin: a coordinator that has just moved loads its log first."""
IDLE = 180.0
"""Seconds after which we close an unused connection ourselves: load balancers cut them after 240 to 350, and a cut one
looks like a broker that has gone."""
_CODECS = (DefaultRecordBatchBuilder, MemoryRecords)


def assert_fast() -> None:
    """Refuse to begin in pure Python: aiokafka falls back to it silently, at 30 times the cost (590 us a record)."""
    slow = [codec.__name__ for codec in _CODECS if "_crecords" not in codec.__module__]
    if slow:
        raise SettingFault(
            f"aiokafka runs without its C extension ({', '.join(slow)}). Install a wheel of it for this platform"
            " (there is none for musl, so not on Alpine), and unset AIOKAFKA_NO_EXTENSIONS"
        )


class Producer:
    """Owns an aiokafka producer, from `start` to `kill`. Dead after the first failure."""

    def __init__(self, kafka: Kafka, name: str, client: "Client", verdict: Verdict | None, proof: Proof) -> None:
        self._kafka = kafka
        self._name = name
        self._client = client.producer
        self._killing = client.kill
        self._lost = client.lost
        self._verdict = verdict
        self._proof = proof
        self._exactly_once = kafka.delivery == "exactly-once"
        self._published = 0
        self._ends: dict[Target, int] = {}
        """The offset that was written last, of each partition."""
        self._dead = False

    @classmethod
    async def start(cls, kafka: Kafka, name: str, unsettled: Unsettled | None = None, proof: Proof = alone) -> Self:
        """Begin. With `exactly-once` *name* is the transactional id: who had it is fenced, its transaction aborted.

        When this returns, every transaction of *name* is decided, and, but for what `settle` is there for, everything
        ever committed under *name* is visible to readers of committed records. *unsettled* is what the attempt before
        has left over. *proof* is looked at after the fence: whoever owns *name* later fences us in turn.
        """
        assert_fast()
        quicken()
        exactly_once = kafka.delivery == "exactly-once"
        last = None
        async with faults(kafka, f"start the producer {name}", START):
            if exactly_once:
                async with connected(kafka) as asking:
                    last = await last_of(asking, name)
            client = Client(_settings(kafka, name if exactly_once else None))
            hasten(client.producer.client, kafka, ANSWER)
            try:
                await client.producer.start()
                manager = client.producer._txn_manager  # noqa: SLF001
                verdict = (unsettled or Unsettled()).learn(last, manager.producer_id, manager.producer_epoch)
                assert_ours(name, proof)  # what was learnt is kept: Kafka tells it once
            except BaseException:
                await client.kill()
                raise
        return cls(kafka, name, client, verdict, proof)

    @property
    def worn_out(self) -> bool:
        """A new producer has to take over, though this one works."""
        return self._published >= WORN_OUT

    async def hold(self) -> NoReturn:
        """Raises when a connection has broken: a broker may have restarted, and left our last transaction open.

        Without transactions there is nothing to leave open, and never a reason.
        """
        await self._lost.wait()
        raise KafkaFault(LOST)

    async def settle(self, targets: Iterable[Target]) -> None:
        """End what Kafka may have left open, in *targets*, of the transaction before `start`, as it was decided.

        The partitions must exist and have leaders. To be done before anything of *targets* is read or written: a
        transaction of ours that comes later would decide the one that hangs, too.
        """
        if self._verdict is not None:
            await self._end(targets, self._verdict.committed)

    async def discard(self, targets: Iterable[Target]) -> None:
        """The same where nothing of ours was ever committed, by what the checkpoint knows."""
        if self._verdict is not None:
            await self._end(targets, committed=False)

    async def _end(self, targets: Iterable[Target], committed: bool) -> None:
        """A transaction without a record: all that it writes is Kafka's own mark of an end."""
        partitions = [TopicPartition(*target) for target in targets]
        if not partitions:
            return
        manager = self._client._txn_manager  # noqa: SLF001 - the public way needs a record for each partition
        try:
            async with faults(self._kafka, f"settle the last transaction of {self._name}", START):
                await self._client.begin_transaction()
                for partition in partitions:
                    manager.maybe_add_partition_to_txn(partition)
                await (self._client.commit_transaction() if committed else self._client.abort_transaction())
        except BaseException:
            await self.kill()
            raise

    async def publish(self, records: Batches, covers: Batches, time: int) -> None:
        """Commit both, stamped with *time* (ms). Without transactions: *covers* only after *records* are safe.

        After an exception the producer is dead, and whether this was committed is unknown: the checkpoint tells.
        """
        if self._dead:
            raise KafkaFault(f"the producer {self._name} is dead, a new one must take over")
        if self._lost.is_set():
            await self.kill()
            raise KafkaFault(LOST)
        try:
            topics = ", ".join(sorted({run.target.topic for run in records.runs}))
            doing = f"commit as {self._name}{topics and ' to '}{topics}"
            async with faults(self._kafka, doing, self._bound()):
                if self._exactly_once:
                    await self._client.begin_transaction()
                    await self._send([*records.runs, *covers.runs], time)
                    await self._client.commit_transaction()
                else:
                    await self._send(records.runs, time)
                    await self._send(covers.runs, time)
        except BaseException:
            await self.kill()
            raise
        self._published += records.count + covers.count

    def _bound(self) -> float:
        """Where nothing fences us, aiokafka must not try again what may be another's by then: `kill` takes it back."""
        if self._exactly_once:
            return self._kafka.transaction_timeout
        assert_ours(self._name, self._proof)
        return min(self._kafka.transaction_timeout, self._proof())

    async def _send(self, runs: list[Run], time: int) -> None:
        """Returns when every batch is acknowledged; raises the first failure."""
        sending = [await self._enqueue(run, time) for run in runs]
        for run, written in zip(runs, await asyncio.gather(*sending), strict=True):
            self._follow(run.target, written.offset)

    def _follow(self, target: Target, offset: int) -> None:
        """Offsets only grow, but in a topic that was made anew: the transaction that finds it is never committed.

        -1: it was acknowledged before.
        """
        if 0 <= offset <= self._ends.get(target, -1):
            raise KafkaFault(f"topic {target.topic} was deleted and made anew under us: starting over")
        self._ends[target] = max(offset, self._ends.get(target, -1))

    async def _enqueue(self, run: Run, time: int) -> "asyncio.Future[Any]":
        """Waits only while another batch of the same partition is in the queue."""
        topic, partition = run.target
        count = self.partitions(topic)
        if count is not None and partition >= count:
            raise KafkaFault(f"topic {topic} has {count} partitions, and records belong into partition {partition}")
        await self._led(TopicPartition(topic, partition))
        if not self._exactly_once:
            assert_ours(self._name, self._proof)  # the wait for a leader may have been longer than a session
        batch = self._client.create_batch()
        append = batch.append
        for key, value, headers in run.records:
            appended = append(timestamp=time, key=key, value=value, headers=headers)
            assert appended is not None, "a run fits into a batch"
        future: asyncio.Future[Any] = await self._client.send_batch(batch, topic, partition=partition)
        return future

    async def _led(self, partition: TopicPartition) -> None:
        """Wait for a leader here: with a batch for none in its queue, aiokafka asks for metadata without a pause."""
        client = self._client.client
        while client.cluster.leader_for_partition(partition) in (None, -1):
            await asyncio.sleep(RETRY_MS / 1000)
            await client.force_metadata_update()

    async def track(self, topics: list[str]) -> None:
        """Keep the partition counts of *topics* known. They must exist: brokers may create what is asked for."""
        async with faults(self._kafka, f"learn of the topics {', '.join(topics)}", START):
            for topic in topics:
                await self._client.client.add_topic(topic)  # else it is known by the first metadata only, and forgotten
                await self._client.partitions_for(topic)

    def partitions(self, topic: str) -> int | None:
        """As the brokers said at most 30 s ago; None if they did not."""
        known = self._client.client.cluster.partitions_for_topic(topic)
        return len(known) if known else None

    async def ids(self, topics: list[str]) -> dict[str, str]:
        """As brokers tell now, of those that exist."""
        async with faults(self._kafka, f"ask for the topics {', '.join(topics)}", ANSWER):
            return {name: topic.id for name, topic in (await topics_of(self._client.client, topics)).items()}

    async def kill(self) -> None:
        """Never hangs, leaves no task and no socket. What `publish` has returned from is safe: a good end as well."""
        self._dead = True
        await self._killing()


LOST = "a broker has cut our connection. If it restarted, the end of our last transaction may be missing: starting over"


RETRY_MS = 100
"""aiokafka's default."""


def _settings(kafka: Kafka, transactional_id: str | None) -> dict[str, Any]:
    options = settings(kafka) | {
        "compression_type": None if kafka.compression == "none" else kafka.compression,
        "max_batch_size": 2 * kafka.max_message_bytes,  # runs are bounded before: this must never be what bounds them
        "enable_idempotence": True,
        "retry_backoff_ms": RETRY_MS,
        "connections_max_idle_ms": int(1000 * IDLE),
    }
    if transactional_id is not None:
        options |= {
            "transactional_id": transactional_id,
            "transaction_timeout_ms": int(1000 * kafka.transaction_timeout),
        }
    return options
