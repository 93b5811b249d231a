"""What is committed with the records: the checkpoint that covers them and the index entries that they change.

Both lie in the checkpoint topic, in the partition of the stream's name: the checkpoint under key `{stream}`, the uid of
every live object under `{stream}/{object key}`; and beside them, written by an operator's command, the last request for
a new epoch, under `/resync/{stream}`. A stream's name holds no `/`.
"""

import msgspec
from msgspec import Struct

from bridge.model.checkpoint import Checkpoint
from bridge.sink.route import Target, partition_of

FORMAT = 1
"""Of the record below. A reader refuses what is newer: to misread a checkpoint would lose records in silence."""


class Written(Struct, frozen=True):
    """A checkpoint as it lies in Kafka. *written* is ms since 1970."""

    format: int
    written: int
    checkpoint: Checkpoint


class _Format(Struct, frozen=True):
    format: int


class Unreadable(Exception):  # noqa: N818 - says what it is
    """A record of the checkpoint topic that this version cannot use."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError)
"""How JSON of ours fails to be read; the second is what msgspec raises for text that is not UTF-8."""

_encode = msgspec.json.Encoder().encode
_format = msgspec.json.Decoder(_Format).decode
_written = msgspec.json.Decoder(Written).decode


def target_of(topic: str, partitions: int, stream: str) -> Target:
    """Where the checkpoint and the index of *stream* lie."""
    return Target(topic, partition_of(stream.encode(), partitions))


def index_prefix(stream: str) -> bytes:
    """What stands before an object's key in the keys of the stream's index."""
    return f"{stream}/".encode()


class Request(Struct, frozen=True):
    """A new epoch is asked for. *id* is nobody else's, *time* ms since 1970, *by* for people."""

    format: int
    id: str
    time: int
    by: str


_request = msgspec.json.Decoder(Request).decode
_ASKS = b"/resync/"


def request_key(stream: str) -> bytes:
    return _ASKS + stream.encode()


def stream_of_request(key: bytes) -> str | None:
    """None: it is the key of something else."""
    return key.removeprefix(_ASKS).decode(errors="replace") if key.startswith(_ASKS) else None


def encode_request(request: Request) -> bytes:
    return _encode(request)


def decode_request(value: bytes) -> Request | None:
    """None: it cannot be read, so it asks for nothing that this version knows."""
    try:
        request = _request(value)
    except UNREADABLE:
        return None
    return request if request.format <= FORMAT else None


def stream_of(key: bytes) -> tuple[str, bool]:
    """Whose record of the topic it is, and whether it is the checkpoint; False: an entry of the index."""
    name, slash, _ = key.partition(b"/")
    return name.decode(errors="replace"), not slash


def encode(checkpoint: Checkpoint, now: int) -> bytes:
    return _encode(Written(FORMAT, now, checkpoint))


def decode(value: bytes) -> Written:
    try:
        form = _format(value).format
        if form > FORMAT:
            raise Unreadable(
                f"has format {form}, this event-bridge reads up to {FORMAT}: a newer one wrote it. Run that one"
            )
        return _written(value)
    except UNREADABLE as error:
        raise Unreadable(f"is no checkpoint: {error}") from error
