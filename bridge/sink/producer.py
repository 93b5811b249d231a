"""The producer of one stream: publishes a run of records and the checkpoint that covers them, together or not at all.

Of aiokafka it uses the connections. aiokafka's own producer needs watching at every step (it commits a
transaction although a batch in it has failed, and waits for ever when brokers are down), and costs three times as much
(docs/decisions/0016). Here one deadline stands around a whole transaction, and after any failure a producer is dead:
its transaction is aborted by the next `start` of the same name.
And Kafka needs it: a broker that restarts may leave a decided transaction open (see `hanging`). So a producer that has
lost a connection has failed, and its successor's first act is `settle`.
"""

from collections.abc import Iterable
from typing import NoReturn, Self

from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from bridge.config.kafka import Kafka
from bridge.sink.addresses import hasten
from bridge.sink.batch import Batches, Run
from bridge.sink.client import Client
from bridge.sink.compression import CODECS
from bridge.sink.connection import ANSWER, KafkaFault, SettingFault, Settings, connected, faults, settings
from bridge.sink.coordinator import Coordinator
from bridge.sink.delivery import Delivery
from bridge.sink.hanging import Unsettled, Verdict, last_of
from bridge.sink.metadata import Listed, topics_of
from bridge.sink.proof import Proof, alone, assert_ours
from bridge.sink.route import Target

WORN_OUT = 10**9
"""Records. At 2**31 of one partition aiokafka's sequence number becomes negative, and Kafka refuses it."""
START = 30.0
"""Seconds to begin: a coordinator that has just moved loads its log first."""
IDLE = 180.0
"""Seconds after which we close an unused connection ourselves: load balancers cut them after 240 to 350, and a cut one
looks like a broker that has gone."""
UNASKED = 600.0
"""Seconds between aiokafka's own questions for all that it knows of. `Whereabouts` asks when there is something to
write, and errors make aiokafka ask: what it asks beyond cost a third of the CPU of streams that have nothing to say."""
_CODECS = (calc_crc32c, MemoryRecords)


def assert_fast() -> None:
    """Refuse to begin in pure Python: aiokafka falls back to it silently, at 30 times the cost."""
    slow = [codec.__name__ for codec in _CODECS if "_crecords" not in codec.__module__]
    if slow:
        raise SettingFault(
            f"aiokafka runs without its C extension ({', '.join(slow)}). Install a wheel of it for this platform"
            " (there is none for musl, so not on Alpine), and unset AIOKAFKA_NO_EXTENSIONS"
        )


