"""`bridge.sink.hanging`, as far as it needs no broker: how a transaction was decided."""

import pytest

from bridge.sink.hanging import Last


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
