"""What was really done: every write of the API server that the demo's streams follow, and what is there now."""

from msgspec import Struct

from bridge.model.resource import object_key
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.apiserver.store import Change

STREAMS = {"pods": "pods", "events": "events", "deployments": "deployments.apps"}
"""Stream -> resource, as kubectl writes it."""


class Done(Struct, frozen=True):
    """One write. *version* is that of the deletion for a delete."""

    stream: str
    type: str
    key: str
    version: int


class Ledger:
    """Owns the list of what was done. The API server tells it of each write as it happens."""

    def __init__(self, server: ApiServer) -> None:
        self.done: list[Done] = []
        self._server = server
        self._streams = {resource: stream for stream, resource in STREAMS.items()}
        server.follow(self._told)

    def now(self) -> dict[str, str]:
        """Key -> version of every object that is there."""
        return {
            _key(resource, body["metadata"]): body["metadata"]["resourceVersion"]
            for resource in STREAMS.values()
            for body in self._server.list(resource)
        }

    def _told(self, change: Change) -> None:
        storage = change.storage
        resource = f"{storage.plural}.{storage.group}" if storage.group else storage.plural
        stream = self._streams.get(resource)
        body = change.after or change.before
        if stream is None or body is None:
            return
        kind = "DELETED" if change.after is None else "MODIFIED" if change.before is not None else "ADDED"
        self.done.append(Done(stream, kind, _key(resource, body["metadata"]), change.version))


def _key(resource: str, metadata: dict[str, str]) -> str:
    return object_key(resource, metadata.get("namespace", ""), metadata["name"])
