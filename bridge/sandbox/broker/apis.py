"""What this broker speaks: bytes to requests with named fields, and named fields to bytes, in every version offered.

Versions are those that aiokafka has structs for and a Kafka 4 still takes. A handler sees one shape for all of them:
fields that a version lacks are absent from a request, and left out of an answer.
"""

import struct
from collections.abc import Callable, Iterator
from io import BytesIO
from types import ModuleType
from typing import Any

from aiokafka.protocol import admin, commit, coordination, fetch, group, metadata, offset, produce, transaction
from aiokafka.protocol.api import RequestHeader_v1, RequestStruct
from aiokafka.protocol.types import Array, Bytes, Schema, String, TaggedFields, ValueT
from msgspec import Struct

from bridge.sandbox.broker import metadata as newer
from bridge.sandbox.broker.structs import (
    ApiVersionsRequest,
    CreateTopicsRequest,
    DescribeTransactionsRequest,
    ListTransactionsRequest,
)

Fields = dict[str, Any]
Requests = dict[int, type[RequestStruct]]
"""By version."""


class Unreadable(Exception):  # noqa: N818 - what the client sent
    """No request of this protocol, or in a version that is not offered. Kafka closes the connection on such."""


class Api(Struct, frozen=True):
    """*lowest*: the first version that clients are told of, where that is none of those that are taken."""

    key: int
    name: str
    requests: Requests
    lowest: int | None = None

    @property
    def told(self) -> tuple[int, int]:
        return min(self.requests) if self.lowest is None else self.lowest, max(self.requests)


class Request(Struct, frozen=True):
    """*offered* is False where the client must first be told which versions of ApiVersions there are (KIP-511)."""

    api: Api
    version: int
    correlation: int
    client: str
    fields: Fields
    offered: bool = True


def _versions(module: ModuleType, name: str, first: int, last: int) -> Requests:
    """Where aiokafka has skipped a version its fields are those of the one before."""
    found: Requests = {}
    for version in range(first, last + 1):
        known = getattr(module, f"{name}_v{version}", None)
        found[version] = found[version - 1] if known is None else known
    return found


_APIS = (
    Api(0, "Produce", _versions(produce, "ProduceRequest", 3, 7), lowest=0),  # as Kafka 4, for librdkafka (KAFKA-18659)
    Api(1, "Fetch", _versions(fetch, "FetchRequest", 4, 11)),
    Api(2, "ListOffsets", _versions(offset, "OffsetRequest", 1, 3)),
    Api(
        3,
        "Metadata",
        _versions(metadata, "MetadataRequest", 0, 5) | {version: newer.request(version) for version in range(6, 11)},
    ),
    Api(8, "OffsetCommit", _versions(commit, "OffsetCommitRequest", 2, 3)),
    Api(9, "OffsetFetch", _versions(commit, "OffsetFetchRequest", 1, 3)),
    Api(10, "FindCoordinator", _versions(coordination, "FindCoordinatorRequest", 0, 1)),
    Api(11, "JoinGroup", _versions(group, "JoinGroupRequest", 0, 5)),
    Api(12, "Heartbeat", _versions(group, "HeartbeatRequest", 0, 1)),
    Api(13, "LeaveGroup", _versions(group, "LeaveGroupRequest", 0, 1)),
    Api(14, "SyncGroup", _versions(group, "SyncGroupRequest", 0, 3)),
    Api(15, "DescribeGroups", _versions(admin, "DescribeGroupsRequest", 0, 2)),  # its version 3 answers as 2 does
    Api(16, "ListGroups", _versions(admin, "ListGroupsRequest", 0, 2)),
    Api(18, "ApiVersions", {**_versions(admin, "ApiVersionRequest", 0, 2), 3: ApiVersionsRequest}),
    Api(19, "CreateTopics", {**_versions(admin, "CreateTopicsRequest", 2, 3), 4: CreateTopicsRequest}),
    Api(20, "DeleteTopics", _versions(admin, "DeleteTopicsRequest", 1, 3)),
    Api(22, "InitProducerId", _versions(transaction, "InitProducerIdRequest", 0, 0)),
    Api(24, "AddPartitionsToTxn", _versions(transaction, "AddPartitionsToTxnRequest", 0, 0)),
    Api(25, "AddOffsetsToTxn", _versions(transaction, "AddOffsetsToTxnRequest", 0, 0)),
    Api(26, "EndTxn", _versions(transaction, "EndTxnRequest", 0, 0)),
    Api(28, "TxnOffsetCommit", _versions(transaction, "TxnOffsetCommitRequest", 0, 0)),
    Api(32, "DescribeConfigs", _versions(admin, "DescribeConfigsRequest", 1, 2)),
    Api(37, "CreatePartitions", _versions(admin, "CreatePartitionsRequest", 0, 1)),
    Api(42, "DeleteGroups", _versions(admin, "DeleteGroupsRequest", 0, 1)),
    Api(65, "DescribeTransactions", {0: DescribeTransactionsRequest}),
    Api(66, "ListTransactions", {0: ListTransactionsRequest}),
)

