"""When this replica is ready: every stream that it runs has a committed position that is not older than its limit.

A replica that runs none is ready as a member of the group: it is there to take over. So is one that waits until
replicas with another configuration have gone: a rolling update waits for it in turn.
"""

from msgspec import Struct

from bridge.web.document import Membership, StreamState


class Check(Struct, frozen=True):
    """One line of the answer, as Kubernetes' own `/readyz?verbose` has them."""

    name: str
    ok: bool
    told: str

    def __str__(self) -> str:
        return f"[+]{self.name} ok: {self.told}" if self.ok else f"[-]{self.name} failed: {self.told}"


def doubt(state: str, trouble: str, age: float | None, limit: float) -> str:
    """Why a stream is not ready; empty if it is. *age*: of its committed position, None if there is none."""
    reason = f"{state}: {trouble}" if trouble else state
    if state == "failed":
        return trouble or "for good"
    if age is None:
        return f"no position is committed yet ({reason})"
    return f"position is {age:.0f}s old, limit {limit:.0f}s ({reason})" if age > limit else ""


def checks(
    streams: tuple[StreamState, ...], group: Membership | None, trouble: str, *, stopping: bool
) -> tuple[Check, ...]:
    """In the order in which people should read them. Ready: all are ok."""
    found = [Check("shutdown", ok=False, told="stopping")] if stopping else []
    if not streams:
        found.append(_idle(group, trouble))
    for stream in streams:
        told = stream.why or f"{stream.state}, position is {stream.position_age or 0:.0f}s old"
        found.append(Check(stream.name, stream.ready, told))
    return tuple(found)


def _idle(group: Membership | None, trouble: str) -> Check:
    because = f": {trouble}" if trouble else ""
    if group is None:
        return Check("streams", ok=False, told=f"none has begun{because}")
    if not group.member:
        return Check("group", ok=False, told=f"not a member{because}")
    return Check("group", ok=True, told=f"a member, no stream is given to this replica{because}")
