"""A producer's client of aiokafka's, and what that does not tell: that a connection has broken."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.conn import CloseReason

from bridge.sink.connection import Settings, abandon

GONE = (CloseReason.CONNECTION_BROKEN, CloseReason.CONNECTION_TIMEOUT, CloseReason.OUT_OF_SYNC)
_Get = Callable[..., Coroutine[Any, Any, object]]
_Closed = Callable[[object, CloseReason | None], None]


class Client:
    """Owns an aiokafka client. With transactions *lost* is set when a connection has broken, which it replaces."""

    def __init__(self, options: Settings, *, transactional: bool) -> None:
        client = self.kafka = AIOKafkaClient(**options)
        self.lost = asyncio.Event()
        self._transactional = transactional
        self._get: _Get = client._get_conn  # noqa: SLF001
        setattr(client, "_get_conn", self._get_conn)  # noqa: B010 - a method, for the type checker
        self._closed: _Closed = client._on_connection_closed  # noqa: SLF001
        setattr(client, "_on_connection_closed", self._on_closed)  # noqa: B010 - a method, for the type checker

    async def _get_conn(
        self, node: object, *, group: object = ConnectionGroup.DEFAULT, no_hint: bool = False
    ) -> object:
        """A connection that a broker has just ended is forgotten by aiokafka: not closed, nor told of as lost."""
        known = self.kafka._conns.get((node, group))  # noqa: SLF001
        if known is not None and not known.connected():
            known.close(reason=CloseReason.CONNECTION_BROKEN)
        return await self._get(node, group=group, no_hint=no_hint)

    def _on_closed(self, connection: object, reason: CloseReason | None) -> None:
        if reason in GONE and self._transactional:
            self.lost.set()
        self._closed(connection, reason)

    async def kill(self) -> None:
        """Whatever is under way. Twice does no harm."""
        await abandon(self.kafka)
