"""`bridge.sink.batch`: runs that fit into one batch each, in order."""

from bridge.sink.batch import FULL_RUN, Batches, largest_record
from bridge.sink.records import BATCH_OVERHEAD, RECORD_OVERHEAD
from bridge.sink.route import Target
from tests.sink.reading import records_of

A, B = Target("t", 0), Target("t", 1)


def runs(batches: Batches) -> list[tuple[Target, list[bytes | None]]]:
    return [(run.target, [value for _, value in records_of(run)]) for run in batches.runs]


def test_records_of_a_partition_stay_in_order_and_together() -> None:
    batches = Batches({})
    for target, value in ((A, b"1"), (B, b"2"), (A, b"3")):
        batches.add(target, b"k", value)

    assert runs(batches) == [(A, [b"1", b"3"]), (B, [b"2"])]
    assert (batches.bytes, batches.count) == (9, 3)


def test_a_tombstone_counts_its_key() -> None:
    batches = Batches({})
    batches.add(A, b"key", None)

    assert (batches.bytes, runs(batches)) == (3, [(A, [None])])


def test_a_run_ends_before_it_is_larger_than_the_topic_takes() -> None:
    """The broker would refuse the whole batch, and the producer with it."""
    limit = BATCH_OVERHEAD + 2 * (RECORD_OVERHEAD + 12)
    batches = Batches({"t": limit})
    for value in (b"a" * 10, b"b" * 10, b"c" * 10):
        batches.add(A, b"k", value)
    batches.add(B, b"k", b"")

    assert runs(batches) == [(A, [b"a" * 10, b"b" * 10]), (A, [b"c" * 10]), (B, [b""])]


def test_what_is_larger_than_a_run_goes_alone() -> None:
    batches = Batches({})
    for value in (b"1", b"x" * FULL_RUN, b"2"):
        batches.add(A, b"k", value)

    assert [[len(value or b"") for value in values] for _, values in runs(batches)] == [[1], [FULL_RUN], [1]]


def test_the_largest_record_fits_alone() -> None:
    assert largest_record(1000) + BATCH_OVERHEAD + RECORD_OVERHEAD == 1000
