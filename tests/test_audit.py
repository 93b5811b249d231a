"""The judge is judged: each kind of violation, made by hand in a small topic, must be found; a clean one must pass."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.audit.judge import judge
from tests.audit.ledger import Act, Ledger, Live, Scope, Write
from tests.audit.records import murmur2, order
from tests.audit.report import Report
from tests.handmade import CLEAN_LEDGER, SCOPE, STREAM, TIME, TOPIC, Story, clean, ledger, with_gap


def verdict(story: Story, done: Ledger | None = None, scope: Scope = SCOPE) -> Report:
    return judge([story.log()], [scope], done)


def repeated(story: Story, *acts: tuple[str, str, str, str]) -> Report:
    """The verdict for at-least-once."""
    return judge([story.log()], [SCOPE], ledger(*CLEAN_LEDGER, *acts), repeats=True)


def kinds(report: Report) -> set[str]:
    return {violation.kind for violation in report.violations}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_murmur2_is_javas(key: str, value: int) -> None:
    """The vectors of Kafka's own UtilsTest."""
    assert murmur2(key.encode()) == value % 2**32


def test_versions_are_ordered_as_integers_of_any_length() -> None:
    assert order("9") < order("10") < order("99999999999999999999999999") < order("100000000000000000000000000")


def test_a_clean_topic_passes() -> None:
    report = verdict(clean(), ledger(*CLEAN_LEDGER))
    assert report.violations == []
    assert report.counts["writes told as they happened"] == 3
    assert report.counts["writes inside announced gaps"] == 1


def test_an_announced_gap_passes() -> None:
    """What was made and deleted inside the gap leaves no trace, and need not."""
    acts = [*CLEAN_LEDGER, ("d", "d1", "ADDED", "15"), ("d", "d1", "DELETED", ""), ("c", "c1", "ADDED", "17")]
    report = verdict(with_gap(), ledger(*acts, ("a", "a1", "DELETED", "")))
    assert report.violations == []
    assert report.counts["writes inside announced gaps"] == 5


def test_an_epoch_that_was_interrupted_passes() -> None:
    story = clean().restarted(2, "expired", (1, "14")).change("LISTED", "a", "a1", "13")
    story.restarted(3, "interrupted", (1, "14")).change("LISTED", "a", "a1", "13").synced("20")
    assert verdict(story, ledger(*CLEAN_LEDGER)).violations == []


def test_a_gap_may_begin_before_the_last_delete() -> None:
    """Many deletes may share a version, and all of them must be told before a position can stand behind it."""
    story = clean().restarted(2, "expired", (1, "13")).change("LISTED", "a", "a1", "13").synced("20")
    assert verdict(story, ledger(*CLEAN_LEDGER)).violations == []


def test_a_rewound_history_passes() -> None:
    """Versions come again for other changes; what the restored backup did not know is excused."""
    story = clean().restarted(2, "rewound", (1, "14")).change("LISTED", "a", "a1", "7").synced("11")
    story.change("ADDED", "b", "b2", "12")
    final = [Live("configmaps", "default", "a", "a1", "7", {}), Live("configmaps", "default", "b", "b2", "12", {})]
    done = ledger(*CLEAN_LEDGER, ("x", "x1", "ADDED", "16"), ("b", "b2", "ADDED", "12"))
    assert verdict(story, Ledger(done.writes, set(), final)).violations == []


def spoil(wanted: Callable[[dict[str, Any]], bool], **fields: object) -> Story:
    """The clean topic with other fields in the last record that is *wanted*."""
    story = with_gap()
    (*_, value) = [value for _, _, value in story.entries if wanted(value)]
    value.update(fields)
    return story


