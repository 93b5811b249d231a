"""Which topics there are: how many partitions, who leads them, and which incarnation of a topic it is.

aiokafka's own requests ask brokers to create what is missing, which many are set to do, and know of no topic ids
(KIP-516): by its id alone a topic that was deleted and made anew is another one.
"""

import uuid
from collections.abc import Iterable
from io import BytesIO

from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields
from msgspec import Struct

METADATA = 3
NO_ID = bytes(16)
TEXT = CompactString("utf-8")


class Listed(Struct, frozen=True):
    """A topic. *leaders* are those of its partitions, in order, -1: none. *id* is empty where the broker tells none."""

    leaders: list[int]
    id: str = ""


async def topics_of(client: AIOKafkaClient, names: Iterable[str]) -> dict[str, Listed]:
    """Those of the topics that exist."""
    answer = (await client.send(client.get_random_node(), _Metadata(sorted(set(names))))).to_object()
    found = {}
    for topic in answer["topics"]:
        name, error = topic["topic"], errors.for_code(topic["error_code"])
        if error is errors.UnknownTopicOrPartitionError:
            continue
        if error not in (errors.NoError, errors.LeaderNotAvailableError):
            raise error(name)
        leaders = {part["partition"]: part["leader"] for part in topic["partitions"]}
        known = topic.get("topic_id", NO_ID)
        found[name] = Listed([leaders[part] for part in sorted(leaders)], "" if known == NO_ID else _text(known))
    return found


def _text(known: bytes) -> str:
    return str(uuid.UUID(bytes=known))


class _Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _Answer(Response):
    API_KEY = METADATA
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", TEXT), ("port", Int32), ("rack", TEXT), ("tags", TaggedFields)),
        ),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):
    """The first that tells ids: Kafka 2.8."""

    FLEXIBLE_VERSION = True
    API_KEY = METADATA
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[MetadataRequest_v5 | _Question]):
    """Of the topics of these names. None of them is made by asking."""

    API_KEY = METADATA

    def __init__(self, names: list[str]) -> None:
        self._names = names

    def build(self, request_struct_class: type[MetadataRequest_v5 | _Question]) -> MetadataRequest_v5 | _Question:
        if request_struct_class is _Question:
            wanted: list[tuple[bytes, str, dict[int, bytes]]] = [(NO_ID, name, {}) for name in self._names]
            return _Question(wanted, False, False, False, {})
        return MetadataRequest_v5(self._names, False)
