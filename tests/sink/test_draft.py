"""`bridge.sink.draft`: events become records by the protocol's grammar."""

import json
from collections import Counter
from typing import Any

from bridge.model.event import Change, ChangeType, Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.model.resource import Resource, Selection
from bridge.sink.draft import FULL, Draft, Drafter, Oversize
from bridge.sink.formats import Envelope
from bridge.sink.route import Displaced, Router, Target, partition_of
from tests.sink.reading import records_of

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
COVERS = Target("checkpoints", 5)
ALL = ("ADDED", "MODIFIED", "DELETED")
AT = Position(Epoch(7), ResourceVersion("50"), 0)


def drafter(template: str = "t", types: tuple[str, ...] = ALL, limit: int = 1 << 20, **counts: int) -> Drafter:
    router = Router(template, Selection(PODS), "prod", counts)
    made = Drafter("pods", router, Envelope("prod", "pods", PODS), COVERS, types)
    for topic in (*counts, COVERS.topic):
        made.allow(topic, limit)
    made.enter(Epoch(7))
    return made


def change(name: str, kind: ChangeType = ChangeType.MODIFIED, *, fresh: bool = False, size: int = 0) -> Change:
    body = json.dumps({"metadata": {"name": name}, "data": "x" * size}).encode()
    return Change(kind, f"pods/a/{name}", f"uid-{name}", ResourceVersion("9"), body, fresh=fresh)


def told(draft: Draft) -> list[tuple[Target, str, str]]:
    """Target, key and type of each record, partition by partition."""
    return [
        (run.target, (key or b"").decode(), json.loads(value or b"{}")["type"])
        for run in draft.records.runs
        for key, value in records_of(run)
    ]


def values(draft: Draft) -> list[dict[str, Any]]:
    return [json.loads(value or b"{}") for run in draft.records.runs for _, value in records_of(run)]


def edits(draft: Draft) -> list[tuple[bytes | None, bytes | None]]:
    assert {run.target for run in draft.covers.runs} <= {COVERS}
    return [(key, value) for run in draft.covers.runs for key, value in records_of(run)]


def place(name: str, partitions: int) -> Target:
    return Target("t", partition_of(f"pods/a/{name}".encode(), partitions))


def test_changes_go_where_their_keys_belong() -> None:
    made = drafter(t=3)
    draft = made.begin(0)
    events: list[Event] = [change("x"), change("y", ChangeType.ADDED), change("x", ChangeType.DELETED)]

    assert made.take(draft, events, 0) == 3
    assert sorted(told(draft)) == sorted(
        [
            (place("x", 3), "pods/a/x", "MODIFIED"),
            (place("y", 3), "pods/a/y", "ADDED"),
            (place("x", 3), "pods/a/x", "DELETED"),
        ]
    )
    assert draft.types == Counter(MODIFIED=1, ADDED=1, DELETED=1)


def test_the_index_learns_of_what_is_new_and_what_is_gone() -> None:
    """MODIFIED, the bulk, costs nothing there."""
    made = drafter(t=3)
    draft = made.begin(0)

    made.take(draft, [change("x", ChangeType.LISTED, fresh=True), change("x"), change("x", ChangeType.DELETED)], 0)

    assert edits(draft) == [(b"pods/pods/a/x", b"uid-x"), (b"pods/pods/a/x", None)]
    assert made.router.places == {}


def test_a_filter_hides_changes_from_consumers_but_not_from_the_index() -> None:
    """The index says which objects there are; with a hole in it, a gap could not be closed exactly. Snapshots pass."""
    made = drafter(types=("MODIFIED",), t=1)
    draft = made.begin(0)
    events: list[Event] = [
        change("x", ChangeType.ADDED, fresh=True),
        change("x"),
        change("x", ChangeType.DELETED),
        change("y", ChangeType.LISTED, fresh=True),
    ]

    made.take(draft, events, 0)

    assert [kind for _, _, kind in told(draft)] == ["MODIFIED", "LISTED"]
    assert edits(draft) == [
        (b"pods/pods/a/x", b"uid-x"),
        (b"pods/pods/a/x", None),
        (b"pods/pods/a/y", b"uid-y"),
    ]


