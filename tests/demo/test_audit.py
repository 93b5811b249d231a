"""The demo's audit: its last line is what people believe, so it must be able to say something else."""

from msgspec import Raw

from bridge.consumer.records import Added, Deleted, Keyed, Modified, Previous, Restarted, Synced
from bridge.demo.audit import Gap, Verdict, judge
from bridge.demo.ledger import Done

BODY = Raw(b'{"metadata":{}}')
DONE = [
    Done("pods", "ADDED", "pods/a/x", 5),
    Done("pods", "ADDED", "pods/a/y", 11),
    Done("pods", "MODIFIED", "pods/a/x", 12),
    Done("pods", "DELETED", "pods/a/y", 13),
]
FIRST = [
    Keyed("pods", Restarted(stream="pods", epoch=1, reason="initial")),
    Keyed("pods", Synced(stream="pods", epoch=1, resource_version="10")),
]
LIVE = [
    Keyed("pods/a/y", Added(stream="pods", epoch=1, resource_version="11", object=BODY)),
    Keyed("pods/a/x", Modified(stream="pods", epoch=1, resource_version="12", object=BODY)),
    Keyed("pods/a/y", Deleted(stream="pods", epoch=1, resource_version="13", object=BODY)),
]


def test_every_change_once_is_what_was_promised() -> None:
    """What was there before the first snapshot is in it."""
    assert judge(DONE, [*FIRST, *LIVE]) == Verdict(4, 3, 1, 0, 0, ())


def test_a_change_that_was_not_told_is_lost() -> None:
    assert judge(DONE, [*FIRST, *LIVE[:2]]) == Verdict(4, 2, 1, 1, 0, ())


def test_a_change_that_was_told_twice_is_doubled() -> None:
    assert judge(DONE, [*FIRST, *LIVE, LIVE[1]]) == Verdict(4, 3, 1, 0, 1, ())


def test_what_lies_in_an_announced_gap_is_not_lost() -> None:
    """And the gap is counted: an audit that excused without saying so would prove nothing."""
    previous = Previous(epoch=1, resource_version="11")
    gap = [
        Keyed("pods", Restarted(stream="pods", epoch=2, reason="expired", previous=previous)),
        Keyed("pods/a/y", Deleted(stream="pods", epoch=2, inferred=True)),
        Keyed("pods", Synced(stream="pods", epoch=2, resource_version="20")),
    ]

    assert judge(DONE, [*FIRST, LIVE[0], *gap]) == Verdict(4, 1, 3, 0, 0, (Gap("pods", "expired", 11, 20),))


def test_a_gap_of_another_stream_excuses_nothing() -> None:
    previous = Previous(epoch=1, resource_version="11")
    gap = [
        Keyed("events", Restarted(stream="events", epoch=2, reason="expired", previous=previous)),
        Keyed("events", Synced(stream="events", epoch=2, resource_version="20")),
    ]

    assert judge(DONE, [*FIRST, LIVE[0], *gap]).lost == 2
