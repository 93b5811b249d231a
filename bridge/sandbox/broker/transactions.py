"""The transaction coordinator: which producer may write under a transactional id, and how its transactions end.

After Kafka's TransactionCoordinator with the requests of before KIP-890, which is what clients get from the versions
that are offered. A transaction is decided first and marked in its partitions next; here both happen at once, unless a
partition has no leader: then it stays decided and unmarked, and is asked about in vain, until the leader is back.
"""

import asyncio
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.log import Log
from bridge.sandbox.broker.topics import Place, Topics

LONGEST = 900.0
"""Seconds that a transaction may take at most (transaction.max.timeout.ms)."""
LAST_EPOCH = 2**15 - 2
"""After it comes a new producer id: an epoch is two bytes, and the coordinator needs one more to fence."""
FIRST_ID = 1000


class State(StrEnum):
    """As DescribeTransactions calls them."""

    EMPTY = "Empty"
    ONGOING = "Ongoing"
    PREPARE_COMMIT = "PrepareCommit"
    PREPARE_ABORT = "PrepareAbort"
    COMPLETE_COMMIT = "CompleteCommit"
    COMPLETE_ABORT = "CompleteAbort"


PREPARED = (State.PREPARE_COMMIT, State.PREPARE_ABORT)


class Transaction:
    """The last one of a transactional id. Owns its state; *started* is the time of day (ms), for people."""

    def __init__(self, name: str, producer_id: int) -> None:
        self.name = name
        self.producer_id = producer_id
        self.epoch = -1
        self.timeout = 0.0
        self.state = State.EMPTY
        self.places: set[Place] = set()
        self.groups: set[str] = set()
        self.started = -1
        self.timer: asyncio.TimerHandle | None = None


Ended = Callable[[Transaction, bool], None]
"""Called when a transaction is complete; True: committed."""


