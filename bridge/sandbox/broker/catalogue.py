"""The desk for topics: Metadata, CreateTopics, DeleteTopics, CreatePartitions, DescribeConfigs."""

from collections import Counter

from msgspec import Struct

from bridge.sandbox.broker.apis import Fields, Request
from bridge.sandbox.broker.bell import Bell
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.metadata import NO_ID, NOT_ASKED
from bridge.sandbox.broker.settings import SETTINGS
from bridge.sandbox.broker.topics import NODE, Refused, Topic, Topics, illegal

CLUSTER = "event-bridge-sandbox--"
"""An id of 22 characters, as Kafka's are."""
MOST = 10_000
NOBODY: Fields = {"topic_id": NO_ID, "authorized_operations": NOT_ASKED}
TOPIC = 2
"""A topic's resource type."""
SET, DEFAULT = 1, 5
"""Where a setting comes from: the topic's own, or Kafka's default."""
TOO_MUCH = Refused(Code.POLICY_VIOLATION, "Excessively large number of partitions per request.")
MALFORMED = (
    "This most likely occurs because of a request being malformed by the client library or the message was sent to an"
    " incompatible broker. See the broker logs for more details."
)


class Address(Struct, frozen=True):
    host: str
    port: int


class Catalogue:
    """*creates*: whether topics are made that somebody asks for (auto.create.topics.enable)."""

    def __init__(self, topics: Topics, bell: Bell, *, creates: bool) -> None:
        self._topics = topics
        self._bell = bell
        self._creates = creates

    def metadata(self, request: Request, address: Address) -> Fields:
        asked = request.fields["topics"]
        if asked is None or (request.version == 0 and not asked):
            asked = [topic.name for topic in self._topics]
        names = [each if isinstance(each, str) else each["topic"] for each in asked]
        may_create = self._creates and request.fields.get("allow_auto_topic_creation", True)
        return {
            "brokers": [{"node_id": NODE, "host": address.host, "port": address.port, "rack": None}],
            "cluster_id": CLUSTER,
            "controller_id": NODE,
            "topics": [NOBODY | self._about(name, may_create) for name in names],
            "authorized_operations": NOT_ASKED,
        }

    def _about(self, name: str, may_create: bool) -> Fields:
        if illegal(name):
            return {"error_code": Code.INVALID_TOPIC_EXCEPTION, "topic": name}
        if may_create:
            self._topics.create(name)  # it may be there
        topic = self._topics.get(name)
        if topic is None:
            return {"error_code": Code.UNKNOWN_TOPIC_OR_PARTITION, "topic": name}
        return {"error_code": Code.NONE, "topic": name, "topic_id": topic.id, "partitions": _partitions(topic)}

    def create(self, request: Request) -> Fields:
        asked = request.fields["create_topic_requests"]
        if _is_too_much(sum(topic["num_partitions"] for topic in asked)):
            return {"topic_errors": [_error(topic["topic"], TOO_MUCH) for topic in asked]}
        counts = Counter(topic["topic"] for topic in asked)
        refused = {
            name: Refused(Code.INVALID_REQUEST, "Duplicate topic name.") for name, count in counts.items() if count > 1
        }
        told = {
            topic["topic"]: refused.get(topic["topic"]) or self._create(topic, request.fields["validate_only"])
            for topic in asked
        }
        return {"topic_errors": [_error(name, wrong) for name, wrong in told.items()]}

    def _create(self, topic: Fields, only_try: bool) -> Refused | None:
        name, partitions = topic["topic"], topic["num_partitions"]
        if illegal(name) or self._topics.get(name) is not None:
            return self._topics.create(name)  # which says so; that comes before all else
        if assigned := topic["replica_assignment"]:
            if partitions != -1:
                what = "A manual partition assignment was specified, but numPartitions was not set to -1."
                return Refused(Code.INVALID_REQUEST, what)
            replicas = {part["partition_id"]: part["replicas"] for part in assigned}
            if wrong := _misassigned(replicas):
                return wrong
            partitions = len(assigned)
        elif wrong := _unreplicable(topic["replication_factor"]):
            return wrong
        settings = {each["config_key"]: each["config_value"] for each in topic["configs"]}
        return self._topics.create(name, partitions, settings, only_try=only_try)

    def delete(self, request: Request) -> Fields:
        codes = [(name, self._topics.delete(name)) for name in request.fields["topics"]]
        self._bell.ring()
        return {"topic_error_codes": [{"topic": name, "error_code": code} for name, code in codes]}

    def grow(self, request: Request) -> Fields:
        told = [
            (topic["topic"], self._grow(topic["topic"], topic["new_partitions"], request.fields["validate_only"]))
            for topic in request.fields["topic_partitions"]
        ]
        return {"topic_errors": [_error(name, wrong) for name, wrong in told]}

    def _grow(self, name: str, wanted: Fields, only_try: bool) -> Refused | None:
        topic = self._topics.get(name)
        assigned = wanted["assignment"]
        more = wanted["count"] - (len(topic.logs) if topic else 0)
        if _is_too_much(more):
            return TOO_MUCH
        if topic is not None and assigned is not None and more > 0:
            if len(assigned) != more:
                what = f"Attempted to add {more} additional partition(s), but only {len(assigned)} assignment(s)"
                return Refused(Code.INVALID_REPLICA_ASSIGNMENT, f"{what} were specified.")
            if wrong := _misassigned(dict(enumerate(assigned))):
                return wrong
        return self._topics.grow(name, wanted["count"], only_try=only_try)

    def describe(self, request: Request) -> Fields:
        return {"resources": [self._settings(resource) for resource in request.fields["resources"]]}

    def _settings(self, resource: Fields) -> Fields:
        kind, name = resource["resource_type"], resource["resource_name"]
        told: Fields = {"error_message": "", "resource_type": kind, "resource_name": name}
        if kind != TOPIC:
            return told | {"error_code": Code.INVALID_REQUEST, "error_message": MALFORMED}
        if what := illegal(name):
            return told | {"error_code": Code.INVALID_TOPIC_EXCEPTION, "error_message": what}
        topic = self._topics.get(name)
        if topic is None:
            return told | {"error_code": Code.UNKNOWN_TOPIC_OR_PARTITION}
        wanted = resource["config_names"]
        entries = [_setting(topic, key) for key in SETTINGS if wanted is None or key in wanted]
        return told | {"error_code": Code.NONE, "config_entries": entries}


