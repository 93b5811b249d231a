"""What is told to operators of the group, as `bridge.telemetry` has it of all else: one type each."""

from msgspec import Struct
from msgspec.structs import asdict

from bridge import metrics
from bridge.telemetry import log


class ShareChanged(Struct, frozen=True):
    """Which partitions of the checkpoint topic are ours has changed: their streams start, or end here."""

    partitions: int
    gained: list[int]
    lost: list[int]

    def emit(self) -> None:
        metrics.PARTITIONS.set(self.partitions)
        log.info("share changed", **asdict(self))


class GroupLost(Struct, frozen=True):
    """The broker has thrown us out of the group, as when we were frozen or cut off: others may run our streams."""

    partitions: list[int]

    def emit(self) -> None:
        metrics.PARTITIONS.set(0)
        log.warning("group lost", **asdict(self))


class GroupDelayed(Struct, frozen=True):
    """The group cannot be reached, or not be joined. Said when it begins, then once a minute."""

    what: str
    seconds: float
    """Since when."""

    def emit(self) -> None:
        log.warning("group delayed", **asdict(self))


class GroupWaiting(Struct, frozen=True):
    """Replicas with another configuration run: we wait until the last of them is gone. Once a minute."""

    what: str
    """What is other there."""
    seconds: float

    def emit(self) -> None:
        log.warning("group runs another configuration", **asdict(self))


class NameTaken(Struct, frozen=True):
    """We are standalone, and replicas of our name run: we wait until the last of them is gone. Once a minute."""

    what: str
    """Where they run, and the mend."""

    def emit(self) -> None:
        log.warning("name taken", **asdict(self))


class ConfigWaiting(Struct, frozen=True):
    """Our file has changed, and that of other replicas has not yet: all go on by the one before. Once a minute."""

    what: str
    """For whom it waits."""
    seconds: float

    def emit(self) -> None:
        log.warning("config waits for other replicas", **asdict(self))


class ConfigPending(Struct, frozen=True):
    """Whether a changed file waits for the other replicas. Counted, not logged."""

    pending: bool

    def emit(self) -> None:
        metrics.CONFIG_PENDING.set(int(self.pending))