def is_a(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda value: value["type"] == kind


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(spoil(is_a("SYNCED"), objects=9), id="objects miscounted"),
        pytest.param(spoil(is_a("SYNCED"), partition=0), id="marker for another partition"),
        pytest.param(spoil(is_a("SYNCED"), partitions=12), id="marker with another partition count"),
        pytest.param(spoil(is_a("SYNCED"), epoch=3), id="marker of another epoch"),
        pytest.param(spoil(is_a("SYNCED"), resourceVersion="21"), id="partitions disagree on the version"),
        pytest.param(spoil(is_a("RESTARTED"), reason="requested"), id="partitions disagree on the reason"),
        pytest.param(spoil(is_a("RESTARTED"), epoch=1), id="epoch does not grow"),
        pytest.param(spoil(is_a("MODIFIED"), resourceVersion="11"), id="version is not the object's"),
        pytest.param(spoil(is_a("MODIFIED"), object=None), id="change without object"),
        pytest.param(spoil(is_a("MODIFIED"), resourceVersion=""), id="change without version"),
        pytest.param(spoil(is_a("LISTED"), epoch=1), id="change of another epoch"),
        pytest.param(spoil(is_a("DELETED"), resourceVersion="19"), id="inferred delete with a version"),
        pytest.param(spoil(is_a("MODIFIED"), inferred=True), id="inferred change that is no delete"),
        pytest.param(spoil(is_a("PROGRESS"), resourceVersion="9"), id="progress goes back"),
        pytest.param(clean().change("LISTED", "z", "z1", "9"), id="LISTED after SYNCED"),
        pytest.param(clean().inferred("a", "a1"), id="inferred delete after SYNCED"),
        pytest.param(Story().restarted(1).change("ADDED", "a", "a1", "7").synced("10"), id="live change before SYNCED"),
        pytest.param(Story().synced("10").restarted(1).synced("10"), id="no RESTARTED at the beginning"),
        pytest.param(clean().restarted(2, "expired", (1, "14")), id="last epoch not synced"),
        pytest.param(clean().restarted(2, "expired").synced("20"), id="gap without beginning"),
        pytest.param(clean().restarted(2, "initial").synced("20"), id="position forgotten"),
        pytest.param(clean().restarted(2, "expired", (1, "12")).synced("20"), id="gap larger than the truth"),
        pytest.param(
            with_gap().restarted(3, "expired", (1, "20")).synced("30"), id="previous epoch is not the last one"
        ),
        pytest.param(clean().progress("30").change("ADDED", "z", "z1", "30"), id="change after progress"),
        pytest.param(clean().change("ADDED", "z", "z1", "10"), id="change of the snapshot's version"),
    ],
)
def test_bad_grammar_is_found(story: Story) -> None:
    assert "grammar" in kinds(verdict(story))


@pytest.mark.parametrize("reason", ["bored", 7])
def test_a_value_outside_the_protocol_is_found(reason: object) -> None:
    assert "unreadable" in kinds(verdict(spoil(is_a("RESTARTED"), reason=reason)))


def test_a_marker_missing_in_one_partition_is_found() -> None:
    story = clean().restarted(2, "expired", (1, "14")).synced("20")
    story.entries = [entry for entry in story.entries if not (entry[0] == 1 and entry[2]["epoch"] == 2)]
    assert kinds(verdict(story)) == {"grammar"}


@pytest.mark.parametrize("field", ["partition", "key"])
def test_a_record_in_the_wrong_place_is_found(field: str) -> None:
    story = clean()
    partition, key, value = story.entries[-1]
    story.entries[-1] = (1 - partition, key, value) if field == "partition" else (partition, "configmaps/b", value)
    assert "grammar" in kinds(verdict(story))


