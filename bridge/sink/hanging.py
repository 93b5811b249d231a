"""Hanging transactions (KIP-664): how the last one of a transactional id was decided, as its coordinator remembers.

A transaction is decided first, and its end is written to its partitions afterwards. A coordinator that restarts between
the two writes it then, but not to a partition that has no leader at that moment: it takes it for deleted
(TransactionMarkerChannelManager, "likely deleted already and hence can be skipped"). Seen on Kafka 4.3.1 after one in
twelve kills of a broker that was alone. In such a partition the transaction stays open for ever: readers of committed
records stand still before it, and the next one of the same id would end both alike, whatever was decided.
"""

import asyncio

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields
from msgspec import Struct

POLL = 0.1
"""Seconds between two questions to a coordinator that is just moving. The caller's deadline bounds them."""
MOVING = (14, 15, 16)
"""COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR."""
UNKNOWN = 105
"""TRANSACTIONAL_ID_NOT_FOUND."""
COMMITTED = ("PrepareCommit", "CompleteCommit")
ONGOING = "Ongoing"
CUT_SHORT = 2
"""By how much the epoch grows when a producer is started over an open transaction: once to abort it, once for itself.
Over none, or one that was ended before, it grows by one (measured; TransactionCoordinator.handleInitProducerId)."""


class Last(Struct, frozen=True):
    """The last transaction of an id, before a new producer of that id was started: starting it forgets this."""

    state: str
    producer_id: int
    epoch: int

    def was_committed(self, epoch: int) -> bool:
        """*epoch* is that of the producer that was started next.

        Where nobody can tell, as after a start with no transaction behind it, it is taken for aborted: what is open in
        all of its partitions was seen by no reader, so it may be said again.
        """
        if self.state == ONGOING:  # its owner may have ended it after we had asked
            return epoch - self.epoch < CUT_SHORT
        return self.state in COMMITTED


class Verdict(Struct, frozen=True):
    """How the last transaction was decided; the producer that was started then has *producer_id* and *epoch*."""

    producer_id: int
    epoch: int
    committed: bool


class Unsettled:
    """Owns the verdict that still has to be written to partitions, over all attempts that fail before that is done.

    Kafka forgets it when a producer is started.
    """

    def __init__(self) -> None:
        self._verdict: Verdict | None = None

    def learn(self, last: Last | None, producer_id: int, epoch: int) -> Verdict | None:
        """A producer was started, over *last*. None if nothing can hang, or nobody can tell."""
        before, self._verdict = self._verdict, None
        if last is None or last.producer_id != producer_id:
            return None
        kept = before is not None and (before.producer_id, before.epoch) == (last.producer_id, last.epoch)
        committed = before.committed if before is not None and kept else last.was_committed(epoch)
        self._verdict = Verdict(producer_id, epoch, committed)
        return self._verdict

    def settled(self) -> None:
        self._verdict = None


async def last_of(client: AIOKafkaClient, transactional_id: str) -> Last | None:
    """None if there was none, or if the brokers cannot tell (before Kafka 3.0). Use inside `faults`."""
    while True:
        try:
            node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
            answer = await client.send(node, _DescribeTransactions([transactional_id]))
        except errors.TransactionalIdAuthorizationFailed as error:
            raise errors.TransactionalIdAuthorizationFailed(transactional_id) from error
        except (errors.IncompatibleBrokerVersion, NotImplementedError):  # too old; too new for version 0
            return None
        except (errors.CoordinatorNotAvailableError, errors.NodeNotReadyError):
            await client.force_metadata_update()
            await asyncio.sleep(POLL)
            continue
        (found,) = answer.to_object()["transaction_states"]
        code = found["error_code"]
        if code == 0:
            return Last(found["transaction_state"], found["producer_id"], found["producer_epoch"])
        if code == UNKNOWN:
            return None
        if code not in MOVING:
            raise errors.for_code(code)(transactional_id)
        await asyncio.sleep(POLL)


class _Answer(Response):
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", CompactString("utf-8")),
                ("transaction_state", CompactString("utf-8")),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                (
                    "topics",
                    CompactArray(
                        ("topic", CompactString("utf-8")),
                        ("partitions", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(("transactional_ids", CompactArray(CompactString("utf-8"))), ("tags", TaggedFields))


class _DescribeTransactions(Request[_Question]):
    """Kafka's DescribeTransactions, which aiokafka has not. Version 0 is all that is needed."""

    API_KEY = 65

    def __init__(self, transactional_ids: list[str]) -> None:
        self._transactional_ids = transactional_ids

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class(self._transactional_ids, {})
