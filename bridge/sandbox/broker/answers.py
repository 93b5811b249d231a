"""Which desk answers which request; and what is answered instead, where a fault was ordered."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from bridge.sandbox.broker.apis import APIS, Fields, Request
from bridge.sandbox.broker.catalogue import Address, Catalogue
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.coordination import Coordination
from bridge.sandbox.broker.faults import Faults
from bridge.sandbox.broker.membership import Membership
from bridge.sandbox.broker.records import Records
from bridge.sandbox.broker.refusals import overridden, refusal

Answer = Fields | None
Desk = Callable[[Request], Answer | Awaitable[Answer]]


class Lost(Exception):  # noqa: N818 - what was ordered
    """The request was done, and its answer is to be lost with the connection."""


class Answers:
    def __init__(
        self,
        records: Records,
        catalogue: Catalogue,
        coordination: Coordination,
        membership: Membership,
        faults: Faults,
    ) -> None:
        self._faults = faults
        self._address = Address("", 0)
        self._desks: dict[str, Desk] = {
            "Produce": records.produce,
            "Fetch": records.fetch,
            "ListOffsets": records.list_offsets,
            "Metadata": lambda request: catalogue.metadata(request, self._address),
            "OffsetCommit": membership.commit,
            "OffsetFetch": membership.fetch,
            "FindCoordinator": lambda request: membership.find(request, self._address),
            "JoinGroup": membership.join,
            "Heartbeat": membership.heartbeat,
            "LeaveGroup": membership.leave,
            "SyncGroup": membership.sync,
            "DescribeGroups": membership.describe,
            "ListGroups": membership.list,
            "DeleteGroups": membership.delete,
            "ApiVersions": _versions,
            "CreateTopics": catalogue.create,
            "DeleteTopics": catalogue.delete,
            "InitProducerId": coordination.begin,
            "AddPartitionsToTxn": coordination.add,
            "AddOffsetsToTxn": coordination.add_offsets,
            "EndTxn": coordination.end,
            "TxnOffsetCommit": coordination.commit_offsets,
            "DescribeConfigs": catalogue.describe,
            "CreatePartitions": catalogue.grow,
            "DescribeTransactions": coordination.describe,
            "ListTransactions": coordination.list,
        }
        assert set(self._desks) == {api.name for api in APIS.values()}

    def at(self, address: Address) -> None:
        """Where clients are to be told that this broker is."""
        self._address = address

    async def answer(self, request: Request) -> Answer:
        """None: there is none. Raises `Lost`."""
        name = request.api.name
        if code := self._faults.take_refusal(name):
            answer = await self._refused(request, code)
        else:
            answer = await self._done(request)
        if self._faults.latency:
            await asyncio.sleep(self._faults.latency)
        if self._faults.take_loss(name):
            raise Lost
        return answer

    async def _refused(self, request: Request, code: int) -> Answer:
        """Nothing is done. Metadata is told but for the errors: a client needs the brokers in it to ask again."""
        if request.api.name == "Metadata":
            return overridden(await self._done(request), code)  # type: ignore[no-any-return]
        if request.api.name == "Produce" and request.fields["required_acks"] == 0:
            return None
        return refusal(request, code)

    async def _done(self, request: Request) -> Answer:
        answer = self._desks[request.api.name](request)
        return await answer if isawaitable(answer) else answer


def _versions(request: Request) -> Fields:
    """Kafka says what it offers also to who asked in a version that it does not (KIP-511)."""
    return {
        "error_code": Code.NONE if request.offered else Code.UNSUPPORTED_VERSION,
        "api_versions": [
            {"api_key": api.key, "min_version": api.told[0], "max_version": api.told[1]} for api in APIS.values()
        ],
    }
