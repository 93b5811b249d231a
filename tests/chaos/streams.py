"""What follows a cluster while all goes wrong: six streams, of all kinds, and what they may say of it."""

from typing import Any

from tests.load import EVENTS, Writer

EXPECTED_REASONS = {"initial", "expired", "interrupted"}
"""What the faults may cost. Any other reason would be a false alarm."""

PARTITIONS = {"k8s.things": 6, "k8s.pods": 12, "k8s.web": 3, "k8s.events": 4}
WATCHES: list[dict[str, Any]] = [
    {"resource": "configmaps", "topic": "k8s.things"},
    {"resource": "widgets.example.com", "name": "widgets", "topic": "k8s.things"},
    {"resource": "pods", "topic": "k8s.pods"},
    {"resource": "pods", "name": "web", "labelSelector": "app=web", "topic": "k8s.web"},
    {"resource": "events", "topic": "k8s.events"},
    {"resource": "events", "name": "idle", "namespaces": ["quiet"], "topic": "k8s.idle"},
]


async def quiet_namespace(writer: Writer) -> None:
    """One event before, and nothing until the end: its stream's position grows old."""
    await writer.prepare_namespace("quiet")
    await writer.create(EVENTS, "quiet", "long-ago")
