"""The offsets that groups have committed, and those that wait for the end of a transaction."""

from msgspec import Struct

from bridge.sandbox.broker.topics import Place


class Committed(Struct, frozen=True):
    offset: int
    metadata: str


Commits = dict[Place, Committed]


class Offsets:
    """Owns what one group has committed."""

    def __init__(self) -> None:
        self.committed: Commits = {}
        self._pending: dict[int, Commits] = {}

    def commit(self, commits: Commits) -> None:
        self.committed.update(commits)

    def propose(self, producer_id: int, commits: Commits) -> None:
        """To be committed with the producer's transaction."""
        self._pending.setdefault(producer_id, {}).update(commits)

    def decide(self, producer_id: int, *, committed: bool) -> None:
        proposed = self._pending.pop(producer_id, {})
        if committed:
            self.committed.update(proposed)
