"""What clients send that is no request, or none that is offered: a connection ends, and the broker lives on."""

import asyncio
import struct
from collections.abc import Iterator

import pytest
from aiokafka.protocol.api import RequestStruct

from bridge.sandbox.broker.apis import APIS, Fields, Request, decode, empty, encode
from bridge.sandbox.broker.refusals import refusal
from bridge.sandbox.broker.server import Broker
from bridge.sandbox.broker.structs import ApiVersionsRequest
from tests.contract.broker.client import connected

FUTURE = 9


async def said(bootstrap: str, data: bytes) -> bytes:
    """Everything that comes back until the connection ends; nothing if it stays open without a word."""
    host, port = bootstrap.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        async with asyncio.timeout(5):
            return await reader.read()
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        struct.pack(">i", -1),
        struct.pack(">i", 0),
        struct.pack(">i", 3) + b"abc",
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhihi", 14, 3, 1, 1, -1, 2**31 - 1),
        struct.pack(">ihhih", 10, 18, 3, 1, 7),
    ],
)
async def test_what_is_no_request_ends_its_connection_alone(data: bytes) -> None:
    """Browsers, TLS clients, newer protocols: what a port meets."""
    async with Broker() as broker, connected(broker.bootstrap) as client:
        answer = await said(broker.bootstrap, data)
        versions = await client.ask(ApiVersionsRequest("test", "1", {}))

    assert answer == b""
    assert versions["error_code"] == 0


async def test_who_asks_in_a_future_version_is_told_what_there_is() -> None:
    """So librdkafka and the Java client begin: with the newest they know (KIP-511)."""
    async with Broker() as broker, connected(broker.bootstrap) as client:
        host, port = broker.bootstrap.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(struct.pack(">ihhih", 10, 18, FUTURE, 7, -1))
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        data = await reader.readexactly(size)
        writer.transport.abort()
        known = await client.ask(ApiVersionsRequest("test", "1", {}))

    correlation, code, count = struct.unpack_from(">ihi", data)
    entries = list(struct.iter_unpack(">hhh", data[10:]))
    assert (correlation, code, count) == (7, 35, len(entries))
    told = [(each["api_key"], each["min_version"], each["max_version"]) for each in known["api_versions"]]
    assert (entries, known["error_code"]) == (told, 0)
    assert (18, 0, 3) in told


def every() -> Iterator[tuple[str, int, type[RequestStruct]]]:
    for api in APIS.values():
        for version, kind in api.requests.items():
            yield api.name, version, kind


@pytest.mark.parametrize(("name", "version", "kind"), list(every()))
def test_every_version_can_be_read_and_refused(name: str, version: int, kind: type[RequestStruct]) -> None:
    """Also of a request that asks for nothing: of what clients send least is known."""
    asked = [empty(field) for field in kind.SCHEMA.fields]
    head = struct.pack(">hhih", kind.API_KEY, version, 5, -1) + (b"\0" if kind.FLEXIBLE_VERSION else b"")

    request = decode(head + kind.SCHEMA.encode(asked))
    data = encode(request, refusal(request, 42))

    assert (request.api.name, request.version, request.correlation) == (name, version, 5)
    assert data.startswith(struct.pack(">i", 5))


@pytest.mark.parametrize(
    ("key", "version", "fields", "expected"),
    [
        (
            0,
            7,
            {"topics": [{"topic": "t", "partitions": [{"partition": 3, "messages": b""}]}]},
            [{"topic": "t", "partitions": [{"partition": 3, "error_code": 9, "offset": -1}]}],
        ),
        (
            24,
            0,
            {"topics": [{"topic": "t", "partitions": [3, 4]}]},
            [
                {
                    "topic": "t",
                    "partition_errors": [{"partition": 3, "error_code": 9}, {"partition": 4, "error_code": 9}],
                }
            ],
        ),
        (
            1,
            11,
            {"topics": [{"topic": "t", "partitions": [{"partition": 3}]}], "forgotten_topics_data": []},
            [{"topics": "t", "partitions": [{"partition": 3, "error_code": 9, "message_set": b""}]}],
        ),
        (20, 3, {"topics": ["a", "b"]}, [{"topic": "a", "error_code": 9}, {"topic": "b", "error_code": 9}]),
    ],
)
def test_a_refusal_has_the_shape_of_what_was_asked(
    key: int, version: int, fields: Fields, expected: list[Fields]
) -> None:
    """A client looks its partitions up in it."""
    told = refusal(Request(APIS[key], version, 1, "", fields), 9)

    (found,) = [value for value in told.values() if isinstance(value, list)]
    assert _restricted(found, expected) == expected


def _restricted(found: object, expected: object) -> object:
    """*found* without the fields that are not in *expected*."""
    match found, expected:
        case list(), list():
            return [_restricted(one, other) for one, other in zip(found, expected, strict=True)]
        case dict(), dict():
            return {key: _restricted(found[key], expected[key]) for key in expected}
        case _:
            return found
