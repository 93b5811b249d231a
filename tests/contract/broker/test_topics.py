"""Topics: what Kafka says to who makes, grows, deletes or describes them. The bridge shows its words to people."""

from aiokafka.protocol import admin, metadata
from aiokafka.protocol.api import RequestStruct

from bridge.sandbox.broker.apis import Fields
from bridge.sandbox.broker.codes import Code
from bridge.sandbox.broker.structs import CreateTopicsRequest
from tests.contract.broker.brokers import Kafka
from tests.contract.broker.client import Client, connected, until
from tests.sink.stage import fresh

Told = list[tuple[str, int, str | None]]
CORDONED = (
    "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 1"
    " broker(s) are registered or some brokers have all their log directories cordoned."
)
CHARACTERS = "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"


async def create(
    client: Client,
    *topics: tuple[object, ...],
    only_try: bool = False,
    kind: type[RequestStruct] = admin.CreateTopicsRequest_v3,
) -> Told:
    """Each: name, partitions, replicas, assignments, settings; the last ones may be left out."""
    whole = [(*topic, *(1, -1, [], [])[len(topic) - 1 :]) for topic in topics]
    told = (await client.ask(kind(whole, 10_000, only_try)))["topic_errors"]
    return [(each["topic"], each["error_code"], each["error_message"]) for each in told]


async def described(client: Client, *names: str | None) -> list[Fields]:
    request = metadata.MetadataRequest_v5(list(names) if names != (None,) else None, False)
    topics: list[Fields] = (await client.ask(request))["topics"]
    return topics


async def counted(client: Client, name: str, partitions: int) -> None:
    """Returns when all brokers know."""

    async def known() -> bool:
        return len((await described(client, name))[0]["partitions"]) == partitions

    await until(known)


async def test_topics_are_made_and_known(kafka: Kafka) -> None:
    one, two = fresh("one"), fresh("two")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        assert await create(client, (one,), (two, 3)) == [(one, 0, None), (two, 0, None)]
        await counted(client, two, 3)
        brokers = (await client.ask(metadata.MetadataRequest_v5([], False)))["brokers"]
        (told,) = await described(client, one)
        port = int(broker.bootstrap.split(":")[1])

    assert brokers == [{"node_id": 1, "host": "127.0.0.1", "port": port, "rack": None}]
    part = {"error_code": 0, "partition": 0, "leader": 1, "replicas": [1], "isr": [1], "offline_replicas": []}
    assert told == {"error_code": 0, "topic": one, "is_internal": False, "partitions": [part]}


async def test_partitions_and_replicas_may_be_left_to_the_broker(kafka: Kafka) -> None:
    """librdkafka and the Java client do so only where this version is offered (KIP-464)."""
    one, three = fresh("left"), fresh("left")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        told = await create(client, (one, -1, -1), (three, 3, -1), kind=CreateTopicsRequest)
        await counted(client, one, 1)
        await counted(client, three, 3)

    assert told == [(one, 0, None), (three, 0, None)]


async def test_nothing_is_made_by_asking(kafka: Kafka) -> None:
    """aiokafka asks brokers to make what it asks for: where that is off, a wrong name must stay an error."""
    name = fresh("asked")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        codes = [
            [topic["error_code"] for topic in (await client.ask(metadata.MetadataRequest_v5([name], may)))["topics"]]
            for may in (True, False, False)
        ]
        (bad,) = await described(client, "bad name")

    assert codes == [[Code.UNKNOWN_TOPIC_OR_PARTITION]] * 3
    assert bad["error_code"] == Code.INVALID_TOPIC_EXCEPTION


async def test_wrong_names_are_refused_in_words(kafka: Kafka) -> None:
    dotted = fresh("a.b")
    flat = dotted.replace(".", "_")
    long = "x" * 250
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await create(client, (dotted,))
        told = await create(client, ("bad name",), ("",), ("..",), (long,), (flat,), (dotted,))
        twice = await create(client, ("twice",), ("twice",))

    assert told == [
        ("bad name", 17, f"Topic name is invalid: 'bad name' {CHARACTERS}"),
        ("", 17, "Topic name is invalid: the empty string is not allowed"),
        ("..", 17, "Topic name is invalid: '..' is not allowed"),
        (long, 17, f"Topic name is invalid: the length of '{long}' is longer than the max allowed length 249"),
        (flat, 17, f"Topic '{flat}' collides with existing topic: {dotted}"),
        (dotted, 36, f"Topic '{dotted}' already exists."),
    ]
    assert twice == [("twice", 42, "Duplicate topic name.")]


async def test_wrong_counts_and_settings_are_refused_in_words(kafka: Kafka) -> None:
    wrong = {
        "no.such": ("1", "Unknown topic config name: no.such"),
        "retention.ms": ("abc", "Invalid value abc for configuration retention.ms: Not a number of type LONG"),
        "segment.ms": ("0", "Invalid value 0 for configuration segment.ms: Value must be at least 1"),
        "max.message.bytes": ("-1", "Invalid value -1 for configuration max.message.bytes: Value must be at least 0"),
        "cleanup.policy": (
            "rot",
            "Invalid value rot for configuration cleanup.policy: String must be one of: compact, delete",
        ),
        "min.cleanable.dirty.ratio": (
            "2",
            "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1",
        ),
    }
    async with kafka() as broker, connected(broker.bootstrap) as client:
        counts = await create(client, ("n0", 0), ("n-2", -2), ("r0", 1, 0), ("r3", 1, 3))
        told = await create(client, *((name, 1, -1, [], [(name, value)]) for name, (value, _) in wrong.items()))

    partitions = "Number of partitions was set to an invalid non-positive value."
    replicas = "Replication factor must be larger than 0, or -1 to use the default value."
    assert counts == [("n0", 37, partitions), ("n-2", 37, partitions), ("r0", 38, replicas), ("r3", 38, CORDONED)]
    assert told == [(name, Code.INVALID_CONFIG, message) for name, (_, message) in wrong.items()]