def _is_too_much(partitions: int) -> bool:
    """For one request (ReplicationControlManager.MAX_PARTITIONS_PER_BATCH)."""
    return partitions > MOST


def _partitions(topic: Topic) -> list[Fields]:
    return [
        {
            "error_code": Code.LEADER_NOT_AVAILABLE if number in topic.leaderless else Code.NONE,
            "partition": number,
            "leader": -1 if number in topic.leaderless else NODE,
            "replicas": [NODE],
            "isr": [NODE],
        }
        for number in range(len(topic.logs))
    ]


def _setting(topic: Topic, name: str) -> Fields:
    return {
        "config_names": name,
        "config_value": topic.setting(name),
        "config_source": SET if name in topic.settings else DEFAULT,
    }


def _error(name: str, refused: Refused | None) -> Fields:
    if refused is None:
        return {"topic": name, "error_code": Code.NONE}
    return {"topic": name, "error_code": refused.code, "error_message": refused.message}


def _unreplicable(factor: int) -> Refused | None:
    if factor == 0 or factor < -1:
        what = "Replication factor must be larger than 0, or -1 to use the default value."
        return Refused(Code.INVALID_REPLICATION_FACTOR, what)
    if factor > 1:
        what = (
            f"Unable to replicate the partition {factor} time(s): The target replication factor of {factor} cannot be"
            " reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned."
        )
        return Refused(Code.INVALID_REPLICATION_FACTOR, what)
    return None


def _misassigned(replicas: dict[int, list[int]]) -> Refused | None:
    if sorted(replicas) != list(range(len(replicas))):
        what = "partitions should be a consecutive 0-based integer sequence"
        return Refused(Code.INVALID_REPLICA_ASSIGNMENT, what)
    for node in (node for nodes in replicas.values() for node in nodes if node != NODE):
        what = f"The manual partition assignment includes broker {node}, but no such broker is registered."
        return Refused(Code.INVALID_REPLICA_ASSIGNMENT, what)
    return None