class Transactions:
    """Owns all transactions. *sweep*: seconds between looks for those that have timed out.

    *verify*: whether records of no transaction known here are refused (transaction.partition.verification.enable).
    """

    def __init__(self, topics: Topics, ended: Ended, sweep: float, *, verify: bool) -> None:
        self._topics = topics
        self._ended = ended
        self._sweep = sweep
        self._verify = verify
        self._known: dict[str, Transaction] = {}
        self._ids = itertools.count(FIRST_ID)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(self._known.values())

    def get(self, name: str) -> Transaction | None:
        return self._known.get(name)

    def begin(self, name: str | None, timeout: float) -> tuple[Code, int, int]:
        """InitProducerId: a producer id and its epoch. Who had them before is fenced, its transaction aborted."""
        if name is None:
            return Code.NONE, next(self._ids), 0
        if not name:
            return Code.INVALID_REQUEST, -1, -1
        if not 0 < timeout <= LONGEST:
            return Code.INVALID_TRANSACTION_TIMEOUT, -1, -1
        transaction = self._known.get(name)
        if transaction is None:
            transaction = self._known[name] = Transaction(name, next(self._ids))
        if transaction.state is State.ONGOING:
            self._fence(transaction)
            return Code.CONCURRENT_TRANSACTIONS, -1, -1
        self.retry()
        if transaction.state in PREPARED:
            return Code.CONCURRENT_TRANSACTIONS, -1, -1
        self._renew(transaction)
        transaction.timeout = timeout
        transaction.state = State.EMPTY
        return Code.NONE, transaction.producer_id, transaction.epoch

    def add(self, name: str, producer_id: int, epoch: int, places: Iterable[Place], groups: Iterable[str] = ()) -> Code:
        """AddPartitionsToTxn and AddOffsetsToTxn. The first of a transaction begins it."""
        transaction, wrong = self._of(name, producer_id, epoch)
        if transaction is None:
            return wrong
        if transaction.state in PREPARED:
            return Code.CONCURRENT_TRANSACTIONS
        if transaction.state is not State.ONGOING:
            transaction.state = State.ONGOING
            transaction.started = int(time.time() * 1000)
            self._watch(transaction)
        transaction.places.update(places)
        transaction.groups.update(groups)
        return Code.NONE

    def end(self, name: str, producer_id: int, epoch: int, *, commit: bool) -> Code:
        """EndTxn. One that is asked again is answered again."""
        transaction, wrong = self._of(name, producer_id, epoch)
        if transaction is None:
            return wrong
        match transaction.state, commit:
            case State.ONGOING, _:
                self._decide(transaction, commit=commit)
                return Code.NONE
            case (State.COMPLETE_COMMIT, True) | (State.COMPLETE_ABORT, False):
                return Code.NONE
            case (State.PREPARE_COMMIT, True) | (State.PREPARE_ABORT, False):
                return Code.CONCURRENT_TRANSACTIONS
            case _:
                return Code.INVALID_TXN_STATE

    def admits(self, name: str | None, producer_id: int, epoch: int, place: Place, log: Log) -> Code:
        """Whether a transactional batch may be written. A partition where its transaction is open asks nobody."""
        if log.is_open(producer_id) or not self._verify:
            return Code.NONE
        transaction, wrong = self._of(name or "", producer_id, epoch)
        if transaction is None:
            return wrong
        if transaction.state in PREPARED:  # producers of before KIP-890 would not try again after the true reason
            return Code.NOT_ENOUGH_REPLICAS
        is_added = transaction.state is State.ONGOING and place in transaction.places
        return Code.NONE if is_added else Code.INVALID_TXN_STATE

    def check(self, name: str, producer_id: int, epoch: int, group: str) -> Code:
        """Whether offsets of *group* may be committed in the transaction."""
        transaction, wrong = self._of(name, producer_id, epoch)
        if transaction is None:
            return wrong
        is_added = transaction.state is State.ONGOING and group in transaction.groups
        return Code.NONE if is_added else Code.INVALID_TXN_STATE

    def retry(self) -> None:
        """Mark what is decided and could not be marked: a leader is back."""
        for transaction in self._known.values():
            if transaction.state in PREPARED:
                self._complete(transaction)

    def resume(self) -> None:
        """Every open one has its whole time again."""
        for transaction in self._known.values():
            if transaction.state is State.ONGOING:
                self._watch(transaction)

    def pause(self) -> None:
        """The broker stops; nothing times out meanwhile."""
        for transaction in self._known.values():
            _unwatch(transaction)

    def _of(self, name: str, producer_id: int, epoch: int) -> tuple[Transaction | None, Code]:
        """The transaction of *name*, if it is that producer's."""
        transaction = self._known.get(name)
        if transaction is None or transaction.producer_id != producer_id:
            return None, Code.INVALID_PRODUCER_ID_MAPPING if name else Code.INVALID_REQUEST
        if transaction.epoch != epoch:
            return None, Code.INVALID_PRODUCER_EPOCH
        self.retry()  # the topic that it waited for may have been deleted
        return transaction, Code.NONE

    def _renew(self, transaction: Transaction) -> None:
        if transaction.epoch >= LAST_EPOCH:
            transaction.producer_id, transaction.epoch = next(self._ids), 0
        else:
            transaction.epoch += 1

    def _fence(self, transaction: Transaction) -> None:
        """Whoever is in it may not go on."""
        transaction.epoch += 1
        self._decide(transaction, commit=False)

    def _decide(self, transaction: Transaction, *, commit: bool) -> None:
        _unwatch(transaction)
        transaction.state = State.PREPARE_COMMIT if commit else State.PREPARE_ABORT
        self._complete(transaction)

    def _complete(self, transaction: Transaction) -> None:
        """Mark its end in the partitions where that has not been done; those of deleted topics need none."""
        committed = transaction.state is State.PREPARE_COMMIT
        now = int(time.time() * 1000)
        for place in sorted(transaction.places):
            log = self._topics.log(place)
            if isinstance(log, Log):
                log.end_transaction(transaction.producer_id, transaction.epoch, now, committed=committed)
            if log is not Code.NOT_LEADER_OR_FOLLOWER:
                transaction.places.discard(place)
        if not transaction.places:
            transaction.state = State.COMPLETE_COMMIT if committed else State.COMPLETE_ABORT
            self._ended(transaction, committed)
            transaction.groups.clear()

    def _watch(self, transaction: Transaction) -> None:
        """At the first sweep after its time is over."""
        loop = asyncio.get_running_loop()
        due = math.ceil((loop.time() + transaction.timeout) / self._sweep) * self._sweep
        transaction.timer = loop.call_at(due, self._fence, transaction)


def _unwatch(transaction: Transaction) -> None:
    if transaction.timer is not None:
        transaction.timer.cancel()
        transaction.timer = None
