"""The desk for consumer groups: FindCoordinator, from JoinGroup to LeaveGroup, offsets, and who is in which group."""

from bridge.sandbox.broker.apis import Fields, Request, per_partition
from bridge.sandbox.broker.catalogue import Address
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.groups import Group, State, refused_join, refused_sync
from bridge.sandbox.broker.member import Joining
from bridge.sandbox.broker.offsets import Commits, Committed, Offsets
from bridge.sandbox.broker.topics import NODE, Topics

ANNOUNCED_SINCE = 4
"""The version of JoinGroup in which new members are first told their names (KIP-394)."""
UNCOMMITTED = Committed(-1, "")


class Membership:
    """Owns the groups and their offsets."""

    def __init__(self, topics: Topics, delay: float) -> None:
        self._topics = topics
        self._delay = delay
        self._groups: dict[str, Group] = {}
        self._offsets: dict[str, Offsets] = {}

    def offsets(self, group: str) -> Offsets:
        return self._offsets.setdefault(group, Offsets())

    def pause(self) -> None:
        for group in self._groups.values():
            group.pause()

    def resume(self) -> None:
        for group in self._groups.values():
            group.resume()

    def find(self, request: Request, address: Address) -> Fields:
        if request.fields.get("coordinator_type", 0) not in (0, 1):
            return {"error_code": Code.INVALID_REQUEST, "coordinator_id": -1, "host": "", "port": -1}
        found = {"error_code": Code.NONE, "error_message": "NONE"}
        return found | {"coordinator_id": NODE, "host": address.host, "port": address.port}

    async def join(self, request: Request) -> Fields:
        asked = request.fields
        name, session = asked["member_id"], asked["session_timeout"] / 1000
        if not asked["group"]:
            return refused_join(Code.INVALID_GROUP_ID, name)
        group = self._groups.get(asked["group"])
        if group is None:
            if name:
                return refused_join(Code.UNKNOWN_MEMBER_ID, name)
            group = self._groups[asked["group"]] = Group(self._delay)
        said = Joining(
            request.client,
            asked.get("group_instance_id"),
            session,
            session if request.version == 0 else asked["rebalance_timeout"] / 1000,
            asked["protocol_type"],
            {each["protocol_name"]: each["protocol_metadata"] for each in asked["group_protocols"]},
        )
        return await group.join(name, said, announce=request.version >= ANNOUNCED_SINCE)

    async def sync(self, request: Request) -> Fields:
        asked = request.fields
        group = self._groups.get(asked["group"])
        if group is None:
            return refused_sync(Code.UNKNOWN_MEMBER_ID)
        assignments = {each["member_id"]: each["member_metadata"] for each in asked["group_assignment"]}
        return await group.sync(asked["member_id"], asked["generation_id"], assignments)

    def heartbeat(self, request: Request) -> Fields:
        asked = request.fields
        group = self._groups.get(asked["group"])
        if group is None:
            return {"error_code": Code.UNKNOWN_MEMBER_ID}
        return {"error_code": group.heartbeat(asked["member_id"], asked["generation_id"])}

    def leave(self, request: Request) -> Fields:
        group = self._groups.get(request.fields["group"])
        code = Code.UNKNOWN_MEMBER_ID if group is None else group.leave(request.fields["member_id"])
        return {"error_code": code}

    def commit(self, request: Request) -> Fields:
        asked = request.fields
        admitted = self._admits(asked)
        commits: Commits = {}

        def take(topic: str, part: Fields) -> Fields:
            place = (topic, part["partition"])
            unknown = self._topics.log(place) is Code.UNKNOWN_TOPIC_OR_PARTITION
            code = Code.UNKNOWN_TOPIC_OR_PARTITION if unknown else admitted
            if code is Code.NONE:
                commits[place] = Committed(part["offset"], part["metadata"] or "")
            return {"partition": place[1], "error_code": code}

        topics = per_partition(asked["topics"], take)
        if commits:
            self.offsets(asked["consumer_group"]).commit(commits)
        return {"topics": topics}

    def _admits(self, asked: Fields) -> Code:
        generation = asked["consumer_group_generation_id"]
        group = self._groups.get(asked["consumer_group"])
        if group is None:
            return Code.NONE if generation < 0 else Code.ILLEGAL_GENERATION
        return group.admits_commit(asked["consumer_id"], generation)

    def fetch(self, request: Request) -> Fields:
        """Without topics: all that were committed."""
        asked = request.fields
        found = self._offsets.get(asked["consumer_group"], Offsets()).committed
        topics = asked["topics"]
        if topics is None:
            names = sorted({topic for topic, _ in found})
            topics = [{"topic": name, "partitions": sorted(n for topic, n in found if topic == name)} for name in names]

        def tell(topic: str, number: int) -> Fields:
            committed = found.get((topic, number), UNCOMMITTED)
            told = {"partition": number, "offset": committed.offset, "metadata": committed.metadata}
            return told | {"error_code": Code.NONE}

        return {"topics": per_partition(topics, tell), "error_code": Code.NONE}

    def list(self, _: Request) -> Fields:
        names = sorted({*self._groups, *self._offsets})
        kinds = {name: group.roster.kind for name, group in self._groups.items()}
        return {
            "error_code": Code.NONE,
            "groups": [{"group": name, "protocol_type": kinds.get(name, "")} for name in names],
        }

    def delete(self, request: Request) -> Fields:
        """With their offsets, if nobody is in them."""
        return {
            "results": [{"group_id": name, "error_code": self._delete(name)} for name in request.fields["groups_names"]]
        }

    def _delete(self, name: str) -> Code:
        group = self._groups.get(name)
        if group is None and name not in self._offsets:
            return Code.GROUP_ID_NOT_FOUND
        if group is not None and group.state is not State.EMPTY:
            return Code.NON_EMPTY_GROUP
        self._groups.pop(name, None)
        self._offsets.pop(name, None)
        return Code.NONE

    def describe(self, request: Request) -> Fields:
        return {"groups": [_described(name, self._groups.get(name)) for name in request.fields["groups"]]}


def _described(name: str, group: Group | None) -> Fields:
    told: Fields = {"error_code": Code.NONE, "group": name}
    if group is None:
        return told | {"state": "Dead", "protocol_type": "", "protocol": ""}
    shared = group.roster.protocol if group.state is State.STABLE else ""
    members = [
        {
            "member_id": member.name,
            "client_id": member.said.client,
            "client_host": "/127.0.0.1",
            "member_metadata": member.said.protocols.get(shared, b""),
            "member_assignment": member.assignment,
        }
        for member in group.roster
    ]
    return told | {
        "state": group.state.value,
        "protocol_type": group.roster.kind,
        "protocol": shared,
        "members": members,
    }
