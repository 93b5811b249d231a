"""What people see. Records come through a reading, as they do from Kafka."""

import json
from collections.abc import Sequence

from bridge.consumer.intake import Lost
from bridge.consumer.state import Log
from bridge.tail.lines import Line, json_line, line
from bridge.tail.reading import Choice, Reading, Told, Violation
from tests.consumer.told import change, entries, inferred, progress, restarted, synced, value

LOG = Log("k8s.pods", 0)
Pair = tuple[bytes | None, bytes | None]


def read(*records: Pair, choice: Choice = Choice(), checked: bool = False) -> Reading:  # noqa: B008 - frozen
    reading = Reading(choice, checked=checked)
    reading.begin({LOG: 0})
    reading.take(LOG, entries(*records))
    return reading


def shown(told: Sequence[Told], *, wide: bool = False) -> list[str]:
    return [" ".join(line(one, wide=wide).text.split()) for one in told]


def pod(kind: str, epoch: int, version: int, **status: str) -> Pair:
    metadata = {"namespace": "a", "name": "x", "uid": "u", "resourceVersion": str(version)}
    thing = {"metadata": metadata, "status": status}
    return b"pods/a/x", value(kind, epoch, resourceVersion=str(version), object=thing)


def test_changes_say_what_changed_and_markers_are_rules() -> None:
    """The whole of the story, in the words of kubectl."""
    told = read(
        restarted(1),
        pod("LISTED", 1, 5, phase="Pending"),
        synced(1, 10, 1),
        pod("MODIFIED", 1, 11, phase="Running", podIP="10.0.0.1"),
        pod("MODIFIED", 1, 12, phase="Running", podIP="10.0.0.1"),
        progress(1, 13),
        restarted(2, "expired"),
        inferred(2, "x"),
        synced(2, 20, 0),
        pod("MODIFIED", 1, 11, phase="Pending"),
    ).collect()

    assert shown(told) == [
        "08:30:00.123 RESTARTED initial (because) pods k8s.pods[0]",
        "08:30:00.123 LISTED pods/a/x",
        "08:30:00.123 SYNCED 1 object at 10 pods k8s.pods[0]",
        "08:30:00.123 MODIFIED pods/a/x status.phase: Pending → Running; status.podIP: none → 10.0.0.1",
        "08:30:00.123 MODIFIED pods/a/x as before",
        "08:30:00.123 PROGRESS at 13 pods k8s.pods[0]",
        "08:30:00.123 RESTARTED expired (because) pods k8s.pods[0]",
        "08:30:00.123 DELETED pods/a/x inferred",
        "08:30:00.123 SYNCED 0 objects at 20 pods k8s.pods[0]",
        "08:30:00.123 MODIFIED pods/a/x of epoch 1, which is over: changes nothing",
    ]
    rules = [number for number, one in enumerate(told) if line(one, wide=False).rule]
    assert rules == [0, 2, 5, 6, 8]


def test_a_sweep_is_counted_where_no_delete_says_it() -> None:
    """Else objects would vanish from the state, and no line would say where they went."""
    told = read(restarted(1), change("LISTED", 1, "x", 5), synced(1, 9, 1), restarted(2), synced(2, 10, 3)).collect()

    assert shown(told)[-1] == (
        "08:30:00.123 SYNCED 3 objects at 10, 1 swept, only 0 of them were read pods k8s.pods[0]"
    )


def test_a_line_is_short_and_wide_says_all() -> None:
    more = {f"f{number}": "x" * 50 for number in range(5)}
    told = read(pod("ADDED", 1, 5), pod("MODIFIED", 1, 6, **more)).collect()

    short, wide = shown(told)[1], shown(told, wide=True)[1]

    cut = "x" * 39 + "…"
    assert short == (
        f"08:30:00.123 MODIFIED pods/a/x status.f0: none → {cut}; status.f1: none → {cut}; "
        f"status.f2: none → {cut}; and 2 more"
    )
    assert wide == (
        "2026-11-23T08:30:00.123Z k8s.pods[0]@1 pods MODIFIED pods/a/x 6 "
        + "; ".join(f"status.f{number}: none → {'x' * 50}" for number in range(5))
    )


def test_events_say_their_reason_and_message() -> None:
    """What is new in an event is the event."""
    metadata = {"namespace": "a", "name": "e", "uid": "u", "resourceVersion": "5"}
    thing = {"metadata": metadata, "reason": "BackOff", "message": "restarting\nfailed", "count": 3}
    told = read((b"events/a/e", value("ADDED", 1, "events", resourceVersion="5", object=thing))).collect()

    assert shown(told) == ["08:30:00.123 ADDED events/a/e BackOff: restarting failed (x3)"]


def test_nothing_in_a_record_steers_the_terminal() -> None:
    """Who may write a pod's status could else write to the screen of who watches it."""
    told = read(pod("ADDED", 1, 5), pod("MODIFIED", 1, 6, phase="\x1b[2Jgone\r")).collect()

    assert line(told[1], wide=False).text.isprintable()


def test_what_is_none_of_the_protocol_is_told() -> None:
    told = read((b"k", b'{"specversion": "1.0"}')).collect()

    assert [line(one, wide=False) for one in told] == [
        Line("k8s.pods[0] at offset 0: passed over: it is a CloudEvent", "bold red")
    ]


def test_json_has_the_record_in_its_own_bytes() -> None:
    """One line each, for jq; numbers are not rounded on the way."""
    head = b'{"type":"ADDED","stream":"pods","epoch":1,"resourceVersion":"5",\n'
    big = head + b'"object":{"n":123456789012345678901234567890}}'
    told = read((b"pods/a/x", big), (b"k", None), (b"pods/a/x", big)).collect()

    lines = [json_line(one) for one in told]

    place = {"topic": "k8s.pods", "partition": 0}
    record = json.loads(big)
    assert [json.loads(one) for one in [*lines, json_line(Lost(LOG, 3))]] == [
        {**place, "offset": 0, "key": "pods/a/x", "record": record},
        {**place, "offset": 1, "refused": "it has no value: a tombstone, as topics with bare objects have them"},
        {**place, "offset": 2, "key": "pods/a/x", "changed": [], "record": record},
        {**place, "offset": 3, "lost": True},
    ]
    assert all("\n" not in one for one in lines)


def test_only_what_was_chosen_is_shown() -> None:
    """Markers of the stream stay: a gap is news of every object."""
    records = [restarted(1), change("LISTED", 1, "x", 5), change("LISTED", 1, "y", 6), restarted(1, stream="nodes")]

    told = read(*records, choice=Choice(stream="po*", key="*/x")).collect()

    assert shown(told) == ["08:30:00.123 RESTARTED initial (because) pods k8s.pods[0]", "08:30:00.123 LISTED pods/a/x"]


def test_nothing_is_read_past_the_first_violation() -> None:
    reading = read(restarted(1), change("ADDED", 1, "x", 5), synced(1, 9, 1), checked=True)

    assert reading.violation == Violation(LOG, 1, "ADDED before SYNCED")
    assert len(reading.collect()) == 2
