"""What we may do in Kafka, asked without doing it: for `check`, which changes nothing.

Brokers that cannot tell (before 2.3), or have no access control, are taken to allow all.
"""

from collections.abc import Iterable, Mapping

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.transaction import EndTxnRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from bridge.config.kafka import Kafka
from bridge.sink.connection import ANSWER, connected, faults

OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
"""Kafka's names and codes (org.apache.kafka.common.acl.AclOperation)."""
UNTOLD = -(1 << 31)
"""In the place of a set of operations: the broker was not asked, or does not know."""
REFUSED = 53
"""TRANSACTIONAL_ID_AUTHORIZATION_FAILED."""
NOBODY = -1
"""A producer's id that no producer has: who asks to end its transaction is told that there is none."""


async def lacking(kafka: Kafka, needs: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Which of the operations that a topic *needs* are not allowed on it: only topics that lack some."""
    if not needs:
        return {}
    async with faults(kafka, "ask for our permissions", 2 * ANSWER), connected(kafka) as client:
        allowed = await _allowed(client, list(needs))
    found = {
        topic: [name for name in wanted if topic in allowed and not allowed[topic] >> OPERATIONS[name] & 1]
        for topic, wanted in needs.items()
    }
    return {topic: names for topic, names in found.items() if names}


async def _allowed(client: AIOKafkaClient, topics: list[str]) -> dict[str, int]:
    """A bit for each operation."""
    try:
        answer = await client.send(client.get_random_node(), _Metadata(topics))
    except (errors.IncompatibleBrokerVersion, NotImplementedError):
        return {}
    told = {entry["topic"]: entry["operations"] for entry in answer.to_object()["topics"] if entry["error_code"] == 0}
    return {topic: operations for topic, operations in told.items() if operations != UNTOLD}


async def may_transact(kafka: Kafka, transactional_id: str) -> bool:
    """Whether Write is allowed on *transactional_id*. Its producer and its transaction are not touched."""
    async with faults(kafka, f"ask for permission on {transactional_id}", 2 * ANSWER), connected(kafka) as client:
        try:
            node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
            answer = await client.send(node, EndTxnRequest(transactional_id, NOBODY, 0, False))
        except errors.TransactionalIdAuthorizationFailed:
            return False
        except (errors.CoordinatorNotAvailableError, errors.NodeNotReadyError):  # it is only just starting
            return True
    return bool(answer.error_code != REFUSED)


class _Answer(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class _Question(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_operations", Boolean),
        ("include_topic_operations", Boolean),
    )


class _Metadata(Request[_Question]):
    """Metadata as of version 8 (KIP-430): aiokafka has it up to 5, without what we may do."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class(self._topics, False, False, True)
