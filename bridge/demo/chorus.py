"""A marker stands in every partition: people are told of it once, and when it is true of all that they have seen."""

from bridge.consumer.records import Keyed, Marked, Restarted


class Chorus:
    """Owns which partitions have said what."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, str, int, str], set[int]] = {}

    def is_due(self, keyed: Keyed, partition: int) -> bool:
        """A beginning is told with its first partition, all else with its last."""
        record = keyed.record
        assert isinstance(record, Marked), "a marker"
        version = "" if isinstance(record, Restarted) else record.resource_version
        heard = self._heard.setdefault((type(record).__name__, record.stream, record.epoch, version), set())
        heard.add(partition)
        return len(heard) == (1 if isinstance(record, Restarted) else record.partitions)
