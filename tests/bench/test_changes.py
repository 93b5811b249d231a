"""The firehose must be a cluster that could exist, or its figures say nothing of one that does."""

import json
import random
from typing import Any

import pytest

from bench.firehose.changes import FIRST, PODS, Changes
from bench.firehose.pods import length, life

Object = dict[str, Any]


@pytest.fixture(scope="module")
def changes() -> Changes:
    return Changes(1000)


def test_a_list_is_where_the_watch_before_it_led(changes: Changes) -> None:
    """A client that resumes, or lists anew in the middle, sees the same cluster as one that watched all the time."""
    followed = {_key(body): body for body in map(json.loads, changes.objects(0))}
    count = 9 * PODS + 17
    for k in range(count):
        event = _event(changes, k)
        match event["type"]:
            case "ADDED":
                assert _key(event["object"]) not in followed
                followed[_key(event["object"])] = event["object"]
            case "MODIFIED":
                assert followed[_key(event["object"])]["metadata"]["uid"] == event["object"]["metadata"]["uid"]
                followed[_key(event["object"])] = event["object"]
            case other:
                assert other == "DELETED"
                del followed[_key(event["object"])]

    assert {_key(body): body for body in map(json.loads, changes.objects(count))} == followed


def test_every_change_has_a_version_of_its_own(changes: Changes) -> None:
    """They are counted by it when they have arrived."""
    versions = [_event(changes, k)["object"]["metadata"]["resourceVersion"] for k in range(2000)]

    assert versions == [str(FIRST + k) for k in range(2000)]


@pytest.mark.parametrize("size", [1000, 2200, 5000, 20_000])
def test_pods_are_as_large_as_the_table_says(size: int) -> None:
    """Cost per event depends on it."""
    dice = random.Random(1)
    lengths = [length(body) for _ in range(20) for body in life(size, dice, "team-00")]

    assert sum(lengths) / len(lengths) == pytest.approx(size, rel=0.05)


def _event(changes: Changes, k: int) -> Object:
    length, line, end = changes.chunk(k).split(b"\r\n")
    assert (int(length, 16), end) == (len(line), b"")
    event: Object = json.loads(line)
    return event


def _key(body: Object) -> tuple[str, str]:
    return body["metadata"]["namespace"], body["metadata"]["name"]
