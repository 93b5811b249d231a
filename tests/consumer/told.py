"""Records for tests of the consumer, as a bridge would write them."""

import json
from typing import Any

from bridge.consumer.records import Entry

TIME = "2026-11-23T08:30:00.123Z"


def value(kind: str, epoch: int, stream: str = "pods", **fields: Any) -> bytes:  # noqa: ANN401 - of any record
    head = {"type": kind, "cluster": "prod", "stream": stream, "epoch": epoch, "time": TIME}
    return json.dumps({**head, **fields}).encode()


def change(kind: str, epoch: int, name: str, version: int, stream: str = "pods") -> tuple[bytes, bytes]:
    """Key and value."""
    metadata = {"namespace": "a", "name": name, "uid": f"uid-{name}", "resourceVersion": str(version)}
    thing = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    return f"pods/a/{name}".encode(), value(kind, epoch, stream, resourceVersion=str(version), object=thing)


def inferred(epoch: int, name: str, stream: str = "pods") -> tuple[bytes, bytes]:
    thing = {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "a", "name": name, "uid": f"uid-{name}"}}
    return f"pods/a/{name}".encode(), value("DELETED", epoch, stream, inferred=True, object=thing)


def restarted(epoch: int, reason: str = "initial", stream: str = "pods") -> tuple[bytes, bytes]:
    fields = {"reason": reason, "message": "because", "previous": None, "partition": 0, "partitions": 1}
    return stream.encode(), value("RESTARTED", epoch, stream, **fields)


def synced(epoch: int, version: int, objects: int, stream: str = "pods") -> tuple[bytes, bytes]:
    fields = {"resourceVersion": str(version), "objects": objects, "partition": 0, "partitions": 1}
    return stream.encode(), value("SYNCED", epoch, stream, **fields)


def progress(epoch: int, version: int, stream: str = "pods") -> tuple[bytes, bytes]:
    return stream.encode(), value("PROGRESS", epoch, stream, resourceVersion=str(version), partition=0, partitions=1)


def entries(*records: tuple[bytes | None, bytes | None], begin: int = 0) -> list[Entry]:
    return [Entry(begin + number, key, value) for number, (key, value) in enumerate(records)]
