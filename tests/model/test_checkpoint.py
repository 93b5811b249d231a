import pytest
from msgspec.structs import replace

from bridge.model.checkpoint import LONGEST, Began, Checkpoint, Identity, Phase, Restart, Resume, nothing_yet, start
from bridge.model.event import Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, Epoch, Position, ResourceVersion
from bridge.model.resource import Resource, Selection
from tests.source.words import PODS, added, at, deleted, inferred, listed, modified

IDENTITY = Identity("uid-1", "prod", Selection(PODS), "k8s.pods")
LATER = 9


def live(version: str = "100") -> Checkpoint:
    return Checkpoint(Epoch(5), Phase.LIVE, at(5, version), IDENTITY, {"k8s.pods": 12})


def relisting(before: Position | None = None) -> Checkpoint:
    return Checkpoint(Epoch(6), Phase.RELISTING, before, IDENTITY, {"k8s.pods": 12})


def test_a_change_moves_the_position() -> None:
    """What is committed with a record must cover it: else the record is published again after a crash."""
    events: list[Event] = [added("a", "101"), modified("a", "102")]

    assert live().after(events, LATER) == replace(live(), position=at(5, "102", LATER))


def test_nothing_said_moves_nothing() -> None:
    """Not even the time of the position: it tells operators how long a stream has heard nothing."""

    assert live().after([], LATER) == live()


def test_the_position_stays_before_a_delete() -> None:
    """Many deletes may share a version: resumed after the first, the others would never be said (etcd's leases)."""
    after = live().after([deleted("a", "101")], LATER)

    assert after == replace(live(), position=at(5, "100").after_delete(ResourceVersion("101")))


def test_deletes_do_not_hold_back_what_comes_after_them() -> None:
    """A position that waited for the last delete would be expired by the next compaction."""
    events: list[Event] = [deleted("a", "101"), deleted("b", "101"), added("c", "102"), deleted("d", "103")]

    assert live().after(events, LATER) == replace(
        live(), position=at(5, "102", LATER).after_delete(ResourceVersion("103"))
    )


def test_a_bookmark_moves_the_position_past_deletes() -> None:
    """It is the server's word that nothing of that version is to come."""
    events: list[Event] = [deleted("a", "101"), Progress(at(5, "105"))]

    assert live().after(events, LATER) == replace(live(), position=at(5, "105"))


def test_a_change_after_a_bookmark_is_newer_than_it() -> None:
    """The order in which things were said is the order of the positions."""
    events: list[Event] = [added("a", "101"), Progress(at(5, "105")), added("b", "106")]

    assert live().after(events, LATER) == replace(live(), position=at(5, "106", LATER))


def test_a_new_epoch_keeps_the_position_before_the_gap() -> None:
    """If the relist never finishes, the next RESTARTED must still name the last position that consumers can trust."""
    events: list[Event] = [
        added("a", "101"),
        Restarted(Epoch(6), RestartReason.EXPIRED, "", at(5, "101")),
        listed("a", "98"),
    ]

    assert live().after(events, LATER) == replace(relisting(at(5, "101")), began=Began("expired", "", LATER))


def test_listed_objects_are_no_progress() -> None:
    """Their versions are in no order: resumed from one of them, changes would be lost."""

    assert relisting(at(5, "90")).after([listed("a", "200"), inferred("b")], LATER) == relisting(at(5, "90"))


def test_the_end_of_a_snapshot_is_the_first_position_of_its_epoch() -> None:
    """From here on a crash costs no relist."""
    events: list[Event] = [listed("a", "200"), Synced(at(6, "300"))]

    assert relisting(at(5, "90")).after(events, LATER) == replace(relisting(), phase=Phase.LIVE, position=at(6, "300"))


def test_a_whole_epoch_may_be_one_transaction() -> None:
    """A small resource is listed and live within one commit interval."""
    events: list[Event] = [
        Restarted(Epoch(6), RestartReason.INITIAL),
        listed("a", "98"),
        Synced(at(6, "100")),
        modified("a", "101"),
    ]

    assert nothing_yet(IDENTITY).after(events, LATER) == Checkpoint(
        Epoch(6), Phase.LIVE, at(6, "101", LATER), IDENTITY, {}, began=Began("initial", "", LATER)
    )


def test_a_checkpoint_does_not_repeat_long_messages() -> None:
    """It is written with every transaction of its epoch."""
    after = live().after([Restarted(Epoch(6), RestartReason.UNDECODABLE, "x" * 5000)], LATER)

    assert after.began == Began("undecodable", "x" * LONGEST, LATER)


def test_an_epoch_that_does_not_grow_is_our_mistake() -> None:
    """Consumers would take the new snapshot for an old one; better to commit nothing."""

    with pytest.raises(AssertionError):
        live().after([Restarted(Epoch(5), RestartReason.EXPIRED)], LATER)


def test_a_snapshot_that_ends_in_another_epoch_is_our_mistake() -> None:
    """Consumers would sweep away what the epoch did not bring."""

    with pytest.raises(AssertionError):
        relisting().after([Synced(at(5, "100"))], LATER)


def test_a_live_checkpoint_is_resumed() -> None:
    """A restart of the bridge costs the API server no list, and consumers no snapshot."""

    assert start(live(), IDENTITY, {"k8s.pods": 12}) == Resume(at(5, "100"))


def test_without_a_checkpoint_an_epoch_begins() -> None:
    """The first start."""

    assert start(None, IDENTITY, {}) == Restart(RestartReason.INITIAL, "no checkpoint", NO_EPOCH, None)


