import msgspec
from msgspec.inspect import FloatType, IntType

from bridge.config.fields import Field, fields, root
from bridge.config.kafka import Kafka
from bridge.config.tree import Config
from bridge.config.watch import Watch
from tests.config.reading import REST, read


def test_the_defaults_are_those_of_the_design() -> None:
    """A minimal file must do what the documentation promises: these numbers are part of the interface."""
    config = read(REST)

    assert config == Config(
        name="kube-event-bridge",
        cluster=None,
        kafka=Kafka(bootstrap_servers=("kafka:9092",)),
        watches=(Watch(resource="pods"),),
    )
    assert msgspec.json.decode(msgspec.json.encode(config)) == {
        "name": "kube-event-bridge",
        "cluster": None,
        "kubernetes": {"kubeconfig": None, "context": None},
        "kafka": {
            "bootstrapServers": ["kafka:9092"],
            "delivery": "exactly-once",
            "compression": "zstd",
            "commitInterval": 0.05,
            "transactionTimeout": 15.0,
            "maxMessageBytes": 1_048_576,
            "tls": None,
            "sasl": None,
        },
        "topics": {"create": True, "partitions": 12, "replicationFactor": None, "config": {}},
        "checkpoints": {"topic": None, "partitions": 32},
        "standalone": False,
        "group": {"sessionTimeout": 10.0},
        "buffer": 67_108_864,
        "progressInterval": 60.0,
        "verifyInterval": 120.0,
        "watches": [
            {
                "name": None,
                "resource": "pods",
                "namespaces": [],
                "labelSelector": None,
                "fieldSelector": None,
                "types": ["ADDED", "MODIFIED", "DELETED"],
                "topic": "k8s.{resource}",
                "format": "envelope",
                "drop": [],
                "mask": None,
                "staleAfter": None,
            }
        ],
        "http": {"listen": "0.0.0.0:8080"},
        "log": {"level": "info", "format": None},
    }


def test_the_checkpoint_topic_follows_the_name() -> None:
    """Two deployments that differ in name only must not share checkpoints."""
    assert read("name: blue\n" + REST).checkpoint_topic == "blue.checkpoints"
    assert read("name: blue\ncheckpoints: {topic: mine}\n" + REST).checkpoint_topic == "mine"


def test_every_field_says_what_it_is_for() -> None:
    """Editor hovers, the schema and the manual show these texts: a field without one would be a riddle."""
    silent = [field.name for field in _all(root()) if not field.kind.description.endswith((".", "?"))]

    assert silent == []


def test_every_number_has_bounds() -> None:
    """A typo of a zero should be a message, not a memory blow-up or a refused request hours later."""
    found = [(field.name, field.kind.type) for field in _all(root())]
    numbers = [(name, type_) for name, type_ in found if isinstance(type_, IntType | FloatType)]

    assert len(numbers) == 11
    assert [name for name, type_ in numbers if type_.ge is None or type_.le is None] == []


def _all(info: msgspec.inspect.StructType) -> list[Field]:
    found = []
    for field in fields(info):
        found.append(field)
        inner = getattr(field.kind.type, "item_type", field.kind.type)
        if isinstance(inner, msgspec.inspect.StructType):
            found += _all(inner)
    return found
