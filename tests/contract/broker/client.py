"""A client that says exactly what it is told to, in the version it is told to, and shows every error."""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from aiokafka.protocol import admin, coordination, fetch, offset, produce, transaction
from aiokafka.protocol.api import RequestStruct, ResponseHeader_v0
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from bridge.sandbox.broker.apis import Fields, named
from bridge.sandbox.broker.codes import Code

ANSWER = 60.0
"""Seconds for one answer: a real broker on a busy machine."""
POLL = 0.05
LOADING = (14, 15, 16)
"""The coordinator is not there yet: the first question makes its topic."""
NOBODY = (-1, -1)
"""A producer that is not idempotent."""

Found = tuple[int, bytes | None, bytes | None]
"""Offset, key, value."""


class Client:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0

    async def ask(self, request: RequestStruct) -> Fields:
        await self.tell(request)
        async with asyncio.timeout(ANSWER):
            (size,) = struct.unpack(">i", await self._reader.readexactly(4))
            buffer = BytesIO(await self._reader.readexactly(size))
        head = ResponseHeader_v0.decode(buffer) if request.API_KEY == 18 else request.parse_response_header(buffer)
        assert head.get_item("correlation_id") == self._number
        kind = request.RESPONSE_TYPE
        answer = named(kind.SCHEMA, kind.SCHEMA.decode(buffer))
        assert not buffer.read(), "it is all read"
        return answer

    async def tell(self, request: RequestStruct) -> None:
        """Without waiting for an answer."""
        self._number += 1
        data = request.build_request_header(self._number, "contract").encode() + request.encode()
        self._writer.write(struct.pack(">i", len(data)) + data)
        await self._writer.drain()

    async def push(self, frame: bytes) -> None:
        """Whatever it is. Returns when there is an answer, or when there will be none."""
        self._writer.write(struct.pack(">i", len(frame)) + frame)
        self._writer.write_eof()
        with contextlib.suppress(ConnectionError):
            await self._reader.read()

    async def make(self, topic: str, partitions: int = 1, **settings: str) -> None:
        """Returns when every partition can be used."""
        config = [(name.replace("_", "."), value) for name, value in settings.items()]
        request = admin.CreateTopicsRequest_v3([(topic, partitions, 1, [], config)], 10_000, False)
        assert (await self.ask(request))["topic_errors"][0]["error_code"] == 0

        async def usable() -> bool:
            return not any([(await self.offset(topic, -1, partition=n))[0] for n in range(partitions)])

        await until(usable)

    async def produce(
        self, topic: str, data: bytes, *, partition: int = 0, name: str | None = None, acks: int = -1
    ) -> tuple[int, int]:
        """Error and offset."""
        request = produce.ProduceRequest_v7(name, acks, 10_000, [(topic, [(partition, data)])])
        told = (await self.ask(request))["topics"][0]["partitions"][0]
        return told["error_code"], told["offset"]

    async def fetch(self, topic: str, offset: int, *, wait: float = 0, **more: int) -> Fields:
        """Of one partition. *more*: partition, committed, at_least (bytes), at_most (of this partition)."""
        part = (more.get("partition", 0), -1, offset, -1, more.get("at_most", 1 << 20))
        request = fetch.FetchRequest_v11(
            -1,
            int(wait * 1000),
            more.get("at_least", 0),
            1 << 26,
            more.get("committed", 0),
            0,
            -1,
            [(topic, [part])],
            [],
            "",
        )
        answer = await self.ask(request)
        found: Fields = answer["topics"][0]["partitions"][0]
        return found

    async def read(self, topic: str, *, partition: int = 0) -> list[Found]:
        """Every record, also uncommitted ones; no control records."""
        found: list[Found] = []
        offset = 0
        while True:  # Kafka's answer ends with a segment
            told = await self.fetch(topic, offset, partition=partition, at_most=1 << 26)
            for each in batches(told["message_set"]):
                offset = each.next_offset
                found += [(r.offset, r.key, r.value) for r in each if not each.is_control_batch]
            if offset >= told["highwater_offset"]:
                return found

    async def offset(
        self, topic: str, timestamp: int, *, partition: int = 0, committed: int = 0
    ) -> tuple[int, int, int]:
        """Error, timestamp, offset."""
        request = offset.OffsetRequest_v3(-1, committed, [(topic, [(partition, timestamp)])])
        told = (await self.ask(request))["topics"][0]["partitions"][0]
        return told["error_code"], told["timestamp"], told["offset"]

    async def coordinator(self, key: str, kind: int) -> Fields:
        while True:
            found = await self.ask(coordination.FindCoordinatorRequest_v1(key, kind))
            if found["error_code"] not in LOADING:
                return found
            await asyncio.sleep(POLL)

    async def try_begin(self, name: str | None, lasts: float = 60) -> tuple[int, int, int]:
        """Error, producer id and epoch."""
        if name:
            await self.coordinator(name, 1)
        while True:
            told = await self.ask(transaction.InitProducerIdRequest_v0(name, int(lasts * 1000)))
            if told["error_code"] not in LOADING:
                return told["error_code"], told["producer_id"], told["producer_epoch"]
            await asyncio.sleep(POLL)

    async def begin(self, name: str | None, lasts: float = 60) -> tuple[int, int]:
        """Producer id and epoch."""
        while True:
            code, producer_id, epoch = await self.try_begin(name, lasts)
            if code != Code.CONCURRENT_TRANSACTIONS:
                assert code == 0
                return producer_id, epoch
            await asyncio.sleep(POLL)

    async def add(self, name: str, who: tuple[int, int], topic: str, *partitions: int) -> list[int]:
        """The errors. Waits for the end of the transaction before, which comes after its answer."""
        wanted = list(partitions or (0,))
        while True:
            request = transaction.AddPartitionsToTxnRequest_v0(name, *who, [(topic, wanted)])
            told = (await self.ask(request))["errors"][0]["partition_errors"]
            codes: dict[int, int] = {each["partition"]: each["error_code"] for each in told}
            if Code.CONCURRENT_TRANSACTIONS not in codes.values():
                return [codes[number] for number in wanted]
            await asyncio.sleep(POLL)

    async def end(self, name: str, who: tuple[int, int], *, commit: bool) -> int:
        while True:
            code: int = (await self.ask(transaction.EndTxnRequest_v0(name, *who, commit)))["error_code"]
            if code != Code.CONCURRENT_TRANSACTIONS:
                return code
            await asyncio.sleep(POLL)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(ANSWER):
        while True:
            if await holds():
                return
            await asyncio.sleep(POLL)