def test_a_checkpoint_before_the_first_epoch_is_none() -> None:
    """A producer that was opened and never wrote leaves one; "interrupted" would say that there had been an epoch."""

    assert start(nothing_yet(IDENTITY), IDENTITY, {}) == Restart(RestartReason.INITIAL, "no checkpoint", NO_EPOCH, None)


def test_a_relist_that_did_not_finish_is_begun_anew() -> None:
    """What it had brought is unknown; the new epoch names the position before both gaps."""

    assert start(relisting(at(5, "90")), IDENTITY, {"k8s.pods": 12}) == Restart(
        RestartReason.INTERRUPTED, "the relist before did not finish", Epoch(6), at(5, "90")
    )


def test_a_resource_that_comes_back_begins_a_new_epoch() -> None:
    """Consumers were told that nothing is left. To resume would leave out all that was there when it came back."""
    events: list[Event] = [
        Restarted(Epoch(6), RestartReason.RESOURCE_REMOVED, "404", at(5, "100")),
        Synced(at(6, "100"), gone=True),
    ]
    gone = live().after(events, LATER)

    assert gone.phase is Phase.REMOVED
    assert start(gone, IDENTITY, {"k8s.pods": 12}) == Restart(
        RestartReason.RESOURCE_REMOVED, "it was served no more, and is served again", Epoch(6), at(6, "100")
    )


def test_a_topic_that_was_deleted_has_to_be_told_anew_however_many_partitions_it_has_now() -> None:
    """The bridge may have made it anew, and died before it could say so there."""
    remembered = replace(live(), partitions={"k8s.pods": 0})

    for now in ({"k8s.pods": 12}, {"k8s.pods": 0}, {}):
        assert start(remembered, IDENTITY, now) == Restart(
            RestartReason.REPARTITIONED, "k8s.pods was deleted", Epoch(5), live().position
        )


def test_a_live_checkpoint_without_a_position_is_not_trusted() -> None:
    """There is nowhere to resume from: an unset version would mean "any"."""

    assert start(replace(live(), position=None), IDENTITY, {}) == Restart(
        RestartReason.INTERRUPTED, "the relist before did not finish", Epoch(5), None
    )


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        (replace(IDENTITY, cluster_uid="uid-2"), "cluster uid was uid-1, is uid-2"),
        (replace(IDENTITY, cluster="test"), "cluster was prod, is test"),
        (replace(IDENTITY, topic="other"), "topic was k8s.pods, is other"),
        (replace(IDENTITY, mask="secrets"), "mask was none, is secrets"),
        (replace(IDENTITY, selection=Selection(PODS, "a")), "namespace was unset, is a"),
        (replace(IDENTITY, selection=Selection(PODS, None, "x=y")), "labelSelector was unset, is x=y"),
        (replace(IDENTITY, selection=Selection(PODS, None, None, "x=y")), "fieldSelector was unset, is x=y"),
        (
            replace(IDENTITY, selection=Selection(Resource("apps", "v1", "pods", "Pod", namespaced=True))),
            "resource was pods v1 Pod, is pods.apps apps/v1 Pod",
        ),
        (replace(IDENTITY, cluster="test", topic="x"), "cluster was prod, is test, topic was k8s.pods, is x"),
    ],
)
def test_a_checkpoint_of_something_else_is_worthless(identity: Identity, message: str) -> None:
    """Behaviour 39. Its version means nothing there: the same address may lead to another cluster today."""

    assert start(live(), identity, {"k8s.pods": 12}) == Restart(
        RestartReason.IDENTITY_CHANGED, message, Epoch(5), at(5, "100")
    )


@pytest.mark.parametrize(("was", "now"), [("", "uid-1"), ("uid-1", ""), ("", "")])
def test_an_unknown_cluster_uid_proves_nothing(was: str, now: str) -> None:
    """Without the right to read kube-system a stream still resumes, and does not relist when the right is given."""
    checkpoint = replace(live(), identity=replace(IDENTITY, cluster_uid=was))

    assert start(checkpoint, replace(IDENTITY, cluster_uid=now), {}) == Resume(at(5, "100"))


def test_another_number_of_partitions_moves_the_keys() -> None:
    """An object's next record would lie in another partition than its last one, and be read out of order."""
    checkpoint = replace(live(), partitions={"b": 3, "a": 12, "c": 1})

    assert start(checkpoint, IDENTITY, {"a": 24, "b": 6, "c": 1}) == Restart(
        RestartReason.REPARTITIONED, "a had 12 partitions, has 24, b had 3 partitions, has 6", Epoch(5), at(5, "100")
    )


@pytest.mark.parametrize("partitions", [{}, {"k8s.pods": 12, "new": 3}])
def test_a_topic_that_is_new_or_gone_is_no_reason(partitions: dict[str, int]) -> None:
    """A template may name a topic that nothing was ever written to."""

    assert start(live(), IDENTITY, partitions) == Resume(at(5, "100"))


def test_one_gap_has_one_reason_and_identity_comes_first() -> None:
    """The stronger reason wins: a relist of another cluster must not be announced as a mere interruption."""
    identity = replace(IDENTITY, topic="other")

    assert start(relisting(at(5, "90")), identity, {"k8s.pods": 24}) == Restart(
        RestartReason.IDENTITY_CHANGED, "topic was k8s.pods, is other", Epoch(6), at(5, "90")
    )
