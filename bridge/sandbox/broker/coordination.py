"""The desk for transactions: from InitProducerId to EndTxn, and DescribeTransactions."""

from collections.abc import Callable

from bridge.sandbox.broker.apis import Fields, Request, per_partition
from bridge.sandbox.broker.bell import Bell
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.offsets import Committed, Offsets
from bridge.sandbox.broker.topics import Topics
from bridge.sandbox.broker.transactions import State, Transactions


class Coordination:
    """*offsets*: those of a group, by its name."""

    def __init__(
        self, topics: Topics, transactions: Transactions, offsets: Callable[[str], Offsets], bell: Bell
    ) -> None:
        self._topics = topics
        self._transactions = transactions
        self._offsets = offsets
        self._bell = bell

    def begin(self, request: Request) -> Fields:
        asked = request.fields
        seconds = asked["transaction_timeout_ms"] / 1000
        code, producer_id, epoch = self._transactions.begin(asked["transactional_id"], seconds)
        self._bell.ring()
        return {"error_code": code, "producer_id": producer_id, "producer_epoch": epoch}

    def add(self, request: Request) -> Fields:
        """One partition that does not exist, and none is added."""
        asked = request.fields
        places = [(topic["topic"], number) for topic in asked["topics"] for number in topic["partitions"]]
        unknown = {place for place in places if self._topics.log(place) is Code.UNKNOWN_TOPIC_OR_PARTITION}
        code = Code.OPERATION_NOT_ATTEMPTED
        if not unknown:
            code = self._transactions.add(*_who(asked), places)

        def tell(topic: str, number: int) -> Fields:
            wrong = Code.UNKNOWN_TOPIC_OR_PARTITION if (topic, number) in unknown else code
            return {"partition": number, "error_code": wrong}

        return {"errors": _errors(per_partition(asked["topics"], tell))}

    def add_offsets(self, request: Request) -> Fields:
        asked = request.fields
        return {"error_code": self._transactions.add(*_who(asked), (), [asked["group_id"]])}

    def commit_offsets(self, request: Request) -> Fields:
        asked = request.fields
        group = asked["group_id"]
        code = self._transactions.check(*_who(asked), group)
        commits = {
            (topic["topic"], part["partition"]): Committed(part["offset"], part["metadata"] or "")
            for topic in asked["topics"]
            for part in topic["partitions"]
        }
        if code is Code.NONE:
            self._offsets(group).propose(asked["producer_id"], commits)
        told = per_partition(asked["topics"], lambda _, part: {"partition": part["partition"], "error_code": code})
        return {"errors": _errors(told)}

    def end(self, request: Request) -> Fields:
        asked = request.fields
        code = self._transactions.end(*_who(asked), commit=asked["transaction_result"])
        self._bell.ring()
        return {"error_code": code}

    def describe(self, request: Request) -> Fields:
        return {"transaction_states": [self._state(name) for name in request.fields["transactional_ids"]]}

    def list(self, request: Request) -> Fields:
        """Of the states and producers that are asked for; of all where none is."""
        states, producers = request.fields["state_filters"], request.fields["producer_id_filters"]
        found = [
            {
                "transactional_id": each.name,
                "producer_id": each.producer_id,
                "transaction_state": each.state.value,
            }
            for each in self._transactions
            if (not states or each.state in states) and (not producers or each.producer_id in producers)
        ]
        unknown = [state for state in states if state not in {each.value for each in State}]
        return {"error_code": Code.NONE, "unknown_state_filters": unknown, "transaction_states": found}

    def _state(self, name: str) -> Fields:
        transaction = self._transactions.get(name)
        if transaction is None:
            return {
                "error_code": Code.TRANSACTIONAL_ID_NOT_FOUND,
                "transactional_id": name,
                "transaction_state": "",
            }
        topics: dict[str, list[int]] = {}
        for topic, number in sorted(transaction.places):
            topics.setdefault(topic, []).append(number)
        is_empty = transaction.state is State.EMPTY
        return {
            "error_code": Code.NONE,
            "transactional_id": name,
            "transaction_state": transaction.state.value,
            "transaction_timeout_ms": int(transaction.timeout * 1000),
            "transaction_start_time_ms": -1 if is_empty else transaction.started,
            "producer_id": transaction.producer_id,
            "producer_epoch": transaction.epoch,
            "topics": [{"topic": topic, "partitions": numbers} for topic, numbers in topics.items()],
        }


def _errors(told: list[Fields]) -> list[Fields]:
    """As these APIs call them."""
    return [{"topic": topic["topic"], "partition_errors": topic["partitions"]} for topic in told]


def _who(asked: Fields) -> tuple[str, int, int]:
    return asked["transactional_id"], asked["producer_id"], asked["producer_epoch"]
