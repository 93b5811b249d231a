"""The words of `/status`, field by field. The page is drawn from it, and scripts read it: names stay.

Times are seconds since 1970. None stands for what is not known, or not yet.
"""

from msgspec import Struct


class Restart(Struct, frozen=True, rename="camel"):
    """An epoch began. *gap_began*: when the position before it was learnt; *synced*: when its snapshot was complete."""

    epoch: int
    time: float
    reason: str
    message: str
    gap_began: float | None = None
    synced: float | None = None


class Gap(Struct, frozen=True, rename="camel"):
    """Consumers were told that they may miss something of this time. None as its end: it lasts."""

    began: float
    ended: float | None
    reasons: tuple[str, ...]


class StreamState(Struct, frozen=True, rename="camel"):
    """One stream that runs here.

    *state*: waiting, starting, relisting, live, verifying, delayed or failed; *since* when. *why* it is not ready,
    empty if it is. *trouble*: what went wrong last, empty once that is over. *lag*: seconds that the oldest change has
    waited which is not in Kafka. *rates*: records per second, a number for each `rateStep` seconds, the newest last.
    *restarts* and *gaps*: of this process's time, the newest last; the first restart may be older.
    """

    name: str
    resource: str
    topics: tuple[str, ...]
    state: str
    since: float
    ready: bool
    why: str
    trouble: str
    epoch: int | None
    resource_version: str | None
    position_time: float | None
    position_age: float | None
    stale_after: float
    last_frame_time: float | None
    verified_time: float | None
    lag: float
    buffer_bytes: int
    buffer_limit: int
    objects: int | None
    records: int
    recoveries: int
    rates: tuple[float, ...]
    restarts: tuple[Restart, ...]
    gaps: tuple[Gap, ...]


class Membership(Struct, frozen=True, rename="camel"):
    """Of the group in which replicas share the streams."""

    member: bool
    partitions: int


class Status(Struct, frozen=True, rename="camel"):
    """What `/status` answers. *group* is None where the bridge is standalone.

    *elsewhere*: the streams of the config file that do not run here. *trouble* is what concerns all streams, and
    *rejected* why a changed config file is not in force; empty: there is none. *configTime*: when the file was last
    found to be right; *configPending*: it has changed, and other replicas have not got it yet.
    """

    ready: bool
    why: tuple[str, ...]
    stopping: bool
    now: float
    started: float
    version: str
    name: str
    cluster: str | None
    host: str
    group: Membership | None
    trouble: str
    rejected: str
    config_time: float
    config_pending: bool
    rate_step: float
    elsewhere: tuple[str, ...]
    streams: tuple[StreamState, ...]
