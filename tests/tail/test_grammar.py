"""One record that breaks one rule, each: `tail --check` is what people prove a topic by."""

import json
from typing import Any

import pytest

from bridge.consumer.records import Keyed, read
from bridge.consumer.state import Log
from bridge.tail.grammar import Grammar
from tests.consumer.play import load
from tests.consumer.told import change, inferred, progress, restarted, synced
from tests.consumer.vectors import VECTORS

LOG = Log("k8s.pods", 0)
Told = tuple[bytes, bytes]


def first_fault(*told: Told, whole: bool = True, log: Log = LOG) -> tuple[int, str]:
    """The number of the first record that is wrong, and why; (0, "") if all are right."""
    grammar = Grammar()
    for number, (key, value) in enumerate(told, 1):
        keyed = read(key, value)
        assert isinstance(keyed, Keyed), keyed
        if wrong := grammar.check(log, keyed, {log} if whole else set()):
            return number, wrong
    return 0, ""


def but(told: Told, **fields: Any) -> Told:  # noqa: ANN401 - of any record
    """The same record with other fields; None: without it."""
    value = {**json.loads(told[1]), **fields}
    return told[0], json.dumps({name: held for name, held in value.items() if held is not None}).encode()


BEGUN = (restarted(1), change("LISTED", 1, "x", 5), synced(1, 10, 1))
"""A stream that is in its live part, at version 10."""
AGED = {"epoch": 3, "resourceVersion": "1", "time": ""}


def test_all_that_the_grammar_has_may_be_said() -> None:
    assert first_fault(
        *BEGUN,
        change("MODIFIED", 1, "x", 11),
        change("DELETED", 1, "x", 12),
        change("ADDED", 1, "y", 12),
        progress(1, 12),
        progress(1, 12),
        restarted(2, "expired"),
        change("LISTED", 2, "y", 12),
        restarted(3, "interrupted"),
        inferred(3, "y"),
        synced(3, 9, 0),
        change("ADDED", 3, "z", 10),
    ) == (0, "")


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ([change("ADDED", 1, "x", 5)], "ADDED before any RESTARTED"),
        ([*BEGUN, restarted(1)], "RESTARTED of epoch 1 after epoch 1"),
        ([restarted(2), restarted(1)], "RESTARTED of epoch 1 after epoch 2"),
        ([*BEGUN, change("MODIFIED", 2, "x", 11)], "MODIFIED of epoch 2 within epoch 1"),
        ([restarted(2), change("LISTED", 1, "x", 5)], "LISTED of epoch 1 within epoch 2"),
        ([restarted(1), change("ADDED", 1, "x", 5)], "ADDED before SYNCED"),
        ([restarted(1), change("MODIFIED", 1, "x", 5)], "MODIFIED before SYNCED"),
        ([restarted(1), change("DELETED", 1, "x", 5)], "DELETED before SYNCED"),
        ([restarted(1), progress(1, 5)], "PROGRESS before SYNCED"),
        ([*BEGUN, change("LISTED", 1, "y", 11)], "LISTED after SYNCED"),
        ([*BEGUN, inferred(1, "x")], "inferred DELETED after SYNCED"),
        ([*BEGUN, synced(1, 11, 1)], "SYNCED after SYNCED"),
        ([restarted(1), synced(1, 10, 1)], "SYNCED says 1 objects, and 0 were LISTED"),
        ([restarted(1), but(synced(1, 10, 1), objects=None)], "SYNCED says no number of objects, and 0 were LISTED"),
        (
            [restarted(1), change("LISTED", 1, "x", 5), change("LISTED", 1, "x", 5), synced(1, 10, 2)],
            "SYNCED says 2 objects, and 1 were LISTED",
        ),
        ([*BEGUN, change("MODIFIED", 1, "x", 10)], "MODIFIED at 10, but all up to 10 was said"),
        ([*BEGUN, progress(1, 20), change("ADDED", 1, "y", 19)], "ADDED at 19, but all up to 20 was said"),
        (
            [*BEGUN, change("ADDED", 1, "y", 11), change("MODIFIED", 1, "y", 11)],
            "MODIFIED at 11, but pods/a/y was at 11 before",
        ),
        ([*BEGUN, progress(1, 9)], "PROGRESS at 9, but all up to 10 was said"),
        ([*BEGUN, but(progress(1, 11), partitions=2)], "PROGRESS says 2 partitions, and the epoch has 1"),
        (
            [but(restarted(1), partitions=2), change("LISTED", 1, "y", 5)],
            "key 'pods/a/y' belongs into partition 1 of 2",
        ),
    ],
)
def test_what_may_not_come_next(told: list[Told], fault: str) -> None:
    """Always the last one, and the ones before it are right."""
    assert first_fault(*told) == (len(told), fault)


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (but(restarted(1), cluster=""), "RESTARTED without cluster"),
        (but(restarted(1), time="yesterday"), "RESTARTED with time 'yesterday'"),
        (but(restarted(1), time="2026-11-23T08:30:00"), "RESTARTED with time '2026-11-23T08:30:00'"),
        ((b"nodes", restarted(1)[1]), "RESTARTED of pods has the key 'nodes'"),
        (but(restarted(1), partition=1, partitions=2), "RESTARTED says that it is in partition 1"),
        (but(restarted(1), partitions=0), "RESTARTED says that there are 0 partitions"),
        (restarted(1, "boredom"), "RESTARTED with the reason 'boredom'"),
        (but(restarted(3), previous=AGED), "RESTARTED of epoch 3 with a previous epoch of 3"),
        (but(synced(1, 1, 0), resourceVersion="v1"), "SYNCED with resourceVersion 'v1'"),
        (but(progress(1, 1), resourceVersion=None), "PROGRESS with resourceVersion ''"),
        (but(change("DELETED", 1, "x", 5), object=None), "DELETED without object"),
        (but(inferred(1, "x"), resourceVersion="5"), "inferred DELETED with resourceVersion '5'"),
        (but(change("ADDED", 1, "x", 5), resourceVersion="5.0"), "ADDED with resourceVersion '5.0'"),
        (but(change("ADDED", 1, "x", 5), resourceVersion="6"), "resourceVersion '6' of an object at '5'"),
        ((b"pods/a/y", change("ADDED", 1, "x", 5)[1]), "key 'pods/a/y' of the object a/x"),
        (
            but(inferred(1, "x"), object={"metadata": {"namespace": "a", "name": "x"}}),
            "the object of 'pods/a/x' has no uid",
        ),
        (
            but(change("ADDED", 1, "x", 5), object={"metadata": []}),
            "an object that cannot be read: Expected `object`, got `array` - at `$.metadata`",
        ),
    ],
)
def test_what_a_record_must_have_by_itself(told: Told, fault: str) -> None:
    assert first_fault(told, whole=False) == (1, fault)


