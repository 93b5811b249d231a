"""What a partition remembers of idempotent producers, and what it takes from them next (KIP-98, KIP-360).

After Kafka's ProducerStateManager and ProducerAppendInfo.
"""

from collections import deque

from msgspec import Struct

from bridge.sandbox.broker.batch import Batch
from bridge.sandbox.broker.codes import Code

REMEMBERED = 5
"""Batches of a producer that are recognized when they come again (ProducerStateEntry.NUM_BATCHES_TO_RETAIN): as many as
one may have under way."""
END = 2**31
"""Sequence numbers begin again at 0 before it."""


class Known(Struct, frozen=True):
    """It is in the log already, at this offset: to be acknowledged, not written."""

    offset: int


class _Sent(Struct, frozen=True, gc=False):
    first: int
    last: int
    offset: int


class _Producer:
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.sent: deque[_Sent] = deque(maxlen=REMEMBERED)


class Sequences:
    """Owns the producers of one partition: their epochs and last batches."""

    def __init__(self) -> None:
        self._producers: dict[int, _Producer] = {}

    def judge(self, batch: Batch) -> Known | Code:
        """`Code.NONE`: it comes next."""
        if batch.sequence < 0:
            return Code.INVALID_RECORD
        producer = self._producers.get(batch.producer_id)
        if producer is None:
            return Code.NONE  # any number: what came before may have been deleted
        if batch.epoch < producer.epoch:
            return Code.INVALID_PRODUCER_EPOCH
        if batch.epoch > producer.epoch:
            return Code.NONE if batch.sequence == 0 else Code.OUT_OF_ORDER_SEQUENCE_NUMBER
        last = _last(batch)
        for sent in producer.sent:
            if (sent.first, sent.last) == (batch.sequence, last):
                return Known(sent.offset)
        expected = (producer.sent[-1].last + 1) % END if producer.sent else 0
        return Code.NONE if batch.sequence == expected else Code.OUT_OF_ORDER_SEQUENCE_NUMBER

    def note(self, batch: Batch) -> None:
        """It has been written. A mark of a transaction's end has no number, but may bring a new epoch."""
        producer = self._producers.get(batch.producer_id)
        if producer is None or producer.epoch != batch.epoch:
            producer = self._producers[batch.producer_id] = _Producer(batch.epoch)
        if not batch.control:
            producer.sent.append(_Sent(batch.sequence, _last(batch), batch.base))


def _last(batch: Batch) -> int:
    return (batch.sequence + batch.last - batch.base) % END
