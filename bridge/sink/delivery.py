"""Batches on their way to the brokers that lead their partitions. A batch is in once, however often it is sent."""

import asyncio
from collections.abc import Iterable

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import TopicPartition

from bridge.sink.batch import Run
from bridge.sink.connection import KafkaFault, SettingFault, together
from bridge.sink.coordinator import PAUSE, passes
from bridge.sink.proof import Proof, assert_ours
from bridge.sink.route import Target
from bridge.sink.seal import Author, Identity, sealed
from bridge.sink.transaction import Answers, Written, produced

OK, REPEATED = 0, 46
"""REPEATED: DUPLICATE_SEQUENCE_NUMBER, it is in, and the broker no longer knows where."""


class Delivery:
    """Owns the sequence numbers, by which brokers know what they have. Worthless after a failure.

    Use inside `faults`.
    """

    def __init__(self, client: AIOKafkaClient, codec: int, name: str, identity: Identity, proof: Proof | None) -> None:
        """With a *proof* there are no transactions: it is looked at instead, before anything is sent."""
        self._client = client
        self._author = Author(identity, codec, transactional=proof is None)
        self._name = name
        self._proof = proof
        self._milliseconds = client._request_timeout_ms  # noqa: SLF001 - what a broker may take of it
        self._sequences: dict[Target, int] = {}

    async def send(self, runs: Iterable[Run], time: int) -> list[tuple[Target, int]]:
        """Returns where each run was written, -1: not known. Raises the first failure that no second try mends."""
        offsets: list[tuple[Target, int]] = []
        for row in _rows(runs):
            built = {run.target: self._built(run, time) for run in row}
            offsets += await self._row(built)
            for run in row:
                self._sequences[run.target] = self._sequences.get(run.target, 0) + run.count
        return offsets

    def _built(self, run: Run, time: int) -> bytes:
        return sealed(run.pieces, run.count, time, self._author, self._sequences.get(run.target, 0))

    async def _row(self, batches: dict[Target, bytes]) -> list[tuple[Target, int]]:
        """One batch for each partition, sent until all are in."""
        offsets: list[tuple[Target, int]] = []
        while batches:
            by_leader: dict[int, dict[Target, bytes]] = {}
            for target, data in batches.items():
                by_leader.setdefault(await self.leader(target), {})[target] = data
            answers = await self._ask(by_leader)
            for target, said in answers.items():
                if said.error in (OK, REPEATED):
                    del batches[target]
                    offsets.append((target, said.offset))
                elif not passes(error := errors.for_code(said.error)(target.topic)):
                    raise error
            if batches:
                await asyncio.sleep(PAUSE)
                await self._client.force_metadata_update()
        return offsets

    async def _ask(self, by_leader: dict[int, dict[Target, bytes]]) -> Answers:
        if len(by_leader) == 1:
            ((leader, batches),) = by_leader.items()
            return await self._produce(leader, batches)
        found: Answers = {}
        for answers in await together(self._produce(leader, batches) for leader, batches in by_leader.items()):
            found |= answers
        return found

    async def _produce(self, leader: int, batches: dict[Target, bytes]) -> Answers:
        """What *leader* says of each of them; nothing if it could not be asked."""
        if self._proof is not None:
            assert_ours(self._name, self._proof)  # nothing else fences; to get here may have taken long
        try:
            name = self._name if self._proof is None else None
            answer: Written = await self._client.send(leader, produced(name, batches, self._milliseconds))
        except errors.KafkaError as error:
            if not passes(error):
                raise
            return {}
        except NotImplementedError as error:  # what aiokafka raises where there is no version in common
            raise SettingFault(f"the broker at {leader} is too old: Kafka 2.1 or later is needed") from error
        return {target: said for target, said in answer.partitions.items() if target in batches}

    async def leader(self, target: Target) -> int:
        """The broker that leads *target*. Waits until there is one."""
        partition, cluster = TopicPartition(*target), self._client.cluster
        while (leader := cluster.leader_for_partition(partition)) in (None, -1):
            known = cluster.partitions_for_topic(target.topic)
            if known and target.partition not in known:
                has = f"topic {target.topic} has {len(known)} partitions"
                raise KafkaFault(f"{has}, and records belong into partition {target.partition}")
            await asyncio.sleep(PAUSE)
            await self._client.force_metadata_update()
        return int(leader)


def _rows(runs: Iterable[Run]) -> list[list[Run]]:
    """In order, and in each no partition twice: a request has one batch for a partition."""
    rows: list[list[Run]] = []
    seen: dict[Target, int] = {}
    for run in runs:
        at = seen[run.target] = seen.get(run.target, -1) + 1
        if at == len(rows):
            rows.append([])
        rows[at].append(run)
    return rows
