"""The words of a verification: what `event-bridge verify --output json` prints. Scripts read it: names stay."""

from typing import Literal

from msgspec import Struct

from bridge.verify.compare import Difference, Entry, Judgeable, Judgement, Kind

Verdict = Literal["equal", "different", "lagging", "unknown"]


class Finding(Struct, frozen=True):
    """One object on which the two disagree; None: that side does not have it."""

    key: str
    cluster: Entry | None
    topic: Entry | None


class StreamReport(Struct, frozen=True, rename="camel"):
    """*in_cluster* and *in_topic* count objects. *unjudged* is what the watch's `types` leave open.

    *problem*: what could not be asked; *notes* are worth knowing, and say why there may be differences.
    """

    name: str
    verdict: Verdict
    topics: tuple[str, ...] = ()
    in_cluster: int | None = None
    in_topic: int | None = None
    missing: tuple[Finding, ...] = ()
    extra: tuple[Finding, ...] = ()
    stale: tuple[Finding, ...] = ()
    lagging: tuple[Finding, ...] = ()
    changing: int = 0
    unjudged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""


class Report(Struct, frozen=True):
    """*ok*: every stream is equal."""

    ok: bool
    config: str
    server: str
    streams: tuple[StreamReport, ...]


class Counted(Struct, frozen=True):
    """What was compared in the last look."""

    topics: tuple[str, ...]
    in_cluster: int
    in_topic: int
    notes: tuple[str, ...] = ()


def reported(name: str, counted: Counted, judged: Judgeable, judgement: Judgement) -> StreamReport:
    differing = judgement.persisting
    return StreamReport(
        name=name,
        verdict="different" if differing else "lagging" if judgement.lagging else "equal",
        topics=counted.topics,
        in_cluster=counted.in_cluster,
        in_topic=counted.in_topic,
        missing=_of(Kind.MISSING, differing),
        extra=_of(Kind.EXTRA, differing),
        stale=_of(Kind.STALE, differing),
        lagging=tuple(_finding(key, seen) for key, seen in judgement.lagging.items()),
        changing=judgement.changing,
        unjudged=judged.left_out(),
        notes=counted.notes,
    )


def _of(kind: Kind, differing: dict[str, Difference]) -> tuple[Finding, ...]:
    return tuple(_finding(key, seen) for key, seen in differing.items() if seen.kind is kind)


def _finding(key: str, seen: Difference) -> Finding:
    return Finding(key, seen.cluster, seen.topic)