def test_a_marker_with_an_objects_key_is_found() -> None:
    story = clean().progress("20")
    partition, _, value = story.entries[-1]
    story.entries[-1] = (partition, "configmaps/default/a", value)
    assert kinds(verdict(story)) == {"grammar"}


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(clean().change("MODIFIED", "a", "a1", "13"), id="live twice"),
        pytest.param(
            clean().restarted(2, "expired", (1, "14")).synced("20").change("DELETED", "b", "b1", "14"), id="later"
        ),
        pytest.param(
            Story().restarted(1).change("LISTED", "a", "a1", "7").change("LISTED", "a", "a1", "7").synced("9"), id="L"
        ),
        pytest.param(
            Story().restarted(1).change("LISTED", "a", "a1", "7").synced("6").change("MODIFIED", "a", "a1", "7"),
            id="LM",
        ),
    ],
)
def test_a_double_is_found(story: Story) -> None:
    assert "doubled" in kinds(verdict(story))


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(clean().change("MODIFIED", "a", "a1", "12"), id="backwards"),
        pytest.param(clean().change("ADDED", "a", "a1", "15"), id="added twice"),
        pytest.param(clean().change("MODIFIED", "b", "b1", "15"), id="modified after its delete"),
        pytest.param(clean().change("DELETED", "b", "b1", "15"), id="deleted twice"),
        pytest.param(clean().change("MODIFIED", "a", "a2", "15"), id="another uid without delete"),
        pytest.param(
            clean().restarted(2, "expired", (1, "14")).change("LISTED", "a", "a2", "16").synced("20"),
            id="delete untold",
        ),
        pytest.param(
            clean().restarted(2, "expired", (1, "14")).change("LISTED", "a", "a1", "11").synced("20"),
            id="snapshot too old",
        ),
    ],
)
def test_a_wrong_order_is_found(story: Story) -> None:
    assert "order" in kinds(verdict(story))


def without(kind: str) -> Story:
    story = clean()
    story.entries = [entry for entry in story.entries if entry[2]["type"] != kind]
    return story


@pytest.mark.parametrize("kind", ["ADDED", "MODIFIED", "DELETED"])
def test_a_lost_write_is_found(kind: str) -> None:
    assert "lost" in kinds(verdict(without(kind), ledger(*CLEAN_LEDGER)))


def test_a_write_before_the_announced_gap_is_not_excused() -> None:
    story = with_gap()
    story.entries = [entry for entry in story.entries if entry[2]["type"] != "MODIFIED"]
    done = ledger(*CLEAN_LEDGER, ("c", "c1", "ADDED", "17"), ("a", "a1", "DELETED", ""))
    assert kinds(verdict(story, done)) == {"lost"}


def test_an_unknown_outcome_is_not_held_against_anyone() -> None:
    done = ledger(*CLEAN_LEDGER, unknown={"configmaps/default/b"})
    story = without("ADDED")
    assert "lost" not in kinds(verdict(story, done))


def test_an_invented_change_is_found() -> None:
    done = ledger(*CLEAN_LEDGER)
    assert "invented" in kinds(verdict(clean().change("MODIFIED", "a", "a1", "15"), done))


def test_the_mark_that_the_api_server_sets_before_a_delete_is_no_invention() -> None:
    story = clean().change("MODIFIED", "a", "a1", "15", deletionTimestamp=TIME)
    story.change("DELETED", "a", "a1", "16", deletionTimestamp=TIME)
    assert verdict(story, ledger(*CLEAN_LEDGER, ("a", "a1", "DELETED", ""))).violations == []


def test_a_delete_that_shows_a_mark_nobody_was_told_of_is_found() -> None:
    """The change that set the mark was lost, although no ledger knows its version."""
    story = clean().change("DELETED", "a", "a1", "16", deletionTimestamp=TIME)
    assert kinds(verdict(story, ledger(*CLEAN_LEDGER, ("a", "a1", "DELETED", "")))) == {"lost"}


def test_a_stream_that_nobody_asked_for_and_a_silent_one_are_found() -> None:
    assert kinds(verdict(clean(), scope=Scope("others", TOPIC, "configmaps"))) == {"invented", "missing"}


def test_an_incomplete_snapshot_is_found() -> None:
    """Also when the followers end well, since a later change heals them."""
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "13")
    done = ledger(("a", "a1", "ADDED", "7"), ("a", "a1", "MODIFIED", "13"))
    assert "snapshot" in kinds(verdict(story, done))


