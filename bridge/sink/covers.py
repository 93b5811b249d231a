"""What is committed with the records: the checkpoint that covers them and the index entries that they change.

Both lie in the checkpoint topic, in the partition of the stream's name: the checkpoint under key `{stream}`, the uid of
every live object under `{stream}/{object key}`. A stream's name holds no `/`.
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


_encode = msgspec.json.Encoder().encode
_format = msgspec.json.Decoder(_Format).decode
_written = msgspec.json.Decoder(Written).decode


def target_of(topic: str, partitions: int, stream: str) -> Target:
    """Where the checkpoint and the index of *stream* lie."""
    return Target(topic, partition_of(stream.encode(), partitions))


def index_prefix(stream: str) -> bytes:
    """What stands before an object's key in the keys of the stream's index."""
    return f"{stream}/".encode()


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
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"is no checkpoint: {error}") from error
