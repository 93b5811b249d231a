"""Watches: what is told, at which version, from where, until when, and how it fails."""

import gzip
import zlib

import pytest

from tests.contract.apiserver.client import (
    Object,
    Reply,
    ends_initial,
    event,
    everything,
    is_about,
    plain,
    pod,
    told,
    until,
)
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_lists import METADATA, TABLE, filled
from tests.contract.apiserver.test_writes import failed

INITIAL = {
    "sendInitialEvents": "true",
    "resourceVersionMatch": "NotOlderThan",
    "resourceVersion": "",
    "allowWatchBookmarks": "true",
}


async def test_every_change_after_a_version(side: Side) -> None:
    """A delete carries the last body, with the version of the delete: a reader can resume there."""
    async with side.client() as client:
        path = await client.configmaps("a")
        version = await client.version(path)
        changed = await client.patch(f"{path}/a", {"data": {"k": "1"}})
        made = await client.post(path, {"metadata": {"name": "b"}})
        await client.delete(f"{path}/a")
        async with client.watch(path, resourceVersion=version) as events:
            found = await until(events, lambda event: event["type"] == "DELETED")

    assert told(found) == [("MODIFIED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    assert [found[0]["object"], found[1]["object"]] == [changed.body, made.body]
    assert plain(found[2]["object"]) == plain(changed.body)
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in found]
    assert versions == sorted(versions)
    assert versions[2] > versions[1]


async def test_a_watch_resumes_at_any_version_it_has_told(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        version = await client.version(path)
        await client.delete(f"{path}/a")
        await client.post(path, {"metadata": {"name": "b"}})
        async with client.watch(path, resourceVersion=version) as events:
            (gone,) = await until(events, is_about("a"))
        async with client.watch(path, resourceVersion=gone["object"]["metadata"]["resourceVersion"]) as events:
            found = await until(events, is_about("b"))

    assert told(found) == [("ADDED", "b")]


@pytest.mark.parametrize("plural", ["configmaps", "events"])
async def test_a_snapshot_as_a_stream(side: Side, plural: str) -> None:
    """WatchList: the objects with kind and apiVersion, the bookmark that ends them, and then what happens."""
    async with side.client() as client:
        path = await filled(client, plural, "a", "b")
        async with client.watch(path, **INITIAL) as events:
            found = await until(events, ends_initial)
            await client.delete(f"{path}/a")
            live = await until(events, lambda _: True)
        listed = await client.get(path)

    kind = {"configmaps": "ConfigMap", "events": "Event"}[plural]
    assert told(found) == [("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", "")]
    assert {(event["object"]["kind"], event["object"]["apiVersion"]) for event in found} == {(kind, "v1")}
    metadata = found[2]["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(metadata["resourceVersion"]) < int(live[0]["object"]["metadata"]["resourceVersion"])
    assert (told(live), len(listed.body["items"])) == ([("DELETED", "a")], 1)


@pytest.mark.parametrize("version", ["", "0"])
@pytest.mark.parametrize("bookmarks", ["true", "false"])
async def test_without_a_version_the_objects_come_first(side: Side, version: str, bookmarks: str) -> None:
    """And the bookmark that ends them, if bookmarks are wanted."""
    async with side.client() as client:
        path = await client.configmaps("a")
        await client.version(path)
        query = {"resourceVersion": version, "allowWatchBookmarks": bookmarks, "timeoutSeconds": "1"}
        async with client.watch(path, **query) as events:
            found = await everything(events)

    end = [("BOOKMARK", "")] if bookmarks == "true" else []
    assert told(found) == [("ADDED", "a"), *end]


async def test_objects_enter_and_leave_a_selection_of_labels(side: Side) -> None:
    """Which is told as ADDED and DELETED; what was outside before and after is not told."""
    async with side.client() as client:
        path = await client.configmaps("a", "b")
        version = await client.version(path)
        for label in ("no", "yes", "yes", "no"):
            await client.patch(f"{path}/a", {"metadata": {"labels": {"in": label}}, "data": {"k": label}})
            await client.patch(f"{path}/a", {"data": {"n": label}})
        await client.patch(f"{path}/b", {"metadata": {"labels": {"in": "yes"}}})
        left = await client.get(f"{path}/a")
        async with client.watch(path, resourceVersion=version, labelSelector="in=yes") as events:
            found = await until(events, is_about("b"))

    assert told(found) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]
    gone = found[2]["object"]
    assert (gone["metadata"]["labels"], gone["data"]) == ({"in": "yes"}, {"k": "yes", "n": "yes"})
    assert int(gone["metadata"]["resourceVersion"]) < int(left.body["metadata"]["resourceVersion"])


async def test_objects_enter_and_leave_a_selection_of_fields(side: Side) -> None:
    async with side.client() as client:
        path = f"/api/v1/namespaces/{await client.namespace()}/pods"
        await client.post(path, pod("p", node="n1"))
        await client.post(path, pod("other"))
        version = await client.version(path)
        for phase in ("Running", "Succeeded"):
            await client.patch(f"{path}/p/status", {"status": {"phase": phase}})
        await client.delete(f"{path}/other", {"gracePeriodSeconds": 0})
        query = {"resourceVersion": version, "fieldSelector": "status.phase=Running"}
        async with client.watch(path, **query, timeoutSeconds="2") as events:
            found = await everything(events)

    assert told(found) == [("ADDED", "p"), ("DELETED", "p")]


async def test_a_watch_of_events_by_what_they_are_about(side: Side) -> None:
    """`kubectl get events --watch --field-selector`, and what `kubectl describe` reads."""
    async with side.client() as client:
        path = await client.events()
        version, namespace = await client.version(path), path.split("/")[4]
        for body in (event(namespace, "a", about="x"), event(namespace, "b", "Warning", about="y")):
            await client.post(path, body)
        query = {"fieldSelector": "involvedObject.name=y,type=Warning", "resourceVersion": version}
        async with client.watch(path, **query) as events:
            found = await until(events, is_about("b"))

    assert told(found) == [("ADDED", "b")]


async def test_a_watch_from_the_future_is_silent(side: Side) -> None:
    """No error, no event, no bookmark: only asking otherwise tells that the server was put back."""
    async with side.client() as client:
        path = await client.configmaps("a")
        query = {"resourceVersion": str(10**9), "timeoutSeconds": "3", "allowWatchBookmarks": "true"}
        async with client.watch(path, **query) as events:
            await client.patch(f"{path}/a", {"data": {"k": "1"}})
            found = await everything(events)

    assert found == []


async def test_a_snapshot_from_the_future_is_refused_in_the_stream(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        async with client.watch(path, **(INITIAL | {"resourceVersion": str(10**9)})) as events:
            (found,) = await everything(events)

    status: Object = found["object"]
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    expected = failed(504, "Timeout", status["message"], {"causes": [cause], "retryAfterSeconds": 1})
    assert found == {"type": "ERROR", "object": expected.body}


REFUSED = {
    "an odd version": ({"resourceVersion": "abc"}, 500, None),
    "a match without a snapshot": ({"resourceVersion": "1", "resourceVersionMatch": "NotOlderThan"}, 422, "Invalid"),
    "a snapshot without a match": ({"sendInitialEvents": "true"}, 422, "Invalid"),
    "an odd selector": ({"labelSelector": "a b c"}, 400, "BadRequest"),
    "an unknown field": ({"fieldSelector": "a=b"}, 400, "BadRequest"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_watches_that_are_refused(side: Side, name: str) -> None:
    """Before anything is streamed, with a status of HTTP."""
    query, code, reason = REFUSED[name]
    async with side.client() as client:
        found = await client.get(await client.configmaps(), watch="true", **query)

    assert (found.status, found.body.get("reason")) == (code, reason)


async def test_a_last_bookmark_before_the_end(side: Side) -> None:
    """Two seconds before, so that a quiet watch resumes at a version that is not forgotten. Events get none."""
    query = {"allowWatchBookmarks": "true", "timeoutSeconds": "5"}
    async with side.client() as client:
        configmaps, events = await client.configmaps("a"), await client.events("a")
        version = await client.version(events)
        async with (
            client.watch(configmaps, resourceVersion=version, **query) as cached,
            client.watch(events, resourceVersion=version, **query) as uncached,
        ):
            for path in (configmaps, events):
                await client.patch(f"{path}/a", {"metadata": {"labels": {"x": "y"}}})
            change, *last = await everything(cached)
            without = await everything(uncached)

    assert (told([change]), told(without)) == ([("MODIFIED", "a")], [("MODIFIED", "a")])
    assert {one["type"] for one in last} == {"BOOKMARK"}  # the real server may say it twice
    assert list(last[0]["object"]) == ["kind", "apiVersion", "metadata"]
    assert list(last[0]["object"]["metadata"]) == ["resourceVersion"]
    versions = [int(one["object"]["metadata"]["resourceVersion"]) for one in (change, *last)]
    assert versions == sorted(versions)


async def test_a_table_as_it_changes(side: Side) -> None:
    """kubectl get --watch: the columns are said once."""
    async with side.client() as client:
        path = await client.configmaps("a", "b")
        async with client.watch(path, accept=TABLE, timeoutSeconds="1") as events:
            found = await everything(events)

    rows = [event["object"]["rows"][0]["cells"][0] for event in found]
    assert (rows, [event["object"]["columnDefinitions"] is None for event in found]) == (["a", "b"], [False, True])


async def test_a_snapshot_is_compressed_for_who_accepts_it(side: Side) -> None:
    """Each flush a gzip member (1.37), which decoders that stop after the first one lose."""
    async with side.client() as client:
        path = await client.configmaps("a", "b")
        asked = INITIAL | {"watch": "true", "timeoutSeconds": "1"}
        plainly, _ = await client.raw(path, {"Accept-Encoding": "identity"}, **asked)
        zipped, data = await client.raw(path, {"Accept-Encoding": "gzip"}, **asked)

    assert (plainly.headers.get("Content-Encoding"), zipped.headers.get("Content-Encoding")) == (None, "gzip")
    assert gzip.decompress(data).count(b"\n") == 3
    assert zlib.decompressobj(wbits=31).decompress(data).startswith(b'{"type":"ADDED"')


async def test_a_compaction_expires_positions_of_what_is_not_cached(side: Side) -> None:
    """In etcd's words, and in a stream with status 200. An open watch goes on, and so does what is cached."""
    async with side.client() as client:
        events, configmaps = await client.events("a"), await client.configmaps("a")
        old = await client.version(events)
        await client.post(events, event(events.split("/")[4], "b"))
        async with client.watch(events, resourceVersion=await client.version(events)) as opened:
            await client.patch(f"{configmaps}/a", {"data": {"k": "1"}})
            await side.compact()
            await client.delete(f"{events}/b")
            live = await until(opened, is_about("b"))
        async with client.watch(events, resourceVersion=old) as stream:
            expired = await everything(stream)
        async with client.watch(configmaps, resourceVersion=old) as stream:
            cached = await until(stream, is_about("a"))

    message = "The resourceVersion for the provided watch is too old."
    assert expired == [{"type": "ERROR", "object": failed(410, "Expired", message).body}]
    assert (told(live), told(cached)) == ([("DELETED", "b")], [("MODIFIED", "a")])


async def test_a_restart_expires_all_positions(side: Side) -> None:
    """In the cache's words, with the versions: its history begins anew."""
    async with side.client() as client:
        path = await client.configmaps("a")
        old = await client.version(path)
        await client.patch(f"{path}/a", {"data": {"k": "1"}})
        await client.patch(f"{path}/a", {"data": {"k": "2"}})
        await side.expire_everything()
        async with client.watch(path, resourceVersion=old) as stream:
            (expired,) = await everything(stream)
        newest = await client.version(path)
        await client.delete(f"{path}/a")
        async with client.watch(path, resourceVersion=newest) as stream:
            live = await until(stream, is_about("a"))

    message = expired["object"]["message"]
    assert message.startswith(f"too old resource version: {old} (")
    assert Reply(410, expired["object"]) == failed(410, "Expired", message)
    assert (expired["type"], told(live)) == ("ERROR", [("DELETED", "a")])


async def test_one_object_is_not_watched_by_its_path(side: Side) -> None:
    """It is got, whatever the query says; the way to watch it is a field selector."""
    async with side.client() as client:
        path = await client.configmaps("a")
        found = await client.get(f"{path}/a", watch="true")

    assert (found.status, found.body["kind"]) == (200, "ConfigMap")


async def test_a_watch_of_all_namespaces_and_of_metadata_alone(side: Side) -> None:
    async with side.client() as client:
        first, second = await client.configmaps(), await client.configmaps()
        version = await client.version(first)
        for path in (first, second):
            await client.post(
                path, {"metadata": {"name": "a", "labels": {"of": first.split("/")[4]}}, "data": {"k": "v"}}
            )
        query = {"resourceVersion": version, "labelSelector": f"of={first.split('/')[4]}", "timeoutSeconds": "2"}
        async with client.watch("/api/v1/configmaps", METADATA.replace("List", ""), **query) as events:
            found = await everything(events)

    assert [event["object"]["metadata"]["namespace"] for event in found] == [first.split("/")[4], second.split("/")[4]]
    assert [sorted(event["object"]) for event in found] == [["apiVersion", "kind", "metadata"]] * 2
    assert {event["object"]["kind"] for event in found} == {"PartialObjectMetadata"}


async def test_a_snapshot_of_a_selection(side: Side) -> None:
    """What is outside is not in it, and what enters later is told as new."""
    async with side.client() as client:
        path = await client.configmaps("out")
        await client.post(path, {"metadata": {"name": "in", "labels": {"l": "1"}}})
        async with client.watch(path, labelSelector="l=1", **INITIAL) as events:
            found = await until(events, ends_initial)
            await client.patch(f"{path}/out", {"metadata": {"labels": {"l": "1"}}})
            entered = await until(events, lambda _: True)

    assert (told(found), told(entered)) == ([("ADDED", "in"), ("BOOKMARK", "")], [("ADDED", "out")])


async def test_no_objects_first_if_that_is_said(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        version = await client.version(path)
        query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan", "resourceVersion": version}
        async with client.watch(path, **query) as events:
            await client.post(path, {"metadata": {"name": "b"}})
            found = await until(events, lambda _: True)

    assert told(found) == [("ADDED", "b")]