def test_taking_stops_at_a_marker() -> None:
    made = drafter(t=1)

    assert made.take(made.begin(0), [change("x"), Progress(AT), change("y")], 0) == 1
    assert made.take(made.begin(0), [change("x"), Progress(AT), change("y")], 2) == 3


def test_taking_stops_before_a_topic_of_unknown_size() -> None:
    made = drafter("{namespace}")
    draft = made.begin(0)

    assert made.take(draft, [change("x")], 0) == 0
    made.learn("a", 2, 1 << 20)
    assert made.take(draft, [change("x")], 0) == 1


def test_unknown_topics_are_asked_for_together() -> None:
    """A first snapshot of 1,000 namespaces would else ask Kafka 1,000 times."""
    made = drafter("{namespace}", types=("MODIFIED",), c=1)
    other = [Change(ChangeType.LISTED, f"pods/{n}/x", "u", ResourceVersion("1"), b"{}") for n in "bacb"]
    hidden = Change(ChangeType.ADDED, "pods/d/x", "u", ResourceVersion("1"), b"{}")
    later = Change(ChangeType.LISTED, "pods/e/x", "u", ResourceVersion("1"), b"{}")

    assert made.unknown_topics([*other, hidden, Synced(AT), later], 0) == ["b", "a"]
    assert made.unknown_topics([*other], 1) == ["a", "b"]


def test_a_change_that_is_filtered_needs_no_topic() -> None:
    made = drafter("{namespace}", types=("MODIFIED",))

    assert made.take(made.begin(0), [change("x", ChangeType.ADDED)], 0) == 1


def test_a_full_draft_ends_behind_the_change_that_filled_it() -> None:
    made = drafter(t=1)
    draft = made.begin(0)
    events: list[Event] = [change(str(n), size=300_000) for n in range(40)]

    stopped = made.take(draft, events, 0)

    assert (stopped, draft.is_full, draft.types["MODIFIED"]) == (28, True, 28)
    assert FULL <= draft.records.bytes < FULL + 301_000


def test_index_edits_fill_a_draft_too() -> None:
    """With a filter, a huge snapshot may hold almost nothing else."""
    made = drafter(types=("MODIFIED",), t=1)
    draft = made.begin(0)
    events: list[Event] = [change(str(n) + "n" * 200, ChangeType.ADDED, fresh=True) for n in range(50_000)]

    assert 0 < made.take(draft, events, 0) < 50_000


def test_markers_go_to_every_partition_of_every_topic() -> None:
    """Each is for the consumers of its partition alone: they must never wait for another one."""
    made = drafter(t=2, old=1)
    draft = made.begin(0)

    made.restarted(draft, Restarted(Epoch(8), RestartReason.EXPIRED, "gone", AT))
    made.progressed(draft, AT)

    expected = [
        (target, "pods", kind)
        for target in (Target("t", 0), Target("t", 1), Target("old", 0))
        for kind in ("RESTARTED", "PROGRESS")
    ]
    assert told(draft) == expected
    assert [(v["epoch"], v["partition"], v["partitions"]) for v in values(draft) if v["type"] == "RESTARTED"] == [
        (8, 0, 2),
        (8, 1, 2),
        (8, 0, 1),
    ]


def test_synced_counts_what_was_listed_in_its_partition() -> None:
    """By this number a consumer knows that it missed nothing of the snapshot."""
    names = [f"p{n}" for n in range(40)]
    made = drafter(t=3, old=1)
    draft = made.begin(0)

    made.take(draft, [change(name, ChangeType.LISTED) for name in names], 0)
    made.synced(draft, AT)

    expected = Counter(place(name, 3) for name in names)
    counts = {
        Target(run.target.topic, value["partition"]): value["objects"]
        for run in draft.records.runs
        for value in [json.loads(records_of(run)[-1][1] or b"")]
    }
    assert counts == {target: expected[target] for target in made.router.targets}
    assert made.listed == 40


