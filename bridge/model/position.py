"""Where a stream stands: resource versions, epochs, positions."""

from typing import NewType

from msgspec import Struct
from msgspec.structs import replace

ResourceVersion = NewType("ResourceVersion", str)
"""A decimal integer of any length without leading zeros (KEP-5504): compared with `is_newer` and nowhere else."""

Epoch = NewType("Epoch", int)
"""One incarnation of a stream. Greater is later; near to the wall clock in milliseconds."""

NO_VERSION = ResourceVersion("")

NO_EPOCH = Epoch(0)
"""Before the first one."""


def is_newer(a: str, b: str) -> bool:
    """Whether version *a* is later than *b*. Without leading zeros the longer integer is the greater."""
    return len(a) > len(b) or (len(a) == len(b) and a > b)


def is_resumable(version: str) -> bool:
    """Whether a watch may start at *version*: aggregated API servers may send none or `0`, which mean "any"."""
    return version not in ("", "0")


def last_deleted(version: ResourceVersion, deleted: ResourceVersion, said: ResourceVersion) -> ResourceVersion:
    """The newest version of a delete behind *version*, of *deleted* (empty: none yet) and of one that is *said*."""
    return said if is_newer(said, deleted or version) else deleted


def next_epoch(previous: Epoch, now: int) -> Epoch:
    """The name of a new epoch. Monotonic even if the wall clock (*now*, ms) goes back or the checkpoint is lost."""
    return Epoch(max(previous + 1, now))


class Position(Struct, frozen=True, omit_defaults=True):
    """Everything up to *version* has been seen in this *epoch*.

    *time* (ms since 1970) is when that was learnt. Invariant: within one epoch a position never moves backwards.
    Deletes do not move it: *deleted* is the newest version of one behind *version*, empty if there was none.
    """

    epoch: Epoch
    version: ResourceVersion
    time: int
    deleted: ResourceVersion = NO_VERSION

    def after_delete(self, version: ResourceVersion) -> "Position":
        return replace(self, deleted=last_deleted(self.version, self.deleted, version))

    @property
    def newest(self) -> ResourceVersion:
        """The newest version that was heard of. A server whose own is lower has been put back."""
        return self.deleted or self.version
