"""The broker's side of a group: one connection to its coordinator, one method for each request, a deadline on each.

aiokafka's own consumer is not used: its rebalances are eager, its sticky assignor is broken, a member without
partitions is lost when it is not polled, and what is wrong with the group is raised somewhere else. Its requests are.
"""

import asyncio
import enum
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment as Assignment
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata as Metadata
from aiokafka.protocol.admin import DescribeGroupsRequest
from aiokafka.protocol.group import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
)
from msgspec import Struct

from bridge.config.tree import Config
from bridge.ownership.words import NOBODY, Said, Told, encode, said, told
from bridge.sink.addresses import hasten, share_of
from bridge.sink.connection import ANSWER, Settings, abandon, faults, settings

KIND = "consumer"
"""The protocol's type: Kafka's own tools show members and partitions of such groups."""
PROTOCOL = "event-bridge-1"
"""The way to share out. A later version that shares out otherwise takes another name, and offers both."""
GATHER = 5.0
"""Seconds that a broker lets a new group wait for more members, and some: group.initial.rebalance.delay.ms is 3 s."""
POLL = 0.2
DYNAMIC: Any = None
"""No static membership (KIP-345): who leaves is to be replaced at once, not after a session."""
OUT = (errors.UnknownMemberIdError, errors.IllegalGenerationError)
ANSWERS = (errors.NoError, errors.MemberIdRequired, errors.RebalanceInProgressError, *OUT)
"""What is no failure of a request."""

UNSURE = (errors.GroupCoordinatorNotAvailableError, errors.NodeNotReadyError, errors.RequestTimedOutError)
"""Another broker may tell who the coordinator is."""


class Standing(enum.Enum):
    MEMBER = "member"
    REBALANCING = "rebalancing"
    """A member, and to join again."""
    OUT = "out"
    """Thrown out: what was ours may be somebody else's."""


class Joined(Struct, frozen=True):
    """*members* is only known to who leads, and empty for the others."""

    member: str
    generation: int
    members: dict[str, Said]


class Named(Struct, frozen=True):
    """The broker has made a member of that id, and everybody waits until it joins, leaves, or a session has passed."""

    member: str


class Membership(Struct, frozen=True):
    """A member as others see it. *address* is that of its connection."""

    member: str
    address: str
    said: Said
    told: Told


