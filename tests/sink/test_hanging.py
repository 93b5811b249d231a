"""`bridge.sink.hanging`, as far as it needs no broker: how a transaction was decided."""

import pytest

from bridge.sink.hanging import Last, Unsettled, Verdict


@pytest.mark.parametrize(
    ("state", "epoch", "committed"),
    [
        ("PrepareCommit", 8, True),
        ("CompleteCommit", 8, True),
        ("PrepareAbort", 8, False),
        ("CompleteAbort", 8, False),
        ("Empty", 8, False),
        ("Ongoing", 9, False),
        ("Ongoing", 8, True),
    ],
)
def test_a_transaction_is_ended_as_it_was_decided(state: str, epoch: int, committed: bool) -> None:
    """To end it otherwise would lose or repeat records. One that was open when we asked may have been committed before
    our producer was started; then its epoch grew by one only.
    """
    assert Last(state, 1, 7).was_committed(epoch) is committed


def test_a_verdict_outlives_attempts_that_fail_before_it_is_written() -> None:
    """Kafka forgets it when a producer is started: the second attempt would take what was committed for aborted."""
    unsettled = Unsettled()
    told = [
        unsettled.learn(Last("CompleteCommit", 1, 7), 1, 8),
        unsettled.learn(Last("Empty", 1, 8), 1, 9),
        unsettled.learn(Last("Ongoing", 1, 9), 1, 11),
    ]

    assert told == [Verdict(1, 8, committed=True), Verdict(1, 9, committed=True), Verdict(1, 11, committed=True)]


def test_a_verdict_that_is_written_is_forgotten() -> None:
    unsettled = Unsettled()
    unsettled.learn(Last("CompleteCommit", 1, 7), 1, 8)
    unsettled.settled()

    assert unsettled.learn(Last("Empty", 1, 8), 1, 9) == Verdict(1, 9, committed=False)


@pytest.mark.parametrize("last", [Last("CompleteAbort", 1, 30), Last("Empty", 1, 30)])
def test_a_verdict_does_not_outlive_another_owner(last: Last) -> None:
    """Who had the stream meanwhile has settled it, and what hangs now is of its own."""
    unsettled = Unsettled()
    unsettled.learn(Last("CompleteCommit", 1, 7), 1, 8)

    assert unsettled.learn(last, 1, 31) == Verdict(1, 31, committed=False)


@pytest.mark.parametrize("last", [None, Last("CompleteCommit", 2, 7)])
def test_where_nothing_can_be_known_nothing_is_settled(last: Last | None) -> None:
    """An id that was never used; brokers that cannot tell; an id that has got another producer id."""
    assert Unsettled().learn(last, 1, 8) is None