async def test_too_many_partitions_at_once_are_refused(kafka: Kafka) -> None:
    """A slip of the keyboard must not fill the memory."""
    name = fresh("many")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        told = await create(client, (name, 2_000_000_000), (name + "2",))

    what = "Excessively large number of partitions per request."
    assert told == [(name, 44, what), (name + "2", 44, what)]


async def test_replicas_that_are_assigned_by_hand_must_fit(kafka: Kafka) -> None:
    good, both, foreign, holes = fresh("good"), fresh("both"), fresh("foreign"), fresh("holes")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        told = await create(
            client,
            (good, -1, -1, [(0, [1]), (1, [1])]),
            (both, 1, -1, [(0, [1])]),
            (foreign, -1, -1, [(0, [7])]),
            (holes, -1, -1, [(1, [1])]),
        )
        await counted(client, good, 2)

    assert told == [
        (good, 0, None),
        (both, 42, "A manual partition assignment was specified, but numPartitions was not set to -1."),
        (foreign, 39, "The manual partition assignment includes broker 7, but no such broker is registered."),
        (holes, 39, "partitions should be a consecutive 0-based integer sequence"),
    ]


async def test_a_try_changes_nothing(kafka: Kafka) -> None:
    """`event-bridge check` asks so whether a topic could be made."""
    name, there = fresh("try"), fresh("there")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(there)
        tried = await create(client, (name, 2), (there,), (name + ".", 0), only_try=True)
        grown = (await client.ask(admin.CreatePartitionsRequest_v1([(there, (2, None))], 10_000, True)))["topic_errors"]
        topics = await described(client, name, there)

    assert [code for _, code, _ in tried] == [0, 36, 37]
    assert grown == [{"topic": there, "error_code": 0, "error_message": None}]
    assert sorted(len(topic["partitions"]) for topic in topics) == [0, 1]


async def test_topics_grow_and_never_shrink(kafka: Kafka) -> None:
    name = fresh("grow")

    async def grow(client: Client, topic: str, count: int, assigned: object = None) -> tuple[int, str | None]:
        request = admin.CreatePartitionsRequest_v1([(topic, (count, assigned))], 10_000, False)
        (told,) = (await client.ask(request))["topic_errors"]
        return told["error_code"], told["error_message"]

    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(name, 3)
        told = [await grow(client, name, 3), await grow(client, name, 2), await grow(client, "nosuch", 2)]
        assigned = await grow(client, name, 4, [[1], [1]])
        grown = await grow(client, name, 5)
        await counted(client, name, 5)

    assert told == [
        (37, "Topic already has 3 partition(s)."),
        (37, f"The topic {name} currently has 3 partition(s); 2 would not be an increase."),
        (3, None),
    ]
    assert assigned == (39, "Attempted to add 1 additional partition(s), but only 2 assignment(s) were specified.")
    assert grown == (0, None)


async def test_a_deleted_topic_is_gone_and_can_be_made_anew_empty(kafka: Kafka) -> None:
    name = fresh("gone")
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(name)
        told = (await client.ask(admin.DeleteTopicsRequest_v3([name, "nosuch"], 10_000)))["topic_error_codes"]

        async def is_gone() -> bool:
            return bool((await described(client, name))[0]["error_code"])

        await until(is_gone)
        gone = (await client.fetch(name, 0))["error_code"]
        await client.make(name, 2)
        end = await client.offset(name, -1)

    assert {each["topic"]: each["error_code"] for each in told} == {name: 0, "nosuch": 3}
    assert (gone, end) == (Code.UNKNOWN_TOPIC_OR_PARTITION, (0, -1, 0))


async def test_settings_are_told_with_where_they_come_from(kafka: Kafka) -> None:
    name = fresh("described")
    wanted = ["max.message.bytes", "cleanup.policy", "retention.ms", "segment.bytes", "no.such"]
    async with kafka() as broker, connected(broker.bootstrap) as client:
        await client.make(name, 1, cleanup_policy="compact", max_message_bytes="2000")
        request = admin.DescribeConfigsRequest_v2(
            [(2, name, wanted), (2, "nosuch", None), (2, "bad name", None)], False
        )

        async def known() -> bool:
            return bool((await client.ask(request))["resources"][0]["error_code"] == 0)

        await until(known)
        resources = (await client.ask(request))["resources"]

    found, unknown, bad = resources
    entries = {each["config_names"]: (each["config_value"], each["config_source"]) for each in found["config_entries"]}
    assert entries == {
        "max.message.bytes": ("2000", 1),
        "cleanup.policy": ("compact", 1),
        "retention.ms": ("604800000", 5),
        "segment.bytes": ("1073741824", 5),
    }
    assert (unknown["error_code"], unknown["error_message"], unknown["config_entries"]) == (3, "", [])
    assert (bad["error_code"], bad["error_message"]) == (17, f"Topic name is invalid: 'bad name' {CHARACTERS}")
