"""Every request in every version: it can be read, and refused in the shape in which it asked."""

import random
import struct
from collections.abc import Iterator

import pytest
from aiokafka.protocol.api import RequestStruct
from aiokafka.protocol.types import Array, Bytes, String, ValueT

from bridge.sandbox.broker.apis import APIS, Fields, Request, decode, empty, encode
from bridge.sandbox.broker.refusals import refusal
from bridge.sandbox.broker.server import Broker, Options
from tests.contract.broker.client import batch, connected


def every() -> Iterator[tuple[str, int, type[RequestStruct]]]:
    for api in APIS.values():
        for version, kind in api.requests.items():
            yield api.name, version, kind


@pytest.mark.parametrize(("name", "version", "kind"), list(every()))
def test_every_version_can_be_read_and_refused(name: str, version: int, kind: type[RequestStruct]) -> None:
    """Also of a request that asks for nothing: of what clients send least is known."""
    asked = [_least(field) for field in kind.SCHEMA.fields]
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


async def test_no_request_is_too_odd(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a client sends is answered or ends its connection. An exception would be a fault of ours."""
    chance = random.Random(1)
    odd = []
    for _, version, kind in every():
        head = struct.pack(">hhih", kind.API_KEY, version, 5, -1) + (b"\0" if kind.FLEXIBLE_VERSION else b"")
        odd.append(head + kind.SCHEMA.encode([_least(field) for field in kind.SCHEMA.fields]))
        odd.append(head + kind.SCHEMA.encode([_null(field) for field in kind.SCHEMA.fields]))
        odd += [
            head + bytes(chance.choice(b"\0\0\0\1\xff" + chance.randbytes(2)) for _ in range(60)) for _ in range(20)
        ]

    async with Broker(options=Options(auto_create=True)) as broker:
        broker.create("t")
        for frame in odd:
            async with connected(broker.bootstrap) as client:
                await client.push(frame)
        async with connected(broker.bootstrap) as client:
            assert await client.produce("t", batch(b"x")) == (0, 0)

    assert [record.getMessage() for record in caplog.records] == []


def _least(field: ValueT) -> object:
    return "" if isinstance(field, String) else empty(field)


def _noise(chance: random.Random) -> bytes:
    """Mostly small numbers and lengths that might be right."""
    return bytes(chance.choice((0, 0, 0, 1, 255, chance.randrange(256))) for _ in range(60))


def _null(field: ValueT) -> object:
    return None if isinstance(field, Array | String) or field is Bytes else empty(field)
