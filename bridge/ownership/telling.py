"""What is told to operators of the group, as `bridge.telemetry` has it of all else: one type each."""

from typing import ClassVar

from bridge.telemetry import Level, Told


class MembershipChanged(Told, frozen=True):
    """Whether the group's broker takes us for a member, as far as we know. Said only when it changes."""

    member: bool


class ShareChanged(Told, frozen=True):
    """Which partitions of the checkpoint topic are ours has changed: their streams start, or end here."""

    line: ClassVar[str] = "share changed"
    levels: ClassVar[tuple[Level, ...]] = ("info",)

    partitions: int
    gained: list[int]
    lost: list[int]


class GroupLost(Told, frozen=True):
    """The broker has thrown us out of the group, as when we were frozen or cut off: others may run our streams."""

    line: ClassVar[str] = "group lost"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    partitions: list[int]


class GroupDelayed(Told, frozen=True):
    """The group cannot be reached, or not be joined. Said when it begins, then once a minute."""

    line: ClassVar[str] = "group delayed"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    what: str
    seconds: float
    """Since when."""


class GroupWaiting(Told, frozen=True):
    """Replicas with another configuration run: we wait until the last of them is gone. Once a minute."""

    line: ClassVar[str] = "group runs another configuration"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    what: str
    """What is other there."""
    seconds: float


class NameTaken(Told, frozen=True):
    """We are standalone, and replicas of our name run: we wait until the last of them is gone. Once a minute."""

    line: ClassVar[str] = "name taken"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    what: str
    """Where they run, and the mend."""


class ConfigWaiting(Told, frozen=True):
    """Our file has changed, and that of other replicas has not yet: all go on by the one before. Once a minute."""

    line: ClassVar[str] = "config waits for other replicas"
    levels: ClassVar[tuple[Level, ...]] = ("warning",)

    what: str
    """For whom it waits."""
    seconds: float


class ConfigPending(Told, frozen=True):
    """Whether a changed file waits for the other replicas."""

    pending: bool
