"""The cluster that lives: the same for a seed, believable at every moment, and told by the server without a hole."""

import asyncio
import json
from typing import Any

from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.life import EVENTS, NODES, Life, run
from bridge.sandbox.operations import Create, Delete, Operation, Update, apply
from tests.contract.apiserver.client import Client

BEGAN = 1_700_000_000.0


def lived(seed: int, steps: int) -> list[Operation]:
    life = Life(seed)
    operations = life.begin(BEGAN)
    for number in range(steps):
        operations += life.step(BEGAN + number)
    return operations


async def test_the_same_seed_is_the_same_life() -> None:
    """So that a demo can be shown twice, and a failure found again."""
    assert lived(1, 500) == lived(1, 500)
    assert lived(1, 500) != lived(2, 500)


async def test_a_life_is_possible() -> None:
    """Nothing is made twice, and nothing changes or goes that is not there: the server would refuse it."""
    server, life = ApiServer(), Life(7)
    for operations in [life.begin(BEGAN), *(life.step(BEGAN + number) for number in range(3000))]:
        for operation in operations:
            assert apply(operation, server)

    assert (len(server.list("nodes")), len(server.list("events"))) == (NODES, EVENTS)
    assert 5 < len(server.list("pods")) < 60


async def test_pods_go_through_their_phases_in_order() -> None:
    phases: dict[str, list[str]] = {}
    for operation in lived(3, 3000):
        match operation:
            case Create("pods", body) | Update("pods", body):
                phase = "Terminating" if "deletionTimestamp" in body["metadata"] else body["status"]["phase"]
                told = phases.setdefault(body["metadata"]["name"], [])
                told += [phase] if told[-1:] != [phase] else []
            case Delete("pods", _, name):
                phases[name].append("gone")
            case _:
                pass

    lives = {tuple(told) for told in phases.values() if told[-1] == "gone"}
    assert lives == {
        ("Pending", "Running", "Succeeded", "Terminating", "gone"),
        ("Pending", "Running", "Terminating", "gone"),
    }


async def test_bodies_are_of_the_size_of_real_ones() -> None:
    """A running pod is about 2 KB: what a consumer's throughput in the demo says would be a lie otherwise."""
    pods = [len(json.dumps(one.body)) for one in lived(3, 300) if isinstance(one, Update) and one.resource == "pods"]
    events = [
        len(json.dumps(one.body)) for one in lived(3, 300) if isinstance(one, Create) and one.resource == "events"
    ]

    assert 1500 < sum(pods) / len(pods) < 3500
    assert 500 < sum(events) / len(events) < 1500


async def test_events_are_about_objects_that_are_there() -> None:
    uids: set[str] = set()
    for operation in lived(5, 1000):
        if isinstance(operation, Create) and operation.resource == "events":
            assert operation.body["involvedObject"]["uid"] in uids
        elif not isinstance(operation, Delete):
            uids.add(operation.body["metadata"]["uid"])


async def test_life_goes_on_at_its_rate_beside_others() -> None:
    """Someone deletes a pod with kubectl in the middle of the demo: the life goes on without it."""
    life = Life(11)
    async with ApiServer() as server:
        going = asyncio.create_task(run(life, server, rate=20.0, clock=lambda: BEGAN))
        await asyncio.sleep(2.0)
        before = server.version
        await asyncio.sleep(20.0)
        changes = server.version - before
        for pod in server.list("pods"):
            server.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
        await asyncio.sleep(20.0)
        alive = not going.done()
        going.cancel()
        await asyncio.wait({going})

        assert (alive, bool(server.list("pods"))) == (True, True)
        assert 350 < changes < 450


async def test_a_watch_tells_a_life_without_a_hole() -> None:
    """What a reader builds from the stream is what the server has."""
    server, life = ApiServer(), Life(13)
    seen: dict[str, dict[str, Any]] = {}
    version = ""
    async with server, Client(server.url, "", None) as client:
        query = {"resourceVersion": str(server.version), "timeoutSeconds": "10"}
        async with client.watch("/api/v1/pods", **query) as stream:
            going = asyncio.create_task(run(life, server, rate=100.0, clock=lambda: BEGAN))
            async for event in stream:
                body = event["object"]
                version = body["metadata"]["resourceVersion"]  # a delete's is its own, and may be the last
                assert (body["metadata"]["uid"] in seen) == (event["type"] != "ADDED")
                seen[body["metadata"]["uid"]] = body
                if event["type"] == "DELETED":
                    del seen[body["metadata"]["uid"]]
            going.cancel()
            await asyncio.wait({going})
        then = await client.get("/api/v1/pods", resourceVersion=version, resourceVersionMatch="Exact")

    assert {item["metadata"]["uid"] for item in then.body["items"]} == set(seen)
    assert len(seen) > 5
