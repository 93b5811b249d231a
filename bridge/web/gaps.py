"""Which times consumers were told they may miss something of: the epochs of a stream as gaps on a time line."""

from collections.abc import Iterable

from bridge.web.document import Gap, Restart


def gaps_of(restarts: Iterable[Restart]) -> tuple[Gap, ...]:
    """A gap begins with the last position that can be trusted, and ends with the first snapshot that is complete.

    Epochs that were interrupted are one gap with those that follow. A first start leaves none: nothing was known.
    """
    gaps: list[Gap] = []
    open_since: float | None = None
    reasons: tuple[str, ...] = ()
    for restart in restarts:
        if open_since is None:
            open_since, reasons = restart.gap_began, ()
        if open_since is None:
            continue
        reasons = (*reasons, restart.reason)
        if restart.synced is not None:
            gaps.append(Gap(open_since, restart.synced, reasons))
            open_since = None
    if open_since is not None:
        gaps.append(Gap(open_since, None, reasons))
    return tuple(gaps)
