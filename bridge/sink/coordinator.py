"""Whom a producer agrees its transactions with: who it is, what takes part in a transaction, and how it ends."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.protocol.transaction import InitProducerIdRequest

from bridge.sink.route import Target
from bridge.sink.seal import Identity
from bridge.sink.transaction import AddPartitions, End, Refusals, added, ended

PAUSE = 0.1
"""Seconds between two tries, aiokafka's and Java's default. The caller's deadline bounds them."""
SOON = 0.002
"""Seconds until it is asked again whether the transaction before is over, doubled up to `PAUSE`: its end is decided
when `end` returns, and written to its partitions a moment later (KAFKA-5477; aiokafka waits for 20 ms)."""
NOBODY = Identity(-1, -1)

OK, NOT_TRIED = 0, 55
BUSY = 51
"""CONCURRENT_TRANSACTIONS."""
LOADING, UNKNOWN_TOPIC = 14, 3
MOVED = (15, 16)
"""COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR."""
FENCED = (47, 90)
"""INVALID_PRODUCER_EPOCH, PRODUCER_FENCED."""

_Request = AddPartitions | End | InitProducerIdRequest
_Refused = list[tuple[int, str]]


def passes(error: errors.KafkaError) -> bool:
    """Whether the same may be asked once more: the connection or the leader is at fault, not what was asked."""
    return bool(error.retriable) or isinstance(error, errors.UnknownTopicOrPartitionError)


class Coordinator:
    """Owns where the coordinator of *name* is, and who we are to it. Use inside `faults`: nothing here gives up.

    With *name* None there are no transactions: who we are is all that is asked for.
    """

    def __init__(self, client: AIOKafkaClient, name: str | None) -> None:
        self.identity = NOBODY
        self._client = client
        self._name = name
        self._node: int | None = None

    async def begin(self, bound: float) -> None:
        """Become the latest producer of *name*: who was it before is fenced, and its transaction aborted.

        Brokers abort transactions of ours that are open for longer than *bound* seconds.
        """
        request = InitProducerIdRequest(self._name, int(1000 * bound))  # type: ignore[arg-type]  # it may be null
        answer = await self._done(request, lambda said: [(said.error_code, "")])
        self.identity = Identity(answer.producer_id, answer.producer_epoch)

    async def add(self, targets: Sequence[Target]) -> None:
        """They take part in the transaction under way, which begins with the first of them."""
        assert self._name is not None
        await self._done(added(self._name, self.identity, targets), _of_partitions)

    async def end(self, *, committed: bool) -> None:
        assert self._name is not None
        await self._done(ended(self._name, self.identity, committed=committed), lambda said: [(said.error, "")])

    async def _done(self, request: _Request, refused: Callable[[Any], _Refused]) -> Any:  # noqa: ANN401 - aiokafka's
        """The answer that refuses nothing. *refused* finds the codes in an answer, each with its topic, if any."""
        wait = SOON
        while True:
            answer = await self._send(request)
            codes = [] if answer is None else refused(answer)
            if answer is not None and not any(code for code, _ in codes):
                return answer
            wait = await self._again(codes, wait)

    async def _send(self, request: _Request) -> Any:  # noqa: ANN401 - aiokafka's
        """The answer; None: the coordinator could not be asked, and is to be looked for anew."""
        try:
            node = await self._find()
            return await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
        except errors.TransactionalIdAuthorizationFailed as error:
            raise errors.TransactionalIdAuthorizationFailed(self._name) from error
        except errors.KafkaError as error:
            if not passes(error):
                raise
            self._node = None
            await self._client.force_metadata_update()
            return None

    async def _find(self) -> int:
        if self._node is None:
            self._node = (
                self._client.get_random_node()
                if self._name is None
                else await self._client.coordinator_lookup(CoordinationType.TRANSACTION, self._name)
            )
        return self._node

    async def _again(self, refused: _Refused, wait: float) -> float:
        """Wait until it may be asked again, or raise what no waiting mends. Returns how long to wait next."""
        codes = {code: topic for code, topic in refused if code not in (OK, NOT_TRIED)}
        for code, topic in codes.items():
            self._assert_passes(code, topic)
        if codes.keys() == {BUSY}:
            await asyncio.sleep(wait)
            return min(2 * wait, PAUSE)
        if not codes.keys().isdisjoint(MOVED):
            self._node = None
        await asyncio.sleep(PAUSE)
        return wait

    def _assert_passes(self, code: int, topic: str) -> None:
        if code in (BUSY, LOADING, UNKNOWN_TOPIC, *MOVED):
            return
        if code in FENCED:
            raise errors.ProducerFenced
        error = errors.for_code(code)
        if error is errors.TransactionalIdAuthorizationFailed:
            raise error(self._name)
        raise error(topic) if topic else error()


def _of_partitions(answer: Refusals) -> _Refused:
    return [(said.error, topic) for (topic, _), said in answer.partitions.items()]