def test_who_begins_in_the_middle_judges_what_it_sees_only() -> None:
    """`--since 10m` is no violation: RESTARTED was before, and what a snapshot counted cannot be told."""
    assert first_fault(change("MODIFIED", 1, "x", 11), change("MODIFIED", 1, "x", 12), whole=False) == (0, "")
    assert first_fault(change("LISTED", 1, "x", 5), synced(1, 10, 7), whole=False) == (0, "")
    assert first_fault(synced(1, 10, 7), change("ADDED", 1, "x", 9), whole=False)[0] == 2
    assert first_fault(change("MODIFIED", 1, "x", 11), change("LISTED", 1, "y", 5), whole=False)[0] == 2


def test_lost_records_are_no_violation() -> None:
    """Retention deletes: what comes after the hole is not held against what was before it."""
    grammar = Grammar()
    for key, value in BEGUN:
        keyed = read(key, value)
        assert isinstance(keyed, Keyed)
        assert not grammar.check(LOG, keyed, {LOG})

    grammar.lose(LOG)
    keyed = read(*change("LISTED", 4, "y", 3))

    assert isinstance(keyed, Keyed)
    assert not grammar.check(LOG, keyed, set())


def test_streams_and_partitions_are_alone() -> None:
    """Records of streams interleave, and one that is behind breaks nothing for the other."""
    other = restarted(7, stream="nodes"), synced(7, 3, 0, stream="nodes")

    assert first_fault(BEGUN[0], other[0], BEGUN[1], other[1], BEGUN[2]) == (0, "")


def test_versions_are_numbers_of_any_length() -> None:
    """As texts, 9 would be after 10; as 64-bit numbers, some would be lost."""
    long = 10**30
    begun = restarted(1), synced(1, 9, 0)

    assert first_fault(*begun, change("ADDED", 1, "x", 10), change("MODIFIED", 1, "x", long)) == (0, "")
    assert first_fault(*begun, progress(1, long), change("ADDED", 1, "x", long - 1))[0] == 4
    assert first_fault(*begun, progress(1, 10), but(change("ADDED", 1, "x", 9), resourceVersion="9"))[0] == 4


@pytest.mark.parametrize("name", ["first-epoch", "two-aborted-epochs", "inferred-delete", "empty-snapshot", "rewound"])
def test_the_vectors_of_right_streams_are_right(name: str) -> None:
    """As far as the order goes: their objects and keys are made for consumers."""
    steps = load(VECTORS / f"{name}.json").steps
    told = [((step.key or "").encode(), step.bytes or b"") for step in steps if step.partition == 0]

    assert first_fault(*told) == (0, "")
