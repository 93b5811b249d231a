"""Metadata in the versions that aiokafka does not have: leader epochs, flexible fields, topic ids (KIP-516)."""

from io import BytesIO
from typing import Any

from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)

KEY = 3
EPOCHS, OPERATIONS, FLEXIBLE, IDS = 7, 8, 9, 10
"""The versions that began with them."""
NEWEST = IDS
NO_ID = bytes(16)
NOT_ASKED = -(2**31)
"""For the operations that a client is allowed: nobody is asked here who he is."""


class Uuid(AbstractType[bytes]):
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


def request(version: int) -> type[RequestStruct]:
    """From version 6 on."""
    answer = {"API_KEY": KEY, "API_VERSION": version, "SCHEMA": _answer(version)}
    question = {
        "API_KEY": KEY,
        "API_VERSION": version,
        "FLEXIBLE_VERSION": version >= FLEXIBLE,
        "SCHEMA": _question(version),
        "RESPONSE_TYPE": type(f"MetadataAnswer_v{version}", (Response,), answer),
    }
    made: type[RequestStruct] = type(f"MetadataRequest_v{version}", (RequestStruct,), question)
    return made


def _question(version: int) -> Schema:
    array, text, tags = _kinds(version)
    wanted = [("topic_id", Uuid)] if version >= IDS else []
    topics = array(*wanted, ("topic", text), *tags) if version >= FLEXIBLE else array(text)
    operations = ("include_cluster_authorized_operations", "include_topic_authorized_operations")
    more = [(name, Boolean) for name in operations] if version >= OPERATIONS else []
    return Schema(("topics", topics), ("allow_auto_topic_creation", Boolean), *more, *tags)


def _answer(version: int) -> Schema:
    array, text, tags = _kinds(version)
    epoch = [("leader_epoch", Int32)] if version >= EPOCHS else []
    known = [("topic_id", Uuid)] if version >= IDS else []
    operations = [("authorized_operations", Int32)] if version >= OPERATIONS else []
    partition = [
        ("error_code", Int16),
        ("partition", Int32),
        ("leader", Int32),
        *epoch,
        ("replicas", array(Int32)),
        ("isr", array(Int32)),
        ("offline_replicas", array(Int32)),
        *tags,
    ]
    topic = [
        ("error_code", Int16),
        ("topic", text),
        *known,
        ("is_internal", Boolean),
        ("partitions", array(*partition)),
        *operations,
        *tags,
    ]
    broker = [("node_id", Int32), ("host", text), ("port", Int32), ("rack", text), *tags]
    return Schema(
        ("throttle_time_ms", Int32),
        ("brokers", array(*broker)),
        ("cluster_id", text),
        ("controller_id", Int32),
        ("topics", array(*topic)),
        *operations,
        *tags,
    )


def _kinds(version: int) -> tuple[type[Array], String, list[tuple[str, Any]]]:
    """How arrays and texts are written, and what ends a structure."""
    if version >= FLEXIBLE:
        return CompactArray, CompactString("utf-8"), [("tags", TaggedFields)]
    return Array, String("utf-8"), []