@asynccontextmanager
async def connected(bootstrap: str) -> AsyncIterator[Client]:
    host, port = bootstrap.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Client(reader, writer)
    finally:
        writer.transport.abort()
        await asyncio.sleep(0)  # the transport tells the stream in the next turn


def batch(
    *values: bytes | None,
    keys: Sequence[bytes | None] = (),
    who: tuple[int, int] = NOBODY,
    sequence: int = -1,
    transactional: bool = False,
    time_ms: int | None = None,
) -> bytes:
    """Of records one millisecond apart, from *time_ms* or now: old ones are deleted, and begin new segments."""
    first = int(time.time() * 1000) if time_ms is None else time_ms
    builder = DefaultRecordBatchBuilder(2, 0, int(transactional), *who, sequence, 1 << 26)
    for number, value in enumerate(values):
        builder.append(number, first + number, keys[number] if keys else None, value, [])
    return bytes(builder.build())


def batches(data: bytes) -> list[Any]:
    found = []
    memory = MemoryRecords(data)
    while memory.has_next():
        each = memory.next_batch()
        assert isinstance(each, DefaultRecordBatch)
        assert each.validate_crc()
        found.append(each)
    return found


def values(data: bytes) -> list[bytes | None]:
    """Of all records, control records left out."""
    return [record.value for each in batches(data) if not each.is_control_batch for record in each]
