"""The sandbox's Kafka broker: `async with Broker() as broker`, and clients connect to `broker.bootstrap`."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from msgspec import Struct

from bridge.sandbox.broker.answers import Answers
from bridge.sandbox.broker.bell import Bell
from bridge.sandbox.broker.catalogue import Address, Catalogue
from bridge.sandbox.broker.cleaner import clean
from bridge.sandbox.broker.coordination import Coordination
from bridge.sandbox.broker.faults import Faults
from bridge.sandbox.broker.membership import Membership
from bridge.sandbox.broker.records import Records
from bridge.sandbox.broker.topics import Topic, Topics
from bridge.sandbox.broker.transactions import Transaction, Transactions
from bridge.sandbox.broker.wire import serve

NOTHING: Mapping[str, str] = {}
HOST = "127.0.0.1"
END = 5.0
"""Seconds for cancelled connections to end: they do in the next turns of the loop."""


class Options(Struct, frozen=True):
    """*auto_create*: topics that are asked for are made, with *partitions*. *retention*: bytes that a partition keeps.

    *sweep*: seconds between looks for transactions that have timed out; Kafka takes 10. *rebalance_delay*: seconds that
    a new group waits for more members; Kafka takes 3. *verify*: whether transactional records are refused of which the
    coordinator does not know; without, a client can leave transactions that hang.
    """

    auto_create: bool = False
    partitions: int = 1
    retention: int | None = None
    sweep: float = 1.0
    rebalance_delay: float = 0.0
    verify: bool = True


class Broker:
    """Use as a context. Owns the socket, the clients' connections and all that they have written.

    Runs on the loop that enters it; time is the loop's, but for what is written into records and marks.
    """

    def __init__(self, port: int = 0, options: Options = Options()) -> None:  # noqa: B008 - frozen
        """Port 0: a free one, the same for good."""
        self._port = port
        self._bell = Bell()
        self._topics = Topics(options.partitions, options.retention)
        self._membership = Membership(self._topics, options.rebalance_delay)
        self._transactions = Transactions(self._topics, self._ended, options.sweep, verify=options.verify)
        self._faults = Faults()
        self._answers = Answers(
            Records(self._topics, self._transactions, self._bell),
            Catalogue(self._topics, self._bell, creates=options.auto_create),
            Coordination(self._topics, self._transactions, self._membership.offsets, self._bell),
            self._membership,
            self._faults,
        )
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def bootstrap(self) -> str:
        return f"{HOST}:{self._port}"

    async def start(self) -> None:
        """Also after `stop`: same port, same data."""
        assert self._server is None, "it runs"
        self._server = await asyncio.start_server(self._connected, HOST, self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self._answers.at(Address(HOST, self._port))
        self._membership.resume()
        self._transactions.resume()

    async def stop(self) -> None:
        """Down: connections are cut, nobody can connect; what was acknowledged is kept."""
        if self._server is None:
            return
        self._server.close()
        self._server = None
        self._membership.pause()
        self._transactions.pause()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        if connections:
            await asyncio.wait(connections, timeout=END)

    def create(self, name: str, partitions: int = 1, settings: Mapping[str, str] = NOTHING) -> None:
        """A topic, which clients can make as well."""
        refused = self._topics.create(name, partitions, settings)
        if refused is not None:
            raise ValueError(refused.message)

    def compact(self, name: str, *, tombstones: bool = True) -> None:
        """As the log cleaner does; *tombstones* of False: as it does when delete.retention.ms is over."""
        for log in self._topic(name).logs:
            clean(log, tombstones=tombstones)

    def unlead(self, name: str, partition: int) -> None:
        """The partition has no leader: it cannot be written or read."""
        self._topic(name).leaderless.add(partition)
        self._bell.ring()

    def lead(self, name: str, partition: int) -> None:
        """It has one again."""
        self._topic(name).leaderless.discard(partition)
        self._transactions.retry()
        self._bell.ring()

    def refuse(self, api: str, code: int, times: int = 1) -> None:
        """The next requests of that API ("Produce", "EndTxn") are not done, but answered with this error."""
        self._faults.refuse(api, code, times)

    def lose(self, api: str, times: int = 1) -> None:
        """The next requests of that API are done, and their connections cut before they are answered."""
        self._faults.lose(api, times)

    def delay(self, seconds: float) -> None:
        """Every answer takes this long from now on."""
        self._faults.latency = seconds

    def _topic(self, name: str) -> Topic:
        topic = self._topics.get(name)
        if topic is None:
            raise LookupError(f"no topic {name}")
        return topic

    def _ended(self, transaction: Transaction, committed: bool) -> None:
        for group in transaction.groups:
            self._membership.offsets(group).decide(transaction.producer_id, committed=committed)
        self._bell.ring()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Runs in a task that asyncio makes, one for each connection."""
        task = asyncio.current_task()
        assert task is not None
        if self._server is None:  # stopped meanwhile
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await serve(reader, writer, self._answers)
        except asyncio.CancelledError:
            if self._server is not None:
                raise
            # by `stop`; asyncio 3.11 would report a cancelled connection as a failure of its own
        finally:
            self._connections.discard(task)
