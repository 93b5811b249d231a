"""The words of a status: what `event-bridge status --output json` prints, field by field. Scripts read it: names stay.

A problem is a text that ends with its mend. Empty: there is none.
"""

from msgspec import Struct


class Replica(Struct, frozen=True, rename="camel"):
    """A member of the group. *waits* tells why it runs nothing, where another configuration runs.

    *pending*: its file has changed, for what it goes on with the one before.
    """

    host: str
    member: str
    address: str
    streams: int
    waits: str = ""
    pending: str = ""


class RestartState(Struct, frozen=True, rename="camel"):
    """Why the epoch began. *time* is in seconds since 1970."""

    reason: str
    message: str
    time: float


class StreamStatus(Struct, frozen=True, rename="camel"):
    """One stream. *owner* is the host that runs it; None where nobody does, or nobody can tell (standalone bridges).

    None stands for what is not known. *age*: seconds since the checkpoint was committed, *position_age*: since the
    position was learnt. *objects*: how many consumers believe in.
    """

    name: str
    owner: str | None
    partition: int | None
    phase: str | None
    epoch: int | None
    resource_version: str | None
    age: float | None
    position_age: float | None
    restart: RestartState | None
    objects: int | None
    configured: bool
    problem: str = ""


class Report(Struct, frozen=True, rename="camel"):
    """*ok*: every stream of the file is run by somebody, as far as that can be told, and has a checkpoint."""

    ok: bool
    config: str
    checkpoints: str
    group: str | None
    replicas: tuple[Replica, ...]
    streams: tuple[StreamStatus, ...]
    problem: str = ""
