"""`bridge.sink.covers`: what lies in the checkpoint topic."""

import pytest
from msgspec.structs import replace

from bridge.model.checkpoint import Checkpoint, Identity, Phase
from bridge.model.position import Epoch, Position, ResourceVersion
from bridge.model.resource import Resource, Selection
from bridge.sink.covers import FORMAT, Unreadable, Written, decode, encode, index_prefix, target_of
from bridge.sink.route import Target, partition_of

SELECTION = Selection(Resource("", "v1", "pods", "Pod", namespaced=True), "shop", "app=web", None)
CHECKPOINT = Checkpoint(
    Epoch(5),
    Phase.LIVE,
    Position(Epoch(5), ResourceVersion("12"), 1763886600123),
    Identity("uid", "prod", SELECTION, "k8s.{resource}"),
    {"k8s.pods": 12},
)


def test_a_checkpoint_comes_back_as_it_was() -> None:
    assert decode(encode(CHECKPOINT, 99)) == Written(FORMAT, 99, CHECKPOINT)


def test_a_position_before_a_delete_comes_back() -> None:
    position = Position(Epoch(5), ResourceVersion("12"), 1).after_delete(ResourceVersion("13"))
    checkpoint = replace(CHECKPOINT, position=position)

    assert decode(encode(checkpoint, 99)).checkpoint == checkpoint


def test_the_form_on_disk_is_fixed() -> None:
    """What an older version has written must be read by all later ones: change this only together with FORMAT."""
    assert encode(CHECKPOINT, 99) == (
        b'{"format":1,"written":99,"checkpoint":{"epoch":5,"phase":"live",'
        b'"position":{"epoch":5,"version":"12","time":1763886600123},'
        b'"identity":{"cluster_uid":"uid","cluster":"prod","selection":{"resource":{"group":"","version":"v1",'
        b'"plural":"pods","kind":"Pod","namespaced":true},"namespace":"shop","label_selector":"app=web",'
        b'"field_selector":null},"topic":"k8s.{resource}","mask":"none"},"partitions":{"k8s.pods":12},'
        b'"indexed":0,"began":null,"honoured":"","ids":{},"salt":""}}'
    )


def test_a_checkpoint_of_before_masks_is_read() -> None:
    """An upgrade goes on from it. Nothing was masked then, and nothing has a salt."""
    before = encode(CHECKPOINT, 99).replace(b',"mask":"none"', b"").replace(b',"salt":""', b"")

    assert decode(before) == Written(FORMAT, 99, CHECKPOINT)


def test_the_salt_comes_back() -> None:
    """Digests of before stay what they were, over restarts and on other replicas."""
    salted = replace(CHECKPOINT, salt="5a17", identity=replace(CHECKPOINT.identity, mask="secrets"))

    assert decode(encode(salted, 99)).checkpoint == salted


def test_a_newer_form_is_refused_by_name() -> None:
    """After a downgrade: to take it for no checkpoint would announce a gap that is none, or hide one."""
    with pytest.raises(Unreadable, match="has format 2, this event-bridge reads up to 1: a newer one wrote it"):
        decode(b'{"format":2,"place":"elsewhere"}')


@pytest.mark.parametrize(
    "value", [b"", b"{", b"\xff", b"[]", b'{"format":1}', b'{"format":1,"written":1,"checkpoint":3}']
)
def test_what_is_no_checkpoint_is_refused(value: bytes) -> None:
    with pytest.raises(Unreadable, match="is no checkpoint"):
        decode(value)


def test_a_streams_records_lie_in_one_partition() -> None:
    assert target_of("c", 32, "pods") == Target("c", partition_of(b"pods", 32))
    assert index_prefix("pods") == b"pods/"
