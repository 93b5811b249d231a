"""`bridge.sink.transaction`: our bytes are those that aiokafka's general way makes of the same request."""

from io import BytesIO

from aiokafka.protocol.produce import ProduceRequest_v7, ProduceResponse_v7
from aiokafka.protocol.transaction import (
    AddPartitionsToTxnRequest_v0,
    AddPartitionsToTxnResponse_v0,
    EndTxnRequest_v0,
    EndTxnResponse_v0,
)
from hypothesis import given
from hypothesis import strategies as st

from bridge.sink.route import Target
from bridge.sink.seal import Identity
from bridge.sink.transaction import Answered, Ended, Refusals, Written, added, ended, produced

NAMES = st.text(min_size=1, max_size=30)
PARTITIONS = st.integers(0, 2**31 - 1)
TARGETS = st.dictionaries(NAMES, st.lists(PARTITIONS, min_size=1, max_size=5, unique=True), max_size=4)
WHO = st.builds(Identity, st.integers(-1, 2**63 - 1), st.integers(-1, 2**15 - 1))
CODES = st.integers(-1, 2**15 - 1)
OFFSETS = st.integers(-1, 2**63 - 1)


def flat(topics: dict[str, list[int]]) -> list[Target]:
    return [Target(topic, partition) for topic, partitions in topics.items() for partition in partitions]


@given(NAMES, WHO, TARGETS)
def test_partitions_are_added_as_the_library_would(name: str, who: Identity, topics: dict[str, list[int]]) -> None:
    """A byte amiss would make brokers cut the connection, or take another partition into the transaction."""
    theirs = AddPartitionsToTxnRequest_v0(name, who.producer_id, who.epoch, list(topics.items()))

    assert added(name, who, flat(topics)).body == theirs.encode()


@given(NAMES, WHO, st.booleans())
def test_an_end_is_told_as_the_library_would(name: str, who: Identity, committed: bool) -> None:
    """Commit and abort differ by one bit."""
    theirs = EndTxnRequest_v0(name, who.producer_id, who.epoch, committed)

    assert ended(name, who, committed=committed).body == theirs.encode()


@given(st.none() | NAMES, TARGETS, st.data(), st.integers(0, 2**31 - 1))
def test_batches_are_sent_as_the_library_would(
    name: str | None, topics: dict[str, list[int]], data: st.DataObject, patience: int
) -> None:
    batches = {target: data.draw(st.binary(max_size=20)) for target in flat(topics)}
    entries = [(topic, [(each, batches[Target(topic, each)]) for each in parts]) for topic, parts in topics.items()]

    assert produced(name, batches, patience).body == ProduceRequest_v7(name, -1, patience, entries).encode()


@given(TARGETS, st.data())
def test_refusals_are_read_as_they_were_written(topics: dict[str, list[int]], data: st.DataObject) -> None:
    """A refusal that is overlooked would commit without the partition: its records would hang for ever."""
    codes = {target: data.draw(CODES) for target in flat(topics)}
    errors = [(topic, [(each, codes[Target(topic, each)]) for each in parts]) for topic, parts in topics.items()]
    wire = AddPartitionsToTxnResponse_v0(7, errors).encode()

    assert Refusals.decode(BytesIO(wire)).partitions == {target: Answered(code) for target, code in codes.items()}


@given(TARGETS, st.data())
def test_what_was_written_is_read_as_it_was_told(topics: dict[str, list[int]], data: st.DataObject) -> None:
    """By the offsets a topic that was made anew is noticed."""
    said = {target: Answered(data.draw(CODES), data.draw(OFFSETS)) for target in flat(topics)}
    entries = [
        (topic, [(each, said[Target(topic, each)].error, said[Target(topic, each)].offset, -1, 0) for each in parts])
        for topic, parts in topics.items()
    ]

    assert Written.decode(ProduceResponse_v7(entries, 7).encode()).partitions == said


@given(CODES)
def test_how_an_end_went_is_read(code: int) -> None:
    assert Ended.decode(EndTxnResponse_v0(7, code).encode()).error == code