class Group:
    """A connection to the coordinator of the group, as long as `reached` lasts."""

    def __init__(self, config: Config, client: AIOKafkaClient, coordinator: int) -> None:
        self._config = config
        self._client = client
        self._coordinator = coordinator
        self._name = config.name
        self._session = config.group.session_timeout

    @classmethod
    @asynccontextmanager
    async def reached(cls, config: Config, host: str = "", seconds: float = ANSWER) -> "AsyncIterator[Group]":
        """Raises `KafkaFault` where there is none. *host* is shown by Kafka's tools.

        With one address that lives it takes less than *seconds* or than a session, however many are dead.
        """
        seconds = min(seconds, config.group.session_timeout)
        patience = int(1000 * share_of(config.kafka, seconds))
        shown: Settings = {"client_id": f"event-bridge-{host}"} if host else {}
        client = AIOKafkaClient(**settings(config.kafka) | {"request_timeout_ms": patience, **shown})
        hasten(client, config.kafka, seconds)
        try:
            async with _faults(config, "reach", ANSWER):
                await client.bootstrap()
                node = await _coordinator(client, config.name)
            yield cls(config, client, node)
        finally:
            await abandon(client)

    async def join(self, member: str, words: Said) -> Joined | Named | Standing:
        """Waits until all members have joined, as long as a session at the most. OUT: *member* is none any more.

        Who has no id yet gets one, and has to join once more.
        """
        metadata = Metadata(0, [self._config.checkpoint_topic], encode(words)).encode()
        length = int(1000 * self._session)
        asked = JoinGroupRequest(self._name, length, length, member, DYNAMIC, KIND, [(PROTOCOL, metadata)])
        answer = await self._send("join", asked, self._session + GATHER)
        error = errors.for_code(answer["error_code"])
        if error is errors.MemberIdRequired:
            return Named(answer["member_id"])
        if error is not errors.NoError:
            return _standing(answer)
        leads = answer["leader_id"] == answer["member_id"]
        members = {each["member_id"]: _said(each["member_metadata"]) for each in answer["members"]} if leads else {}
        return Joined(answer["member_id"], answer["generation_id"], members)

    async def sync(self, joined: Joined, shares: Mapping[str, Told]) -> Told | Standing:
        """What we get. *shares* is what the leader has decided; empty for the others, who wait for it."""
        topic = self._config.checkpoint_topic
        given = [
            (member, Assignment(0, [(topic, list(each.partitions))], encode(each)).encode())
            for member, each in shares.items()
        ]
        asked = SyncGroupRequest(self._name, joined.generation, joined.member, DYNAMIC, given)
        answer = await self._send("join", asked, self._session + GATHER)
        standing = _standing(answer)
        return _told(answer["member_assignment"]) if standing is Standing.MEMBER else standing

    async def heartbeat(self, joined: Joined) -> Standing:
        asked = HeartbeatRequest(self._name, joined.generation, joined.member)
        return _standing(await self._send("stay in", asked, min(ANSWER, self._session / 2)))

    async def leave(self, member: str, seconds: float) -> None:
        await self._send("leave", LeaveGroupRequest(self._name, member), seconds)

    async def members(self) -> list[Membership]:
        """Those of now; none, too, where there is no such group."""
        answer = await self._send("describe", DescribeGroupsRequest([self._name]), ANSWER)
        return [
            Membership(
                each["member_id"],
                each["client_host"].removeprefix("/"),
                _said(each["member_metadata"]),
                _told(each["member_assignment"]),
            )
            for group in answer["groups"]
            for each in group["members"]
        ]

    async def try_access(self) -> None:
        """Raises `KafkaFault` where joining is not allowed. A stranger's heartbeat changes nothing."""
        await self._send("join", HeartbeatRequest(self._name, 0, "event-bridge-check"), ANSWER)

    async def _send(self, verb: str, request: Any, seconds: float) -> dict[str, Any]:  # noqa: ANN401 - aiokafka's
        async with _faults(self._config, verb, seconds):
            await self._prepare(seconds)
            answer = await self._client.send(self._coordinator, request, group=ConnectionGroup.COORDINATION)
            fields: dict[str, Any] = answer.to_object()
            for each in (fields, *fields.get("groups", ())):
                error = errors.for_code(each.get("error_code", 0))
                if error not in ANSWERS:
                    raise error(self._name)
        return fields

    async def _prepare(self, seconds: float) -> None:
        """A broker answers a join when all have joined: its connection waits longer than one is waited for."""
        place = (self._coordinator, ConnectionGroup.COORDINATION)
        if await self._client.ready(place[0], group=place[1]):
            self._client._conns[place]._request_timeout = seconds  # noqa: SLF001 - the client has one for all


async def _coordinator(client: AIOKafkaClient, group: str) -> int:
    """A new Kafka makes its topic of groups when it is first asked for one."""
    while True:
        if client.get_random_node() is None:  # a broker that starts knows of none, not even itself
            await client.force_metadata_update()
            await asyncio.sleep(POLL)
            continue
        try:
            node: int = await client.coordinator_lookup(CoordinationType.GROUP, group)
        except UNSURE:
            await asyncio.sleep(POLL)
        else:
            return node


def _faults(config: Config, verb: str, seconds: float) -> AbstractAsyncContextManager[None]:
    return faults(config.kafka, f"{verb} the consumer group {config.name}", seconds)


def _standing(answer: Mapping[str, Any]) -> Standing:
    error = errors.for_code(answer["error_code"])
    if error is errors.RebalanceInProgressError:
        return Standing.REBALANCING
    return Standing.OUT if error in OUT else Standing.MEMBER


def _said(metadata: bytes) -> Said:
    return said(Metadata.decode(metadata).user_data or b"") if metadata else NOBODY


def _told(assignment: bytes) -> Told:
    return told(Assignment.decode(assignment).user_data or b"") if assignment else Told(())
