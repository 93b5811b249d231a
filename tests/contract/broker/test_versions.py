"""Where every client begins: which requests are offered, in which versions, and what is none."""

import asyncio
import struct
from typing import Any

import pytest
from aiokafka.protocol import admin, fetch, metadata, offset, produce
from aiokafka.protocol.api import RequestStruct

from bridge.sandbox.broker.apis import APIS, Fields
from bridge.sandbox.broker.metadata import FLEXIBLE, IDS, NO_ID, OPERATIONS
from bridge.sandbox.broker.structs import ApiVersionsRequest
from tests.contract.broker.brokers import Kafka
from tests.contract.broker.client import batch, batches, connected
from tests.sink.stage import fresh

FUTURE = 9
LIBRARYS = 5
"""The newest Metadata that aiokafka has."""


async def offered(bootstrap: str) -> dict[int, Fields]:
    async with connected(bootstrap) as client:
        told = await client.ask(ApiVersionsRequest("contract", "1", {}))
    assert told["error_code"] == 0
    return {each["api_key"]: each for each in told["api_versions"]}


async def said(bootstrap: str, data: bytes, size: int = -1) -> bytes:
    """What comes back: so many bytes, or all until the connection ends."""
    host, port = bootstrap.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(data)
        async with asyncio.timeout(20):
            return await (reader.read() if size < 0 else reader.readexactly(size))
    except ConnectionResetError:
        return b""
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)


async def test_what_the_sandbox_offers_kafka_offers(kafka: Kafka) -> None:
    """A client that works with the one must find what it used in the other."""
    async with kafka() as broker:
        found = await offered(broker.bootstrap)

    for api in APIS.values():
        first, last = api.told
        assert found[api.key]["min_version"] <= first, api.name
        assert found[api.key]["max_version"] >= last, api.name


async def test_who_asks_in_a_future_version_is_told_what_there_is(kafka: Kafka) -> None:
    """So librdkafka and the Java client begin: with the newest that they know (KIP-511)."""
    question = struct.pack(">ihhihb", 11, 18, FUTURE, 7, -1, 0)
    async with kafka() as broker:
        (size,) = struct.unpack(">i", await said(broker.bootstrap, question, 4))
        data = (await said(broker.bootstrap, question, 4 + size))[4:]
        known = await offered(broker.bootstrap)

    correlation, code, count = struct.unpack_from(">ihi", data)
    entries = {key: (first, last) for key, first, last in struct.iter_unpack(">hhh", data[10:])}
    assert (correlation, code, count) == (7, 35, len(entries))
    assert entries[18] == (known[18]["min_version"], known[18]["max_version"])


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        struct.pack(">i", -1),
        struct.pack(">i", 3) + b"abc",
        struct.pack(">ihhih", 10, 999, 0, 1, -1),
        struct.pack(">ihhih", 10, 3, 99, 1, -1),
        struct.pack(">ihhihi", 14, 3, 1, 1, -1, 2**31 - 1),
        struct.pack(">ihhih", 10, 19, 3, 1, 7),
    ],
    ids=["http", "tls", "negative", "short", "unknown", "future", "array", "text"],
)
async def test_what_is_no_request_ends_its_connection_alone(kafka: Kafka, data: bytes) -> None:
    """Browsers, TLS clients, newer protocols: what a port meets."""
    async with kafka() as broker:
        answer = await said(broker.bootstrap, data)
        found = await offered(broker.bootstrap)

    assert answer == b""
    assert 18 in found


async def test_records_are_the_same_in_every_version(kafka: Kafka) -> None:
    """Clients of all ages choose the newest that they know."""
    topic = fresh("versions")
    data = batch(b"x", b"y")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic)
        written = []
        for version in APIS[0].requests.values():
            question = produce.ProduceRequest(None, -1, 10_000, [(topic, [(0, data)])])
            told = (await client.ask(question.build(version)))["topics"][0]["partitions"][0]  # type: ignore[arg-type]
            written.append((told["error_code"], told["offset"]))
        found = []
        for version in APIS[1].requests.values():
            asked = fetch.FetchRequest(0, 1, 1 << 20, 0, [(topic, [(0, 4, 1 << 20)])])
            told = (await client.ask(asked.build(version)))["topics"][0]["partitions"][0]  # type: ignore[arg-type]
            found.append((told["highwater_offset"], [each.base_offset for each in batches(told["message_set"])]))
        ends = []
        for version in APIS[2].requests.values():
            last = offset.OffsetRequest(-1, 0, [(topic, [(0, -1)])])
            ends.append((await client.ask(last.build(version)))["topics"][0]["partitions"][0]["offset"])  # type: ignore[arg-type]

    assert written == [(0, 2 * number) for number in range(5)]
    assert found == [(10, [4, 6, 8])] * 8
    assert ends == [10] * 3


async def test_topics_are_the_same_in_every_version(kafka: Kafka) -> None:
    """All of them: the oldest asks so with an empty list, the others with none."""
    topic = fresh("versions")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(topic, 2)
        told = [
            (await client.ask(_metadata(version, names)))["topics"]
            for names in (None, [topic])
            for version in APIS[3].requests
        ]

    found = [[len(each["partitions"]) for each in topics if each["topic"] == topic] for topics in told]
    assert found == [[2]] * 22


async def test_a_topic_that_is_made_anew_has_another_id(kafka: Kafka) -> None:
    """By it alone a client sees that what it wrote is gone."""
    topic = fresh("anew")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        ids = []
        for _ in range(2):
            await client.make(topic, 1)
            told = [(await client.ask(_metadata(IDS, [topic])))["topics"][0]["topic_id"] for _ in range(2)]
            ids.append(told)
            await client.ask(admin.DeleteTopicsRequest_v1([topic], 10_000))
            await asyncio.sleep(0.5)  # a broker may know of it for a moment longer

    assert [len(set(told)) for told in ids] == [1, 1]
    assert ids[0] != ids[1]
    assert NO_ID not in (*ids[0], *ids[1])


def _metadata(version: int, names: list[str] | None) -> RequestStruct:
    kind = APIS[3].requests[version]
    if version <= LIBRARYS:
        return metadata.MetadataRequest(names, False).build(kind)  # type: ignore[arg-type]
    topics: list[Any] | None = names
    if names is not None and version >= FLEXIBLE:
        topics = [(NO_ID, name, {}) if version >= IDS else (name, {}) for name in names]
    operations = (False, False) if version >= OPERATIONS else ()
    return kind(topics, False, *operations, *(({},) if version >= FLEXIBLE else ()))
