"""When a cluster and a topic differ, rule by rule."""

from bridge.verify.compare import (
    Difference,
    Entry,
    Judgeable,
    Judgement,
    Kind,
    differences,
    judge,
    judgeable,
)

ALL = ("ADDED", "MODIFIED", "DELETED")


def at(version: int, uid: str = "u") -> Entry:
    return Entry(uid, str(version))


def missing(here: Entry) -> Difference:
    return Difference(Kind.MISSING, here, None)


def extra(told: Entry) -> Difference:
    return Difference(Kind.EXTRA, None, told)


def stale(here: Entry, told: Entry) -> Difference:
    return Difference(Kind.STALE, here, told)


def test_the_same_entries_are_no_difference() -> None:
    """What an operator hopes to see."""
    assert differences({"a": at(1), "b": at(2)}, {"b": at(2), "a": at(1)}, judgeable(ALL)) == {}


def test_each_kind_of_difference_has_its_name() -> None:
    """Each has another cause: a change that was lost, a delete that was lost, a consumer's old state."""
    cluster = {"new": at(5), "anew": at(6, "second"), "changed": at(7), "same": at(1)}
    topic = {"gone": at(2), "anew": at(3, "first"), "changed": at(4), "same": at(1)}

    assert differences(cluster, topic, judgeable(ALL)) == {
        "anew": stale(at(6, "second"), at(3, "first")),
        "changed": stale(at(7), at(4)),
        "gone": extra(at(2)),
        "new": missing(at(5)),
    }


def test_a_topic_that_is_ahead_is_a_difference_too() -> None:
    """It is how a cluster looks that was put back to a backup, and the bridge has not noticed."""
    assert differences({"a": at(4)}, {"a": at(9)}, judgeable(ALL)) == {"a": stale(at(4), at(9))}


def test_a_uid_that_was_dropped_proves_nothing() -> None:
    """`drop: [metadata.uid]` must not make every object stale."""
    assert differences({"a": at(4)}, {"a": at(4, "")}, judgeable(ALL)) == {}


def test_what_the_types_leave_out_is_not_held_against_the_topic() -> None:
    """Who publishes no deletes would otherwise be told of one for ever."""
    assert judgeable(ALL) == Judgeable()
    assert judgeable(("ADDED", "MODIFIED")).left_out() == ("extra",)
    assert judgeable(("MODIFIED", "DELETED")).left_out() == ("missing",)
    assert judgeable(("ADDED", "DELETED")).left_out() == ("resourceVersion",)
    assert judgeable(("DELETED",)).left_out() == ("missing", "resourceVersion")
    assert judgeable(("ADDED",)).left_out() == ("extra", "resourceVersion")
    assert judgeable(("MODIFIED",)).left_out() == ("missing", "extra", "uid", "resourceVersion")


def test_what_is_left_is_judged_all_the_same() -> None:
    """A stream of ADDED and DELETED alone must know each object, of the right uid."""
    judged = judgeable(("ADDED", "DELETED"))

    found = differences({"a": at(9), "b": at(9, "second"), "c": at(1)}, {"a": at(1), "b": at(1), "d": at(1)}, judged)

    assert found == {"b": stale(at(9, "second"), at(1)), "c": missing(at(1)), "d": extra(at(1))}


def test_a_difference_that_lasts_counts() -> None:
    """Of all three kinds; the cluster's entry was the same in both looks."""
    seen = {"a": missing(at(5)), "b": extra(at(2)), "c": stale(at(7), at(4))}

    assert judge(seen, seen) == Judgement(seen)


def test_a_difference_that_goes_was_lag() -> None:
    assert judge({"a": missing(at(5)), "b": extra(at(2)), "c": stale(at(7), at(4))}, {}) == Judgement()


def test_a_difference_that_is_new_may_be_lag() -> None:
    """Objects change all the time: a busy cluster and a good bridge must not fail."""
    assert judge({}, {"a": missing(at(5)), "c": stale(at(7), at(4))}) == Judgement(changing=2)


def test_an_object_that_changes_on_both_sides_is_on_its_way() -> None:
    assert judge({"a": stale(at(7), at(4))}, {"a": stale(at(9), at(8))}) == Judgement(changing=1)


def test_an_object_that_changes_while_the_topic_stands_still_is_lagging() -> None:
    """A bridge that is down must not pass because the objects are lively."""
    first = {"a": stale(at(7), at(4)), "b": missing(at(5))}
    then = {"a": stale(at(9), at(4)), "b": missing(at(8))}

    assert judge(first, then) == Judgement(lagging=then)


def test_a_topic_that_was_ahead_of_the_first_list_is_not_lagging() -> None:
    """It is read after the LIST, so it may know more: nothing was missing then."""
    first = {"a": stale(at(7), at(8)), "b": extra(at(9))}
    then = {"a": stale(at(11), at(8)), "b": stale(at(12), at(9))}

    assert judge(first, then) == Judgement(changing=2)
