"""A stream's view of it all: whether it is ours, and what is asked of it."""

import math

from bridge.ownership.claims import Claims
from bridge.ownership.rivals import Rivals
from bridge.sink.requests import Requests


class Seat:
    """Of one stream, in its partition of the checkpoint topic. Without *claims* all is ours: nobody shares."""

    def __init__(self, stream: str, partition: int, claims: Claims | Rivals | None, requests: Requests) -> None:
        self._stream = stream
        self._partition = partition
        self._claims = claims
        self._requests = requests

    def left(self) -> float:
        return math.inf if self._claims is None else self._claims.left(self._partition)

    async def held(self) -> None:
        """Also, requests that are not yet there when this returns will be heard."""
        if self._claims is not None:
            await self._claims.owned(self._partition)
        await self._requests.follow(self._partition)

    async def asked(self, known: str) -> None:
        await self._requests.asked(self._stream, known)
