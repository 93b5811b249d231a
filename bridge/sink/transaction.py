"""The requests of a transaction as bytes, as Kafka's protocol guide has them.

aiokafka has them too, and its general way of writing and reading structures costs more than everything else in a small
transaction (docs/decisions/0016): here each is one pass. Connections, logins and correlation stay aiokafka's.
Each in the versions that Kafka 2.1 to 4 have in common; none has flexible fields.
"""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import ClassVar, TypeVar

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Schema
from msgspec import Struct

from bridge.sink.route import Target
from bridge.sink.seal import Identity

PRODUCE, ADD_PARTITIONS, END = 0, 24, 26

_count = struct.Struct(">i")
_partition = struct.Struct(">ii")
_refused = struct.Struct(">ih")
_written = struct.Struct(">ihqqq")
_who = struct.Struct(">qh")


class Answered(Struct, frozen=True):
    """What a broker says of a partition. *error* is Kafka's code, *offset* that of the first record, -1: not known."""

    error: int
    offset: int = -1


Answers = dict[Target, Answered]


def added(name: str, identity: Identity, targets: Sequence[Target]) -> "AddPartitions":
    """*targets* take part in the transaction under way of *name*, or begin one."""
    body = [_text(name), _who.pack(identity.producer_id, identity.epoch)]
    _grouped(body, dict.fromkeys(targets, b""))
    return AddPartitions(b"".join(body))


def ended(name: str, identity: Identity, *, committed: bool) -> "End":
    return End(b"%b%b%c" % (_text(name), _who.pack(identity.producer_id, identity.epoch), committed))


def produced(name: str | None, batches: Mapping[Target, bytes | bytearray], milliseconds: int) -> "Produce":
    """One batch for each partition, which Kafka has always asked for. Answered when all replicas in sync have them."""
    head = _text(name) if name is not None else b"\xff\xff"
    body = [head, struct.pack(">hi", -1, milliseconds)]
    _grouped(body, {target: _count.pack(len(batch)) + batch for target, batch in batches.items()})
    return Produce(b"".join(body))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _grouped(body: list[bytes], of: Mapping[Target, bytes]) -> None:
    """Topics, and in each its partitions with what belongs to them."""
    topics: dict[str, list[bytes]] = {}
    for (topic, partition), what in of.items():
        topics.setdefault(topic, []).append(_count.pack(partition) + what)
    body.append(_count.pack(len(topics)))
    for topic, partitions in topics.items():
        body += [_text(topic), _count.pack(len(partitions)), *partitions]


def _partitions(data: bytes, at: int, entry: struct.Struct) -> Answers:
    """What *entry* says of each partition of each topic: partition, error and, if it goes on so, the offset."""
    found: Answers = {}
    (topics,) = _count.unpack_from(data, at)
    at += 4
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", data, at)
        topic = data[at + 2 : at + 2 + length].decode()
        (count,) = _count.unpack_from(data, at + 2 + length)
        at += 6 + length
        for _ in range(count):
            partition, *said = entry.unpack_from(data, at)
            found[Target(topic, partition)] = Answered(*said[:2])
            at += entry.size
    return found


class Refusals(Response):
    """Of partitions that were to be added. *partitions* has all of them, also those that were taken."""

    API_KEY = ADD_PARTITIONS
    API_VERSION = 0
    partitions: Answers

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "Refusals":
        answer = cls()
        answer.partitions = _partitions(_rest(data), 4, _refused)
        return answer


class Ended(Response):
    API_KEY = END
    API_VERSION = 0
    error: int

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "Ended":
        answer = cls()
        (answer.error,) = struct.unpack_from(">h", _rest(data), 4)
        return answer


class Written(Response):
    API_KEY = PRODUCE
    API_VERSION = 7
    partitions: Answers

    @classmethod
    def decode(cls, data: BytesIO | bytes) -> "Written":
        answer = cls()
        answer.partitions = _partitions(_rest(data), 0, _written)
        return answer


def _rest(data: BytesIO | bytes) -> bytes:
    return data if isinstance(data, bytes) else data.read()


class _Bytes(RequestStruct):
    """A request that is written already."""

    API_KEY = -1
    API_VERSION = 0
    RESPONSE_TYPE: ClassVar[type[Response]] = Ended
    SCHEMA = Schema()

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body

    def encode(self) -> bytes:
        return self.body

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.body)} bytes)"


class _AddPartitions(_Bytes):
    API_KEY = ADD_PARTITIONS
    RESPONSE_TYPE = Refusals


class _End(_Bytes):
    API_KEY = END
    RESPONSE_TYPE = Ended


class _Produce(_Bytes):
    """Version 7: the first that may hold zstd."""

    API_KEY = PRODUCE
    API_VERSION = 7
    RESPONSE_TYPE = Written


_Kind = TypeVar("_Kind", bound=_Bytes)


class _Ready(Request[_Kind]):
    """What the client takes: it would choose among versions, and there is one of each."""

    API_KEY = -1

    def __init__(self, body: bytes) -> None:
        self.body = body

    def build(self, request_struct_class: type[_Kind]) -> _Kind:
        return request_struct_class(self.body)


class AddPartitions(_Ready[_AddPartitions]):
    API_KEY = ADD_PARTITIONS


class End(_Ready[_End]):
    API_KEY = END


class Produce(_Ready[_Produce]):
    API_KEY = PRODUCE