def test_ghosts_missing_and_stale_objects_are_found() -> None:
    done = ledger(*CLEAN_LEDGER)
    final = [Live("configmaps", "default", "new", "n1", "3", {})]
    assert {"ghost", "missing"} <= kinds(verdict(clean(), Ledger(done.writes, set(), final)))
    final = [Live("configmaps", "default", "a", "a1", "99", {})]
    assert kinds(verdict(clean(), Ledger(done.writes, set(), final))) == {"stale"}


def test_a_delete_that_only_the_markers_tell_is_found() -> None:
    """Consumers that know no markers would keep a ghost."""
    story = clean().restarted(2, "expired", (1, "14")).synced("20")
    done = ledger(*CLEAN_LEDGER, ("a", "a1", "DELETED", ""))
    assert {"stale", "lost", "ghost"} <= kinds(verdict(story, done))


def test_an_inferred_delete_that_the_snapshot_contradicts_is_found() -> None:
    story = (
        clean().restarted(2, "expired", (1, "14")).change("LISTED", "a", "a1", "13").inferred("a", "a1").synced("20")
    )
    assert kinds(verdict(story, ledger(*CLEAN_LEDGER))) == {"stale", "missing"}


def labelled(*acts: tuple[str, str, str]) -> Ledger:
    """The life of one object by (act, version, app label)."""
    writes, after = [], ""
    for number, (act, version, app) in enumerate(acts):
        kind = msgspec.convert(act, Act)
        writes.append(Write("configmaps", "default", "a", "a1", kind, version, after, {"app": app}, float(number)))
        after = version
    return Ledger(writes, set(), [])


SELECTED = Scope(STREAM, TOPIC, "configmaps", selector="app=web")


def test_objects_that_enter_and_leave_a_selection_pass() -> None:
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "12").change("DELETED", "a", "a1", "13")
    done = labelled(("ADDED", "11", "db"), ("MODIFIED", "12", "web"), ("MODIFIED", "13", "db"), ("DELETED", "", "db"))
    assert verdict(story, done, SELECTED).violations == []


def test_a_leaving_that_was_not_told_is_found() -> None:
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "12")
    done = labelled(("ADDED", "12", "web"), ("MODIFIED", "13", "db"))
    assert kinds(verdict(story, done, SELECTED)) == {"lost", "ghost"}


def test_a_leaving_told_as_a_modification_is_found() -> None:
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "12").change("MODIFIED", "a", "a1", "13")
    done = labelled(("ADDED", "12", "web"), ("MODIFIED", "13", "db"))
    assert kinds(verdict(story, done, SELECTED)) == {"order", "ghost"}


BACK_AND_GONE = labelled(
    ("ADDED", "12", "web"), ("MODIFIED", "13", "db"), ("MODIFIED", "15", "web"), ("DELETED", "", "web")
)


def test_what_comes_back_and_goes_inside_one_gap_leaves_no_trace() -> None:
    """It had left the selection before the gap, so nobody believes in it."""
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "12").change("DELETED", "a", "a1", "13")
    story.restarted(2, "expired", (1, "14")).synced("20")
    assert verdict(story, BACK_AND_GONE, SELECTED).violations == []


def test_what_comes_back_and_goes_outside_a_gap_is_owed() -> None:
    story = Story().restarted(1).synced("10").change("ADDED", "a", "a1", "12").change("DELETED", "a", "a1", "13")
    assert kinds(verdict(story, BACK_AND_GONE, SELECTED)) == {"lost"}


def test_two_streams_in_one_topic_are_judged_apart() -> None:
    """The same object in both is no double."""
    one, other = clean(), clean()
    for _, _, value in other.entries:
        value["stream"] = "others"
    other.entries = [(p, "others" if key == STREAM else key, value) for p, key, value in other.entries]
    one.entries += other.entries
    report = judge([one.log()], [SCOPE, Scope("others", TOPIC, "configmaps")], ledger(*CLEAN_LEDGER))
    assert report.violations == []