APIS = {api.key: api for api in _APIS}
NAMES = frozenset(api.name for api in _APIS)
API_VERSIONS = 18
NULLABLE = {
    "assignment",
    "client_software_name",
    "client_software_version",
    "config_names",
    "config_value",
    "group_instance_id",
    "messages",
    "metadata",
    "rack_id",
    "transactional_id",
}
"""Fields that a client may leave null, by Kafka's definitions; aiokafka's structs take null for all of them."""
ALL_TOPICS = ("Metadata", "OffsetFetch")
"""Where a null stands for them."""


def decode(frame: bytes) -> Request:
    """Raises `Unreadable`."""
    buffer = BytesIO(frame)
    try:
        head = named(RequestHeader_v1.SCHEMA, RequestHeader_v1.SCHEMA.decode(buffer))
        key, version = head["api_key"], head["api_version"]
        correlation, client = head["correlation_id"], head["client_id"] or ""
        api = APIS.get(key)
        if api is None:
            raise Unreadable(f"API key {key}")
        kind = api.requests.get(version)
        if kind is None:
            if key == API_VERSIONS:
                return Request(api, 0, correlation, client, {}, offered=False)
            raise Unreadable(f"{api.name} version {version}")
        if kind.FLEXIBLE_VERSION:
            TaggedFields.decode(buffer)
        fields = named(kind.SCHEMA, kind.SCHEMA.decode(buffer))
    except (ValueError, struct.error) as error:
        raise Unreadable(str(error)) from error
    if missing := set(_nulls(fields)) - NULLABLE - ({"topics"} if api.name in ALL_TOPICS else set()):
        raise Unreadable(f"{api.name} without {', '.join(sorted(missing))}")
    return Request(api, version, correlation, client, fields)


def encode(request: Request, answer: Fields) -> bytes:
    kind = request.api.requests[request.version]
    tagged = kind.FLEXIBLE_VERSION and request.api.key != API_VERSIONS  # whose header never changes: KIP-511
    head = struct.pack(">i", request.correlation) + (b"\0" if tagged else b"")
    return head + kind.RESPONSE_TYPE.SCHEMA.encode(_listed(kind.RESPONSE_TYPE.SCHEMA, answer))


def _nulls(fields: Any) -> Iterator[str]:  # noqa: ANN401 - fields, lists of them, and what is in them
    match fields:
        case dict():
            for name, value in fields.items():
                if value is None:
                    yield name
                yield from _nulls(value)
        case list():
            for each in fields:
                yield from _nulls(each)
        case _:
            pass


def per_partition(topics: list[Fields], tell: Callable[[str, Any], Fields]) -> list[Fields]:
    """The answer to what was asked per topic and partition: *tell* gets a topic's name and what was asked."""
    return [
        {"topic": topic["topic"], "partitions": [tell(topic["topic"], part) for part in topic["partitions"]]}
        for topic in topics
    ]


def named(schema: Schema, values: Any) -> Fields:  # noqa: ANN401 - as aiokafka decodes
    return {name: _named(kind, value) for name, kind, value in zip(schema.names, schema.fields, values, strict=True)}


def _named(kind: ValueT, value: Any) -> Any:  # noqa: ANN401
    match kind:
        case Schema():
            return named(kind, value)
        case Array(array_of=item) if value is not None:
            return [_named(item, each) for each in value]
        case _:
            return value


def _listed(schema: Schema, fields: Fields) -> list[Any]:
    return [
        _value(kind, fields[name]) if name in fields else empty(kind)
        for name, kind in zip(schema.names, schema.fields, strict=True)
    ]


def _value(kind: ValueT, value: Any) -> Any:  # noqa: ANN401
    match kind:
        case Schema():
            return _listed(kind, value)
        case Array(array_of=item) if value is not None:
            return [_value(item, each) for each in value]
        case _:
            return value


def empty(kind: ValueT) -> Any:  # noqa: ANN401
    """What an answer says of a field that nobody has set."""
    match kind:
        case Array():
            return []
        case String():
            return None
        case Schema():
            return _listed(kind, {})
        case _ if kind is TaggedFields:
            return {}
        case _ if kind is Bytes:
            return b""
        case _:
            return 0