def test_a_new_epoch_counts_from_zero() -> None:
    made = drafter(t=1)
    draft = made.begin(0)
    made.take(draft, [change("x", ChangeType.LISTED)], 0)

    made.restarted(draft, Restarted(Epoch(8), RestartReason.INTERRUPTED))
    made.synced(draft, AT)

    assert (values(draft)[-1]["objects"], made.listed, made.inferred) == (0, 0, 0)


def test_the_epoch_begins_in_a_topic_with_its_first_record() -> None:
    """Whatever a consumer reads of a partition, it reads a RESTARTED first."""
    made = drafter("{namespace}", other=1)
    draft = made.begin(0)
    made.learn("a", 2, 1 << 20)

    made.admit(draft, "a", Epoch(7), None)

    assert told(draft) == [(Target("a", n), "pods", "RESTARTED") for n in range(2)]
    assert {(v["epoch"], v["reason"], v["previous"]) for v in values(draft)} == {(7, "initial", None)}


def test_in_a_live_stream_a_late_topics_snapshot_is_empty_and_complete() -> None:
    """Nothing of the snapshot went there, or it would be known already: what comes now are live changes."""
    made = drafter("{namespace}", other=1)
    draft = made.begin(0)
    made.learn("a", 1, 1 << 20)

    made.admit(draft, "a", Epoch(7), AT)

    assert [v["type"] for v in values(draft)] == ["RESTARTED", "SYNCED"]
    assert (values(draft)[1]["objects"], values(draft)[1]["resourceVersion"]) == (0, "50")


def test_displaced_objects_are_deleted_where_consumers_know_them() -> None:
    made = drafter(t=3)
    draft = made.begin(0)
    moved = [Displaced("pods/a/x", "uid-x", Target("t", 2)), Displaced("pods/a/y", "uid-y", None)]

    assert made.retract(draft, moved, PODS) == 2

    assert told(draft) == [(Target("t", 2), "pods/a/x", "DELETED")]
    assert values(draft)[0]["inferred"] is True
    assert edits(draft) == [(b"pods/pods/a/x", None), (b"pods/pods/a/y", None)]
    assert made.inferred == 2


def test_deletes_of_displaced_objects_are_bounded() -> None:
    made = drafter(t=1)
    moved = [Displaced(f"pods/a/{n:0200}", "uid", Target("t", 0)) for n in range(20_000)]

    done = made.retract(made.begin(0), moved, PODS)

    assert 0 < done < 20_000
    assert made.retract(made.begin(0), moved[done:], PODS) > 0


def test_deletes_of_displaced_objects_obey_the_filter() -> None:
    made = drafter(types=("ADDED",), t=1)
    draft = made.begin(0)

    made.retract(draft, [Displaced("pods/a/x", "uid-x", Target("t", 0))], PODS)

    assert (told(draft), edits(draft)) == ([], [(b"pods/pods/a/x", None)])


def test_an_object_too_large_for_its_topic_is_reduced() -> None:
    made = drafter(t=1, limit=20_000)
    draft = made.begin(0)
    huge, large = change("x", size=20_000), change("y", size=19_000)

    made.take(draft, [huge, large], 0)

    assert [value.get("oversize") for value in values(draft)] == [len(huge.body), None]
    assert draft.oversize == [Oversize("pods/a/x", len(huge.body), 20_000)]
    assert all(
        len(key or b"") + len(value or b"") < 20_000 for run in draft.records.runs for key, value in records_of(run)
    )


def test_inferred_deletes_are_counted_for_the_epoch() -> None:
    made = drafter(t=1)
    gone = Change(ChangeType.DELETED, "pods/a/x", "uid-x", ResourceVersion(""), b"", inferred=True)

    made.take(made.begin(0), [gone, change("y", ChangeType.DELETED)], 0)

    assert made.inferred == 1


def test_synced_is_an_event_that_the_writer_handles() -> None:
    """`take` must leave every marker to the writer, which commits with it."""
    made = drafter(t=1)
    markers: list[Event] = [Restarted(Epoch(8), RestartReason.INITIAL), Synced(AT), Progress(AT)]

    assert [made.take(made.begin(0), [marker], 0) for marker in markers] == [0, 0, 0]
