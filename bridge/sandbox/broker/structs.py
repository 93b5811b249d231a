"""Requests and answers of Kafka's protocol that aiokafka does not have."""

from aiokafka.protocol.admin import CreateTopicsRequest_v3
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

TEXT = CompactString("utf-8")


class ApiVersionsAnswer(Response):
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(("api_key", Int16), ("min_version", Int16), ("max_version", Int16), ("tags", TaggedFields)),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class ApiVersionsRequest(RequestStruct):
    """The first to be flexible, and what librdkafka and the Java client begin with."""

    FLEXIBLE_VERSION = True
    API_KEY = 18
    API_VERSION = 3
    RESPONSE_TYPE = ApiVersionsAnswer
    SCHEMA = Schema(("client_software_name", TEXT), ("client_software_version", TEXT), ("tags", TaggedFields))


class CreateTopicsRequest(CreateTopicsRequest_v3):
    """The first in which replicas may be left to the broker (KIP-464): clients that do so ask for it."""

    API_VERSION = 4


class DescribeTransactionsAnswer(Response):
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "transaction_states",
            CompactArray(
                ("error_code", Int16),
                ("transactional_id", TEXT),
                ("transaction_state", TEXT),
                ("transaction_timeout_ms", Int32),
                ("transaction_start_time_ms", Int64),
                ("producer_id", Int64),
                ("producer_epoch", Int16),
                ("topics", CompactArray(("topic", TEXT), ("partitions", CompactArray(Int32)), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeTransactionsRequest(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 65
    API_VERSION = 0
    RESPONSE_TYPE = DescribeTransactionsAnswer
    SCHEMA = Schema(("transactional_ids", CompactArray(TEXT)), ("tags", TaggedFields))


class ListTransactionsAnswer(Response):
    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("unknown_state_filters", CompactArray(TEXT)),
        (
            "transaction_states",
            CompactArray(
                ("transactional_id", TEXT), ("producer_id", Int64), ("transaction_state", TEXT), ("tags", TaggedFields)
            ),
        ),
        ("tags", TaggedFields),
    )


class ListTransactionsRequest(RequestStruct):
    FLEXIBLE_VERSION = True
    API_KEY = 66
    API_VERSION = 0
    RESPONSE_TYPE = ListTransactionsAnswer
    SCHEMA = Schema(
        ("state_filters", CompactArray(TEXT)), ("producer_id_filters", CompactArray(Int64)), ("tags", TaggedFields)
    )
