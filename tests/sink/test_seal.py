"""`bridge.sink.records` and `seal`: what they write is what the library would, and what other clients read."""

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from hypothesis import given
from hypothesis import strategies as st

from bridge.sink.batch import FULL_RUN, Batches
from bridge.sink.compression import CODECS
from bridge.sink.records import ABSENT, SHORT, framed, record, varint
from bridge.sink.route import Target
from bridge.sink.seal import Author, Identity, sealed
from tests.sink.reading import Pair, unpacked

WHO = Identity(77, 3)
TIME = 1_764_000_000_123
UNBOUNDED = (1 << 31) - 1


def ours(pairs: list[Pair], codec: int = 0, *, transactional: bool = True, sequence: int = 5) -> bytes:
    batches = Batches({})
    for key, value in pairs:
        assert key is not None
        batches.add(Target("t", 0), key, value)
    (run,) = batches.runs
    return sealed(run.pieces, run.count, TIME, Author(WHO, codec, transactional), sequence)


def theirs(pairs: list[Pair], *, transactional: bool = True, sequence: int = 5) -> bytes:
    builder = DefaultRecordBatchBuilder(2, 0, transactional, WHO.producer_id, WHO.epoch, sequence, UNBOUNDED)
    for number, (key, value) in enumerate(pairs):
        builder.append(number, TIME, key, value, [])
    return bytes(builder.build())


SIZES = st.one_of(st.integers(0, 300), st.integers(SHORT - 100, SHORT + 100), st.integers(0, 70_000))
PAIRS = st.lists(
    st.tuples(st.integers(0, 400).map(lambda n: b"k" * n), st.one_of(st.none(), SIZES.map(lambda n: b"v" * n))),
    min_size=1,
    max_size=6,
)


@given(PAIRS, st.booleans(), st.integers(0, 2**31 - 1))
def test_a_batch_is_byte_by_byte_the_librarys(pairs: list[Pair], transactional: bool, sequence: int) -> None:
    """A length that is wrong by one is a batch that no consumer can read, for as long as the topic keeps it."""
    if sum(len(key or b"") + len(value or b"") for key, value in pairs) < FULL_RUN - 1000:
        written = ours(pairs, transactional=transactional, sequence=sequence)

        assert written == theirs(pairs, transactional=transactional, sequence=sequence)


@pytest.mark.parametrize("size", [*range(50, 70), *range(8100, 8200), 2**20 - 60, 2**20])
def test_lengths_grow_with_what_they_count(size: int) -> None:
    """Where a varint gets a byte longer, so does the record whose length it is part of."""
    pairs: list[Pair] = [(b"pods/a/x", b"v" * size)]

    assert ours(pairs) == theirs(pairs)


def test_a_batch_may_have_very_many_records() -> None:
    """The index of a large cluster: entries of a few bytes each."""
    pairs: list[Pair] = [(b"%d" % n, None if n % 7 == 0 else b"u") for n in range(2 * SHORT)]
    pieces = [
        piece
        for number, (key, value) in enumerate(pairs)
        for piece in record(
            number, framed(key or b""), ABSENT if value is None else 1, () if value is None else (value,)
        )
    ]

    assert sealed(pieces, len(pairs), TIME, Author(WHO, 0, transactional=True), 5) == theirs(pairs)


def test_a_value_in_pieces_is_one_value() -> None:
    whole = sealed(record(0, framed(b"k"), 6, (b"ab", b"cd", b"ef")), 1, TIME, Author(WHO, 0, transactional=True), 5)

    assert whole == theirs([(b"k", b"abcdef")])


@pytest.mark.parametrize("name", [name for name in CODECS if name != "none"])
def test_every_codec_is_one_that_others_read(name: str) -> None:
    """Their framings differ between libraries: Kafka has its own of LZ4 and snappy."""
    pairs: list[Pair] = [(b"pods/a/%d" % n, b'{"name":"pod-%d"}' % n * 50) for n in range(200)]

    written = ours(pairs, CODECS[name])

    assert unpacked(written) == pairs
    assert len(written) < len(theirs(pairs)) / 4
    assert DefaultRecordBatch(written).compression_type == CODECS[name]


def test_what_grows_by_compression_is_left_as_it_is() -> None:
    pairs: list[Pair] = [(b"k", b"x")]

    assert ours(pairs, CODECS["zstd"]) == theirs(pairs)


@given(st.integers(0, 2**31))
def test_a_varint_is_read_back(number: int) -> None:
    read = 0
    for place, byte in enumerate(varint(number)):
        read |= (byte & 0x7F) << 7 * place

    assert (read >> 1, read & 1, varint(number)[-1] & 0x80) == (number, 0, 0)


def test_absence_is_the_length_minus_one() -> None:
    assert varint(ABSENT) == b"\x01"
