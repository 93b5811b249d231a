"""What is to go wrong next, on order: answers replaced by errors, answers lost, and all of them late."""

from collections import deque

from bridge.sandbox.broker.apis import NAMES


class Faults:
    """Owns the orders, by the APIs' names in Kafka ("Produce", "EndTxn"). *latency*: seconds, of any answer."""

    def __init__(self) -> None:
        self.latency = 0.0
        self._refusals: dict[str, deque[int]] = {name: deque() for name in NAMES}
        self._losses = dict.fromkeys(NAMES, 0)

    def refuse(self, name: str, code: int, times: int) -> None:
        assert name in NAMES, f"{name} is none of {', '.join(sorted(NAMES))}"
        self._refusals[name].extend([code] * times)

    def lose(self, name: str, times: int) -> None:
        assert name in NAMES, f"{name} is none of {', '.join(sorted(NAMES))}"
        self._losses[name] += times

    def take_refusal(self, name: str) -> int:
        """0: none."""
        orders = self._refusals[name]
        return orders.popleft() if orders else 0

    def take_loss(self, name: str) -> bool:
        if self._losses[name] == 0:
            return False
        self._losses[name] -= 1
        return True
