"""aiokafka's producer, and what it does not tell: its requests under way, and that a connection has broken."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason

from bridge.sink.connection import abandon

GONE = (CloseReason.CONNECTION_BROKEN, CloseReason.CONNECTION_TIMEOUT, CloseReason.OUT_OF_SYNC)

Requests = set["asyncio.Task[Any]"]


class Client:
    """Owns an aiokafka producer. Its `stop` waits for answers that may never come: `kill` does not.

    *lost* is set when a connection has broken, which it replaces without a word.
    """

    def __init__(self, options: dict[str, Any]) -> None:
        self.producer = AIOKafkaProducer(**options)
        self._transactional = "transactional_id" in options
        self.requests: Requests = set()
        self.lost = asyncio.Event()
        sender, client = self.producer._sender, self.producer.client  # noqa: SLF001
        for name in ("_send_produce_req", "_do_add_partitions_to_txn", "_do_txn_commit"):  # all that its sender begins
            setattr(sender, name, self._noted(getattr(sender, name)))
        self._get: Callable[..., Coroutine[Any, Any, object]] = client._get_conn  # noqa: SLF001
        setattr(client, "_get_conn", self._get_conn)  # noqa: B010 - a method, for the type checker
        self._closed: Callable[[object, CloseReason | None], None] = client._on_connection_closed  # noqa: SLF001
        setattr(client, "_on_connection_closed", self._on_closed)  # noqa: B010 - a method, for the type checker

    def _noted(self, request: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
        async def noted(*args: Any) -> Any:  # noqa: ANN401 - handed on
            task = asyncio.current_task()
            assert task is not None
            self.requests.add(task)
            task.add_done_callback(self.requests.discard)
            return await request(*args)

        return noted

    async def _get_conn(
        self, node: object, *, group: object = ConnectionGroup.DEFAULT, no_hint: bool = False
    ) -> object:
        """A connection that a broker has just ended is forgotten by aiokafka: not closed, nor told of as lost."""
        known = self.producer.client._conns.get((node, group))  # noqa: SLF001
        if known is not None and not known.connected():
            known.close(reason=CloseReason.CONNECTION_BROKEN)
        return await self._get(node, group=group, no_hint=no_hint)

    def _on_closed(self, connection: object, reason: CloseReason | None) -> None:
        if reason in GONE and self._transactional:
            self.lost.set()
        self._closed(connection, reason)

    async def kill(self) -> None:
        self.producer._closed = True  # noqa: SLF001 - or it complains when the object goes
        sender = self.producer._sender  # noqa: SLF001
        await abandon(self.producer.client, lambda: (sender.sender_task, *self.requests))