def test_the_report_names_places_and_reasons() -> None:
    text = str(verdict(clean().change("MODIFIED", "a", "a1", "13"), ledger(*CLEAN_LEDGER)))
    assert f"doubled    {TOPIC}[" in text
    assert "RESTARTED things initial" in text
    assert "verdict: 1 doubled" in text


MORE = [("a", "a1", "MODIFIED", "15"), ("a", "a1", "MODIFIED", "16")]


def then(story: Story, *versions: int) -> Story:
    """Changes of `a`. The last one that `clean` tells is 13."""
    for version in versions:
        story.change("MODIFIED", "a", "a1", f"{version}")
    return story


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(then(clean(), 15, 16, 15, 16), id="a run"),
        pytest.param(then(clean(), 15, 16, 13, 15, 16), id="from further back"),
        pytest.param(then(clean(), 15, 16, 16), id="the last word"),
        pytest.param(then(clean(), 15, 16, 15, 13, 15, 16), id="cut short by another"),
        pytest.param(then(then(then(clean(), 15, 16).progress("16"), 15).progress("15"), 16), id="progress in between"),
    ],
)
def test_without_transactions_a_run_may_be_told_again(story: Story) -> None:
    """After a crash all that no checkpoint covered is said once more. Exactly once it is a violation."""
    assert repeated(story, *MORE).violations == []
    assert not verdict(story, ledger(*CLEAN_LEDGER, *MORE)).ok


@pytest.mark.parametrize(
    "versions",
    [
        pytest.param([15, 16, 13, 16], id="with a hole"),
        pytest.param([15, 16, 13], id="not to its end, as a zombie's"),
        pytest.param([15, 16, 13, 17], id="not to its end, and on"),
        pytest.param([15, 16, 14], id="what was never told"),
        pytest.param([16, 15], id="in another order"),
    ],
)
def test_what_is_told_again_otherwise_is_found(versions: list[int]) -> None:
    """State went back, and does not end right."""
    assert "order" in kinds(judge([then(clean(), *versions).log()], repeats=True))


def test_what_is_lost_is_found_among_repetitions() -> None:
    assert "lost" in kinds(repeated(then(clean(), 16, 16), *MORE))


def test_a_snapshot_is_never_repeated_within_its_epoch() -> None:
    """Who crashes in a relist begins another epoch."""
    story = Story().restarted(1).change("LISTED", "a", "a1", "7").change("LISTED", "a", "a1", "7").synced("10")
    assert "doubled" in kinds(judge([story.log()], repeats=True))


def test_without_transactions_more_may_be_told_than_is_remembered() -> None:
    """So a gap begins where the checkpoint stood, an epoch may be forgotten, and a delete be inferred twice."""
    earlier = clean().restarted(2, "expired", (1, "12")).change("LISTED", "a", "a1", "13").synced("20")
    forgotten = clean().restarted(2, "expired", (1, "14")).change("LISTED", "a", "a1", "13").synced("20")
    forgotten.restarted(3, "interrupted", (1, "14")).change("LISTED", "a", "a1", "13").synced("21")
    twice = with_gap().restarted(3, "interrupted", (1, "14")).inferred("a", "a1").change("LISTED", "c", "c1", "17")
    twice.synced("21")

    for story in (earlier, forgotten, twice):
        assert judge([story.log()], repeats=True).violations == []
        assert not judge([story.log()]).ok


def test_an_epoch_that_has_told_more_cannot_be_forgotten() -> None:
    """What comes after SYNCED comes after its checkpoint."""
    story = with_gap().change("ADDED", "d", "d1", "22").restarted(3, "interrupted", (1, "14"))
    story.change("LISTED", "c", "c1", "17").change("LISTED", "d", "d1", "22").synced("30")
    assert "grammar" in kinds(judge([story.log()], repeats=True))
