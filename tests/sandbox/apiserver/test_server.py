"""What can be made to happen to the sandbox, and what is asked of it from within."""

import asyncio
import json
from typing import Any

import pytest

from bridge.sandbox.apiserver.refusals import RefusalError
from bridge.sandbox.apiserver.server import ApiServer
from tests.contract.apiserver.client import Client, event, everything, is_about, told, until
from tests.sandbox.apiserver.wire import Seen, seen

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"


def configmap(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def client(server: ApiServer) -> Client:
    return Client(server.url, "", None)


async def opened(server: ApiServer, number: int = 1) -> None:
    """Until as many watches are open: a client goes on as soon as the answer begins."""
    async with asyncio.timeout(10):
        while server.open_watches < number:  # noqa: ASYNC110  # the server says it in no other way
            await asyncio.sleep(0.01)


async def test_written_from_within_and_seen_from_outside() -> None:
    """A demo writes as controllers do: status, uid and times are its own."""
    async with ApiServer() as server, client(server) as outside:
        made = server.create("pods", {"metadata": {"name": "p", "uid": "u1"}, "status": {"phase": "Running"}})
        seen_first = await outside.get("/api/v1/namespaces/default/pods/p")
        changed = server.update("pods", made | {"status": {"phase": "Failed"}})
        found, everyone = server.get("pods", "default", "p"), server.list("pods")
        server.delete("pods", "default", "p")

    assert (made["metadata"]["uid"], made["status"]["phase"]) == ("u1", "Running")
    assert seen_first.body == made
    assert (found, everyone, changed["status"]["phase"]) == (changed, [changed], "Failed")
    assert (server.get("pods", "default", "p"), server.list("pods")) == (None, [])


async def test_from_within_it_refuses_as_from_outside() -> None:
    server = ApiServer()
    old = server.create("configmaps", configmap("a"))
    server.update("configmaps", configmap("a", k="1"))

    with pytest.raises(RefusalError, match="the object has been modified"):
        server.update("configmaps", old | {"data": {"k": "2"}})
    with pytest.raises(RefusalError, match='configmaps "a" already exists'):
        server.create("configmaps", configmap("a"))


async def test_one_version_for_everything() -> None:
    """As in etcd: it grows by one with every write of whatever."""
    server = ApiServer()
    before = server.version
    server.create("configmaps", configmap("a"))
    server.create("nodes", {"metadata": {"name": "n"}})
    server.delete("configmaps", "default", "a")

    assert server.version == before + 3


async def test_bookmarks_come_every_minute() -> None:
    """And say the newest version, also if it is of something else. Events get none."""
    async with ApiServer() as server, client(server) as outside:
        query = {"allowWatchBookmarks": "true", "resourceVersion": str(server.version), "timeoutSeconds": "200"}
        async with outside.watch(CONFIGMAPS, **query) as stream, outside.watch("/api/v1/events", **query) as events:
            server.create("nodes", {"metadata": {"name": "n"}})
            began, times = asyncio.get_running_loop().time(), []
            async for one in stream:
                times.append((one["type"], round(asyncio.get_running_loop().time() - began)))
                assert one["object"]["metadata"] == {"resourceVersion": str(server.version)}
            silent = await everything(events)

    assert times == [("BOOKMARK", 60), ("BOOKMARK", 120), ("BOOKMARK", 180), ("BOOKMARK", 198)]
    assert silent == []


async def test_bookmarks_may_come_more_often() -> None:
    async with ApiServer() as server, client(server) as outside:
        server.set_bookmarks(1.0)
        query = {"allowWatchBookmarks": "true", "resourceVersion": str(server.version), "timeoutSeconds": "5"}
        async with outside.watch(CONFIGMAPS, **query) as stream:
            found = await everything(stream)

    assert [one["type"] for one in found] == ["BOOKMARK"] * 3


async def test_a_rewound_server_hands_out_its_versions_again() -> None:
    """The restored backup: watches break, what came after is gone, and the future is refused."""
    async with ApiServer() as server, client(server) as outside:
        server.create("configmaps", configmap("kept"))
        snapshot = server.snapshot()
        lost = server.create("configmaps", configmap("lost"))
        future = lost["metadata"]["resourceVersion"]
        watching = asyncio.create_task(seen(server.url, CONFIGMAPS, watch="true", resourceVersion=future))
        await opened(server)
        server.rewind(snapshot)
        broken = await watching
        listed = await outside.get(CONFIGMAPS, resourceVersion=future)
        again = server.create("configmaps", configmap("other"))
        found = await outside.get(CONFIGMAPS)

    assert broken == Seen(200, b"", "cut")
    assert (listed.status, listed.body["details"]["causes"][0]["reason"]) == (504, "ResourceVersionTooLarge")
    assert again["metadata"]["resourceVersion"] == future
    assert [item["metadata"]["name"] for item in found.body["items"]] == ["kept", "other"]


async def test_everything_may_expire_at_once() -> None:
    """Watches end in good order, and no version from before is any good, nor any page."""
    async with ApiServer() as server, client(server) as outside:
        for name in ("a", "b"):
            server.create("configmaps", configmap(name))
        old = str(server.version - 1)
        token = (await outside.get(CONFIGMAPS, limit="1")).body["metadata"]["continue"]
        server.create("configmaps", configmap("c"))
        async with outside.watch(CONFIGMAPS, resourceVersion=str(server.version)) as stream:
            await opened(server)
            server.expire_everything()
            ended = await everything(stream)
        async with outside.watch(CONFIGMAPS, resourceVersion=old) as stream:
            expired = await everything(stream)
        page = await outside.get(CONFIGMAPS, **{"continue": token})
        exact = await outside.get(CONFIGMAPS, resourceVersion=old, resourceVersionMatch="Exact")

    assert (ended, page.status, exact.status) == ([], 410, 410)
    assert [one["object"]["message"] for one in expired] == [f"too old resource version: {old} ({server.version})"]


async def test_watches_end_in_good_order_or_break() -> None:
    async with ApiServer() as server:
        ends = []
        for cut in (False, True):
            watching = asyncio.create_task(seen(server.url, CONFIGMAPS, watch="true", resourceVersion="0"))
            await opened(server)
            server.close_watches(cut=cut)
            ends.append((await watching).end)

    assert ends == ["end", "cut"]


async def test_a_live_watch_may_be_told_anything_and_broken_in_the_middle_of_a_line() -> None:
    async with ApiServer() as server:
        watching = asyncio.create_task(seen(server.url, CONFIGMAPS, watch="true", resourceVersion=str(server.version)))
        await opened(server)
        elsewhere = server.say("/api/v1/pods", b"never")
        here = server.say(CONFIGMAPS, b'{"type":"ADDED","obj')
        server.close_watches(cut=True)
        found = await watching

    assert (elsewhere, here, found) == (0, 1, Seen(200, b'{"type":"ADDED","obj', "cut"))


async def test_a_watch_that_falls_behind_is_closed() -> None:
    """The history has a bound: who is slower than it is closed without a word, and is expired when it comes back."""
    async with ApiServer(window=10) as server, client(server) as outside:
        old = str(server.version)
        async with outside.watch(CONFIGMAPS, resourceVersion=old) as stream:
            await opened(server)
            for number in range(11):
                server.create("configmaps", configmap(f"c{number}"))
            closed = await everything(stream)
        async with outside.watch(CONFIGMAPS, resourceVersion=old) as stream:
            expired = await everything(stream)
        async with outside.watch(CONFIGMAPS, resourceVersion=str(int(old) + 1), timeoutSeconds="1") as stream:
            remembered = await everything(stream)

    assert (closed, [one["object"]["code"] for one in expired]) == ([], [410])
    assert told(remembered) == [("ADDED", f"c{number}") for number in range(1, 11)]


async def test_what_is_forbidden_is_refused_and_said_beforehand() -> None:
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    asked = {"spec": {"resourceAttributes": {"verb": "watch", "resource": "configmaps"}}}
    async with ApiServer() as server, client(server) as outside:
        server.access.forbid("watch", "configmaps")
        review = await outside.post(reviews, asked)
        watched = await outside.get(CONFIGMAPS, watch="true")
        listed = await outside.get(CONFIGMAPS)
        server.access.allow("watch", "configmaps")
        allowed = await seen(server.url, CONFIGMAPS, watch="true", timeoutSeconds="1")

    message = (
        'configmaps is forbidden: User "sandbox" cannot watch resource "configmaps" in API group ""'
        ' in the namespace "default"'
    )
    assert (review.body["status"], listed.status, allowed.status) == ({"allowed": False}, 200, 200)
    assert (watched.status, watched.body["message"]) == (403, message)


async def test_a_token_may_be_demanded() -> None:
    async with ApiServer(token="secret") as server:
        refused = await seen(server.url, "/api/v1/pods")
        accepted = await seen(server.url, "/api/v1/pods", headers={"Authorization": "Bearer secret"})
        user = json.loads(server.kubeconfig_text())["users"][0]["user"]

    assert (refused.status, json.loads(refused.body)["reason"], accepted.status) == (401, "Unauthorized", 200)
    assert user == {"token": "secret"}


async def test_latency_is_before_every_answer() -> None:
    async with ApiServer() as server:
        server.set_latency(2.0)
        began = asyncio.get_running_loop().time()
        await seen(server.url, "/readyz")
        took = asyncio.get_running_loop().time() - began

    assert round(took, 1) == 2.0


async def test_requests_are_remembered() -> None:
    """So that a test can say how often somebody asks of a server that is ill."""
    async with ApiServer() as server:
        await seen(server.url, "/api/v1/pods", limit="1")
        asked = [(one.method, one.path, one.query) for one in server.requests]

    assert asked == [("GET", "/api/v1/pods", {"limit": "1"})]


async def test_it_may_be_ended_and_started_again() -> None:
    """As a killed process: connections break, the port is refused, and then all is there as before."""
    server = ApiServer()
    async with server:
        server.create("configmaps", configmap("a"))
        url = server.url
    async with server:
        found = await seen(server.url, CONFIGMAPS)

    assert server.url == url
    assert b'"name":"a"' in found.body


async def test_a_namespace_goes_with_all_that_is_in_it() -> None:
    """Where the real one has a controller for it, and kubectl waits for the end."""
    async with ApiServer() as server, client(server) as outside:
        name = await outside.namespace()
        await outside.post(f"/api/v1/namespaces/{name}/configmaps", configmap("a"))
        await outside.post(f"/api/v1/namespaces/{name}/events", event(name, "e"))
        version = str(server.version)
        gone = await outside.delete(f"/api/v1/namespaces/{name}")
        after = await outside.get(f"/api/v1/namespaces/{name}")
        async with outside.watch("/api/v1/namespaces", resourceVersion=version) as stream:
            said = [await until(stream, is_about(name)), await until(stream, is_about(name))]
        left = [len(server.list(resource)) for resource in ("configmaps", "events")]

    assert (gone.body["status"]["phase"], after.status, left) == ("Terminating", 404, [0, 0])
    assert [told(one) for one in said] == [[("MODIFIED", name)], [("DELETED", name)]]


async def test_a_resource_may_be_served_in_two_versions() -> None:
    """What is written in one is read in the other, and only its apiVersion differs."""
    versions = [{"name": "v1", "served": True, "storage": True}, {"name": "v1beta1", "served": True, "storage": False}]
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Cluster", "names": names, "versions": versions}
    async with ApiServer() as server, client(server) as outside:
        server.create(
            "customresourcedefinitions.apiextensions.k8s.io",
            {"metadata": {"name": "widgets.example.com"}, "spec": spec},
        )
        server.create("widgets.example.com", {"metadata": {"name": "w"}})
        changed = await outside.patch("/apis/example.com/v1beta1/widgets/w", {"spec": {"size": 2}})
        found = [await outside.get(f"/apis/example.com/{version}/widgets/w") for version in ("v1", "v1beta1")]

    assert [one.body["apiVersion"] for one in found] == ["example.com/v1", "example.com/v1beta1"]
    assert found[0].body["metadata"] == found[1].body["metadata"]
    assert (changed.status, found[0].body["spec"]) == (200, {"size": 2})
