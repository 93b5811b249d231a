"""`bridge.following`: what is waited for, and what is told at once."""

import asyncio
from collections.abc import Sequence

import pytest

from bridge.following import Waiting, patiently
from bridge.sink.connection import SettingFault


class Reading:
    """Reads one record with each attempt from the *first* on, and is refused after each but the last."""

    def __init__(self, first: int) -> None:
        self._first = first
        self.attempts = 0
        self.told: list[Waiting] = []

    def position(self) -> int:
        return max(0, self.attempts - self._first)

    async def attempt(self, _: asyncio.Event) -> str:
        self.attempts += 1
        if self.attempts < 3:
            raise SettingFault("refused the login")
        return "read"

    def tell(self, waits: Sequence[Waiting]) -> None:
        self.told += waits


async def test_a_login_that_never_worked_is_told_at_once() -> None:
    """A person has just mistyped it, and looks at the screen."""
    reading = Reading(first=1)

    with pytest.raises(SettingFault):
        await patiently(reading.attempt, reading.position, reading.tell, asyncio.Event())

    assert reading.attempts == 1


async def test_a_login_that_has_worked_is_waited_for() -> None:
    """A password is renewed in Kafka first, and a minute later in our file: no reason to end."""
    reading = Reading(first=0)

    said = await patiently(reading.attempt, reading.position, reading.tell, asyncio.Event())

    assert (said, reading.attempts) == ("read", 3)
    assert [wait.why for wait in reading.told] == ["refused the login"] * 2
