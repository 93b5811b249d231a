"""How each side is asked: the LIST of an API server, and topics as a new consumer reads them."""

import json

from aiokafka import AIOKafkaProducer

from bridge.config.kafka import Kafka
from bridge.model.resource import Resource, Selection
from bridge.sandbox.broker.server import Broker
from bridge.source.api import Api
from bridge.source.faults import Fault, Kind, Phase
from bridge.verify.compare import Entry
from bridge.verify.replay import CUT, GAP, Replay
from bridge.verify.run import listed
from tests.source.scripted import Script, Server, answer, in_turn

SELECTION = Selection(Resource("", "v1", "pods", "Pod", namespaced=True), label_selector="app=web")
EXPIRED = answer('{"kind":"Status","code":410,"reason":"Expired","message":"m"}', 410)


def page(name: str, token: str = "") -> Script:
    meta = {"name": name, "namespace": "d", "uid": f"u-{name}", "resourceVersion": "5"}
    item = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": meta}
    return answer(json.dumps({"metadata": {"resourceVersion": "9", "continue": token}, "items": [item]}))


async def ask(*scripts: Script) -> tuple[dict[str, Entry] | Fault, list[list[tuple[str, str]]]]:
    """What comes of a LIST, and what was asked for it: of metadata, every time."""
    async with Server(in_turn(*scripts)) as server:
        session = server.session()
        found = await listed(Api(session, SELECTION))
        await session.close()
    accepted = {request.headers["accept"].partition(",")[0] for request in server.requests}
    assert accepted == {"application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
    return found, [request.params for request in server.requests]


async def test_all_pages_are_one_list() -> None:
    """A cluster of more than 500 objects has more than one."""
    found, asked = await ask(page("a", "more"), page("b"))

    assert found == {"pods/d/a": Entry("u-a", "5"), "pods/d/b": Entry("u-b", "5")}
    chosen = ("labelSelector", "app=web")
    assert asked == [[("limit", "500"), chosen], [("limit", "500"), ("continue", "more"), chosen]]


async def test_a_list_whose_token_expires_is_asked_for_in_one_piece() -> None:
    """Half a list would make the other half look as if it were only in the topic."""
    found, asked = await ask(page("gone", "old"), EXPIRED, page("b"))

    assert found == {"pods/d/b": Entry("u-b", "5")}
    assert asked[-1] == [("labelSelector", "app=web")]


async def test_a_refusal_is_no_empty_list() -> None:
    found, _ = await ask(answer('{"kind":"Status","code":403,"reason":"Forbidden","message":"m"}', 403))

    assert isinstance(found, Fault)
    assert (found.phase, found.kind, found.status) == (Phase.LIST, Kind.HTTP, 403)


Record = dict[str, object]


def marker(kind: str, epoch: int, **more: object) -> Record:
    return {"type": kind, "stream": "pods", "epoch": epoch, **more}


def seen(epoch: int, version: int, metadata: object) -> Record:
    return marker("LISTED", epoch, resourceVersion=str(version), object={"metadata": metadata})


async def replay(*records: tuple[int, str, Record]) -> Replay:
    """What is read of a topic with two partitions, into which *records* were written: partition, key, value."""
    async with Broker() as broker:
        broker.create("t", 2)
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        for partition, key, record in records:
            await producer.send_and_wait("t", json.dumps(record).encode(), key.encode(), partition=partition)
        await producer.stop()
        found = Replay(Kafka(bootstrap_servers=(broker.bootstrap,)))
        await found.read(["t", "not-there"])
    assert found.partitions == {"t": 2}
    return found


async def test_of_an_object_at_two_places_the_higher_epoch_is_the_newer() -> None:
    """A topic that got more partitions may hold it twice for a moment."""
    found = await replay(
        (0, "pods", marker("RESTARTED", 2, reason="repartitioned")),
        (0, "pods/d/a", seen(2, 7, {"uid": "u"})),
        (0, "pods", marker("SYNCED", 2, objects=1, resourceVersion="8")),
        (1, "pods", marker("RESTARTED", 1, reason="initial")),
        (1, "pods/d/a", seen(1, 5, {"uid": "u"})),
        (1, "pods", marker("SYNCED", 1, objects=1, resourceVersion="6")),
    )

    assert (found.entries("pods"), found.notes("pods")) == ({"pods/d/a": Entry("u", "7")}, ())


async def test_why_a_topic_may_rightly_differ_is_said() -> None:
    """Retention and a relist are no fault of the bridge's, and an operator must not hunt for one."""
    found = await replay(
        (0, "pods/d/a", seen(1, 5, "dropped")),
        (0, "pods", marker("SYNCED", 1, objects=3, resourceVersion="6")),
        (1, "pods", marker("RESTARTED", 1, reason="initial")),
    )

    assert (found.entries("pods"), found.notes("pods")) == ({"pods/d/a": Entry("", "5")}, (CUT, GAP))
    assert (found.has_heard("pods"), found.has_heard("others")) == (True, False)
