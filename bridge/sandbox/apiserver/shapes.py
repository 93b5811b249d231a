"""The failures of real servers, ready to be queued: what was read in their sources and seen in the wild."""

from typing import Any

import msgspec

from bridge.sandbox.apiserver.refusals import CONTINUE_TOO_OLD, Object, failure
from bridge.sandbox.apiserver.replies import Answer, Stream

ETCD_TOO_OLD = "The resourceVersion for the provided watch is too old."
INITIAL_END = "k8s.io/initial-events-end"
PROXY = (
    b"<html>\n<body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n"
)


def status(code: int, reason: str = "", message: str = "", **details: Any) -> Object:  # noqa: ANN401  # any JSON value
    return failure(code, reason, message, details or None).status


def event(kind: str, body: Any) -> bytes:  # noqa: ANN401
    """A line of a watch; *body* may be None, or anything else that should not be there."""
    return msgspec.json.encode({"type": kind, "object": body}) + b"\n"


def error(code: int, reason: str = "", message: str = "", **details: Any) -> bytes:  # noqa: ANN401
    """An ERROR event."""
    return event("ERROR", status(code, reason, message, **details))


def refused(code: int, reason: str = "", message: str = "", **details: Any) -> Answer:  # noqa: ANN401
    """An HTTP status with its document."""
    return Answer(
        code, msgspec.json.encode(status(code, reason, message, **details)), {"Content-Type": "application/json"}
    )


def pretty(answer: Answer) -> Answer:
    """The same over many lines, as curl gets it."""
    return Answer(answer.status, msgspec.json.format(answer.body, indent=2), answer.headers)


def bookmark(kind: str, version: str = "", annotations: dict[str, str] | None = None) -> bytes:
    """Without a version as some servers send it (antrea#8124)."""
    metadata: Object = {"resourceVersion": version} if version else {}
    if annotations:
        metadata["annotations"] = annotations
    return event("BOOKMARK", {"kind": kind, "apiVersion": "v1", "metadata": metadata})


def initial_end(kind: str, version: str, value: str = "true") -> bytes:
    """What ends the snapshot of a WatchList, or, with another value, does not."""
    return bookmark(kind, version, {INITIAL_END: value})


def expired(version: int = 5, oldest: int = 9, reason: str = "Expired") -> bytes:
    """The watch cache's way to forget; reason `Gone` up to 1.17, and still in the wild (elastic/beats#6504)."""
    return error(410, reason, f"too old resource version: {version} ({oldest})")


def page_expired(token: str = "x") -> Answer:  # noqa: S107  # a continue token
    body = status(410, "Expired", CONTINUE_TOO_OLD) | {"metadata": {"continue": token}}
    return Answer(410, msgspec.json.encode(body), {"Content-Type": "application/json"})


TOO_LARGE = refused(
    504,
    "Timeout",
    "Timeout: Too large resource version: 1200, current: 1001",
    causes=[{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
    retryAfterSeconds=1,
)
NO_LEADER = error(500, "", "etcdserver: no leader")
UNREADABLE = error(500, "StorageReadError", "data from the storage is not transformable")
BEHIND_PROXY = Answer(503, PROXY, {"Content-Type": "text/html"})
NOTHING = Stream()
"""Status 200 and closed at once: how some servers say that a position is lost (kubernetes#104171)."""
