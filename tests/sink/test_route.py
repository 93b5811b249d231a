"""`bridge.sink.route`: topics from templates, partitions as Java's, keys that stay where they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.resource import Resource, Selection
from bridge.sink.records import framed
from bridge.sink.route import Displaced, Place, Router, Target, displaced, legal, murmur2, partition_of

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)


def router(template: str, resource: Resource = PODS, namespace: str | None = None, **counts: int) -> Router:
    return Router(template, Selection(resource, namespace), "prod", counts)


@pytest.mark.parametrize(
    ("key", "java"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_java(key: str, java: int) -> None:
    """The vectors are those of Kafka's own UtilsTest: consumers join topics that Java programs have written."""
    assert murmur2(key.encode()) == java % 2**32


@given(st.binary(max_size=80), st.integers(1, 300))
def test_a_key_has_one_partition_and_the_topic_has_it(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions


def test_a_place_is_remembered_until_the_object_is_gone() -> None:
    """Hashing every record of a hot object again costs more than all the rest; remembering the dead fills memory."""
    route = router("t", t=12)

    place = route.place("pods/a/x")

    assert place == Place(Target("t", partition_of(b"pods/a/x", 12)), framed(b"pods/a/x"))
    assert route.place("pods/a/x") is place
    route.forget("pods/a/x")
    assert route.places == {}


@pytest.mark.parametrize(
    ("template", "resource", "key", "topic"),
    [
        ("k8s.{resource}", DEPLOYMENTS, "deployments.apps/shop/cart", "k8s.deployments.apps"),
        ("{group}.{version}", DEPLOYMENTS, "deployments.apps/shop/cart", "apps.v1"),
        ("{group}.{version}", PODS, "pods/shop/cart", "core.v1"),
        ("{cluster}.{namespace}", PODS, "pods/shop/cart", "prod.shop"),
        ("{namespace}.{resource}", NODES, "nodes/n1", "_cluster.nodes"),
    ],
)
def test_placeholders_are_filled(template: str, resource: Resource, key: str, topic: str) -> None:
    assert router(template, resource).topic_of(key) == topic


def test_what_kafka_does_not_take_becomes_an_underscore() -> None:
    assert Router("{cluster}", Selection(PODS), "prod/eu:1", {}).topic_of("pods/a/x") == "prod_eu_1"
    assert legal("a.b-c_D9") == "a.b-c_D9"


@pytest.mark.parametrize(
    ("template", "resource", "namespace", "topics"),
    [
        ("k8s.{resource}", PODS, None, ["k8s.pods"]),
        ("k8s.{namespace}", PODS, "shop", ["k8s.shop"]),
        ("k8s.{namespace}", NODES, None, ["k8s._cluster"]),
        ("k8s.{namespace}", PODS, None, []),
    ],
)
def test_topics_that_are_known_without_any_object(
    template: str, resource: Resource, namespace: str | None, topics: list[str]
) -> None:
    """They are made, and get their markers, before the first object is seen."""
    assert router(template, resource, namespace).fixed_topics() == topics


def test_a_topic_of_unknown_size_has_no_places_until_it_is_learnt() -> None:
    """A guessed partition count would scatter a key's records over two partitions."""
    route = router("k8s.{namespace}")

    assert route.place("pods/a/x") is None
    route.learn("k8s.a", 1)
    assert route.place("pods/a/x") == Place(Target("k8s.a", 0), framed(b"pods/a/x"))
    assert route.place("pods/b/x") is None
    assert (route.counts, list(route.targets), route.count("k8s.b")) == ({"k8s.a": 1}, [Target("k8s.a", 0)], 0)


def test_keys_that_a_larger_topic_places_elsewhere_are_displaced() -> None:
    """Consumers of the old partition hold them until they are deleted there."""
    index = {f"pods/a/{n}": f"uid-{n}" for n in range(50)}

    moved = displaced(index, router("t", t=3), router("t", t=4))

    expected = [
        Displaced(key, index[key], Target("t", partition_of(key.encode(), 3)))
        for key in sorted(index)
        if partition_of(key.encode(), 3) != partition_of(key.encode(), 4)
    ]
    assert moved == expected
    assert 0 < len(moved) < len(index)


def test_keys_of_another_resource_or_topic_are_displaced() -> None:
    index = {"pods/a/x": "1"}

    assert displaced(index, router("t", t=3), router("t", DEPLOYMENTS, t=3)) == [
        Displaced("pods/a/x", "1", Target("t", partition_of(b"pods/a/x", 3)))
    ]
    assert displaced(index, router("t", t=1), router("u", t=1, u=1)) == [Displaced("pods/a/x", "1", Target("t", 0))]


def test_nothing_is_displaced_where_nothing_changed() -> None:
    assert displaced({"pods/a/x": "1"}, router("t", t=3), router("t", t=3)) == []


def test_a_place_that_is_gone_is_not_written_to() -> None:
    """The topic was deleted, or made again with fewer partitions: what consumers knew went with it."""
    index = {f"pods/a/{n}": "1" for n in range(20)}

    assert displaced({"pods/a/x": "1"}, router("t", t=1), router("u", u=1)) == [Displaced("pods/a/x", "1", None)]
    shrunk = displaced(index, router("t", t=8), router("t", t=2))
    assert {each.target for each in shrunk} <= {None, Target("t", 0), Target("t", 1)}
    assert None in {each.target for each in shrunk}


def test_keys_whose_count_was_never_known_are_displaced_from_nowhere() -> None:
    """An index entry without a checkpoint that says where: nothing can be deleted anywhere."""
    assert displaced({"pods/a/x": "1"}, router("t"), router("t", t=1)) == [Displaced("pods/a/x", "1", None)]