class Producer:
    """Owns a client, from `start` to `kill`, and the offsets that were written last. Dead after the first failure."""

    def __init__(self, kafka: Kafka, name: str, client: Client, proof: Proof) -> None:
        self._kafka = kafka
        self._name = name
        self._client = client
        self._proof = proof
        self._exactly_once = kafka.delivery == "exactly-once"
        self._coordinator = Coordinator(client.kafka, name if self._exactly_once else None)
        self._verdict: Verdict | None = None
        self._delivery: Delivery
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
        last = None
        async with faults(kafka, f"start the producer {name}", START):
            if kafka.delivery == "exactly-once":
                async with connected(kafka) as asking:
                    last = await last_of(asking, name)
            client = Client(_settings(kafka), transactional=kafka.delivery == "exactly-once")
            producer = cls(kafka, name, client, proof)
            try:
                await producer._begin()
                who = producer._coordinator.identity
                producer._verdict = (unsettled or Unsettled()).learn(last, who.producer_id, who.epoch)
                assert_ours(name, proof)  # what was learnt is kept: Kafka tells it once
            except BaseException:
                await producer.kill()
                raise
        return producer

    async def _begin(self) -> None:
        client = self._client.kafka
        hasten(client, self._kafka, ANSWER)
        await client.bootstrap()
        await self._coordinator.begin(self._kafka.transaction_timeout)
        proof = None if self._exactly_once else self._proof
        codec = CODECS[self._kafka.compression]
        self._delivery = Delivery(client, codec, self._name, self._coordinator.identity, proof)

    @property
    def worn_out(self) -> bool:
        """A new producer has to take over, though this one works."""
        return self._published >= WORN_OUT

    async def hold(self) -> NoReturn:
        """Raises when a connection has broken: a broker may have restarted, and left our last transaction open.

        Without transactions there is nothing to leave open, and never a reason.
        """
        await self._client.lost.wait()
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
        partitions = list(targets)
        if not partitions:
            return
        try:
            async with faults(self._kafka, f"settle the last transaction of {self._name}", START):
                await self._coordinator.add(partitions)
                await self._coordinator.end(committed=committed)
        except BaseException:
            await self.kill()
            raise

    async def publish(self, records: Batches, covers: Batches, time: int) -> None:
        """Commit both, stamped with *time* (ms). Without transactions: *covers* only after *records* are safe.

        After an exception the producer is dead, and whether this was committed is unknown: the checkpoint tells.
        """
        if self._dead:
            raise KafkaFault(f"the producer {self._name} is dead, a new one must take over")
        if self._client.lost.is_set():
            await self.kill()
            raise KafkaFault(LOST)
        try:
            topics = ", ".join(sorted({run.target.topic for run in records.runs}))
            doing = f"commit as {self._name}{topics and ' to '}{topics}"
            async with faults(self._kafka, doing, self._bound()):
                if self._exactly_once:
                    await self._open([*records.runs, *covers.runs], time)
                    await self._coordinator.end(committed=True)
                else:
                    await self._send(records.runs, time)
                    await self._send(covers.runs, time)
        except BaseException:
            await self.kill()
            raise
        self._published += records.count + covers.count

    async def _open(self, runs: list[Run], time: int) -> None:
        """A transaction of *runs*, which nobody sees before it has ended."""
        targets = list(dict.fromkeys(run.target for run in runs))
        for target in targets:
            await self._delivery.leader(target)  # of a partition that is not there the coordinator would know no end
        await self._coordinator.add(targets)
        await self._send(runs, time)

    def _bound(self) -> float:
        """Where nothing fences us, nothing may be tried again that may be another's by then."""
        if self._exactly_once:
            return self._kafka.transaction_timeout
        assert_ours(self._name, self._proof)
        return min(self._kafka.transaction_timeout, self._proof())

    async def _send(self, runs: list[Run], time: int) -> None:
        """Returns when every batch is acknowledged; raises the first failure."""
        for target, offset in await self._delivery.send(runs, time):
            self._follow(target, offset)

    def _follow(self, target: Target, offset: int) -> None:
        """Offsets only grow, but in a topic that was made anew: the transaction that finds it is never committed.

        -1: it was acknowledged before.
        """
        if 0 <= offset <= self._ends.get(target, -1):
            raise KafkaFault(f"topic {target.topic} was deleted and made anew under us: starting over")
        self._ends[target] = max(offset, self._ends.get(target, -1))

    async def track(self, topics: list[str]) -> None:
        """Keep the partition counts of *topics* known. They must exist: brokers may create what is asked for."""
        client = self._client.kafka
        async with faults(self._kafka, f"learn of the topics {', '.join(topics)}", START):
            for topic in topics:
                await client.add_topic(topic)  # else it is known by the first metadata only, and forgotten
                await client._wait_on_metadata(topic)  # noqa: SLF001 - as its own producer does

    async def look(self, topics: list[str]) -> dict[str, Listed]:
        """As brokers tell now, of those that exist."""
        async with faults(self._kafka, f"ask for the topics {', '.join(topics)}", ANSWER):
            return await topics_of(self._client.kafka, topics)

    async def kill(self) -> None:
        """Never hangs, leaves no task and no socket. What `publish` has returned from is safe: a good end as well."""
        self._dead = True
        await self._client.kill()


LOST = "a broker has cut our connection. If it restarted, the end of our last transaction may be missing: starting over"


def _settings(kafka: Kafka) -> Settings:
    return settings(kafka) | {
        "connections_max_idle_ms": int(1000 * IDLE),
        "metadata_max_age_ms": int(1000 * UNASKED),
    }
