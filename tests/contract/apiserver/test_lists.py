"""LIST: its form, its pages, its selections, at which version, and when that is expired."""

import base64
import gzip
import json

import pytest

from tests.contract.apiserver.client import Client, Object, Reply, event, plain, pod
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_writes import failed

METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def names(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [item["metadata"]["name"] for item in reply.body["items"]]


async def test_a_list_says_its_kind_once(side: Side) -> None:
    """Items of built-in types carry neither kind nor apiVersion: a reader must add them."""
    async with side.client() as client:
        found = await client.get(await client.configmaps("b", "a"))

    assert list(found.body) == ["kind", "apiVersion", "metadata", "items"]
    assert (found.body["kind"], found.body["apiVersion"], list(found.body["metadata"])) == (
        "ConfigMapList",
        "v1",
        ["resourceVersion"],
    )
    assert [plain(item) for item in found.body["items"]] == [
        {"metadata": {"name": name}, "data": {"k": name}} for name in "ab"
    ]


async def test_lists_are_in_the_order_of_namespace_and_name(side: Side) -> None:
    """As etcd's keys, where `/` is greater than `-`: pages of all namespaces cut there."""
    async with side.client() as client:
        namespace = await client.namespace()
        longer = f"{namespace}-x"
        await client.post("/api/v1/namespaces", {"metadata": {"name": longer}})
        for home in (namespace, longer):
            body = {"metadata": {"name": "a", "labels": {"of": namespace}}}
            await client.post(f"/api/v1/namespaces/{home}/configmaps", body)
        found = await client.get("/api/v1/configmaps", labelSelector=f"of={namespace}")

    assert [item["metadata"]["namespace"] for item in found.body["items"]] == [longer, namespace]


@pytest.mark.parametrize("plural", ["configmaps", "events"])
async def test_pages_show_one_moment(side: Side, plural: str) -> None:
    """What is written while somebody pages is in none of the pages."""
    async with side.client() as client:
        path = await filled(client, plural, "a", "b", "c", "d", "e")
        first = await client.get(path, limit="2")
        await client.delete(f"{path}/d")
        await client.post(path, event(path.split("/")[4], "f") if plural == "events" else {"metadata": {"name": "f"}})
        second = await client.get(path, limit="2", **{"continue": first.body["metadata"]["continue"]})
        third = await client.get(path, limit="2", **{"continue": second.body["metadata"]["continue"]})
        whole = await client.get(path)

    assert [names(page) for page in (first, second, third)] == [["a", "b"], ["c", "d"], ["e"]]
    assert names(whole) == ["a", "b", "c", "e", "f"]
    versions = {page.body["metadata"]["resourceVersion"] for page in (first, second, third)}
    left = [page.body["metadata"].get("remainingItemCount") for page in (first, second, third)]
    assert (len(versions), left, "continue" in third.body["metadata"]) == (1, [3, 1, None], False)


async def test_pages_of_a_selection_do_not_say_how_many_are_left(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        for name in ("x", "y"):
            await client.post(path, {"metadata": {"name": name, "labels": {"l": "1"}}})
        first = await client.get(path, limit="1", labelSelector="l=1")
        token = first.body["metadata"]["continue"]
        second = await client.get(path, limit="1", labelSelector="l=1", **{"continue": token})

    assert (names(first), names(second), "remainingItemCount" in first.body["metadata"]) == (["x"], ["y"], False)


async def test_continue_tokens_are_those_of_the_real_server(side: Side) -> None:
    """Clients must not look into them, and some do."""
    async with side.client() as client:
        found = await client.get(await client.configmaps("a", "b"), limit="1")

    token = found.body["metadata"]["continue"]
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    version = int(found.body["metadata"]["resourceVersion"])
    assert (content["v"], content["rv"], content["start"].lstrip("/")) == ("meta.k8s.io/v1", version, "a\0")


LABELS = {
    "app=a": ["a"],
    "app==a": ["a"],
    "app!=a": ["b", "none"],
    "app in (a,b)": ["a", "b"],
    "app in ( a , c )": ["a"],
    "app notin (a)": ["b", "none"],
    "app": ["a", "b"],
    "!app": ["none"],
    "app,n>1": ["b"],
    "n<2": ["a"],
    "app=a,n=1": ["a"],
    "app=a,n=2": [],
    "app=": [],
    "": ["a", "b", "none"],
}


@pytest.mark.parametrize("selector", LABELS)
async def test_label_selectors(side: Side, selector: str) -> None:
    async with side.client() as client:
        path = await client.configmaps("none")
        await client.post(path, {"metadata": {"name": "a", "labels": {"app": "a", "n": "1"}}})
        await client.post(path, {"metadata": {"name": "b", "labels": {"app": "b", "n": "2"}}})
        found = await client.get(path, labelSelector=selector)

    assert names(found) == LABELS[selector]


FIELDS = {
    ("pods", "spec.nodeName=n1"): ["p1"],
    ("pods", "spec.nodeName!=n1"): ["p2"],
    ("pods", "status.phase=Pending,spec.nodeName="): ["p2"],
    ("pods", "metadata.name=p1"): ["p1"],
    ("pods", "status.phase=Running"): [],
    ("events", "involvedObject.name=web"): ["e1"],
    ("events", "involvedObject.kind=Pod,type=Warning"): ["e2"],
    ("events", "reason!=Tested"): ["e2"],
    ("configmaps", "metadata.name!=c1"): ["c2"],
}


@pytest.mark.parametrize(("plural", "selector"), FIELDS)
async def test_field_selectors(side: Side, plural: str, selector: str) -> None:
    async with side.client() as client:
        namespace = await client.namespace()
        path = f"/api/v1/namespaces/{namespace}/{plural}"
        bodies: dict[str, list[Object]] = {
            "pods": [pod("p1", node="n1"), pod("p2")],
            "events": [event(namespace, "e1", about="web"), event(namespace, "e2", "Warning", "Failed")],
            "configmaps": [{"metadata": {"name": "c1"}}, {"metadata": {"name": "c2"}}],
        }
        for body in bodies[plural]:
            assert (await client.post(path, body)).status == 201
        found = await client.get(path, fieldSelector=selector)

    assert names(found) == FIELDS[plural, selector]


async def test_metadata_alone(side: Side) -> None:
    """What the bridge asks for when it only wants versions."""
    async with side.client() as client:
        path = await client.configmaps("a")
        found = await client.get(path, METADATA)
        whole = await client.get(f"{path}/a")
        one = await client.get(f"{path}/a", METADATA.replace("List", ""))

    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": whole.body["metadata"]}
    assert (found.body["kind"], found.body["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1")
    assert (found.body["items"], one.body) == ([partial], partial)


async def test_a_table_for_people(side: Side) -> None:
    """What kubectl get asks for: rows with the metadata beside."""
    async with side.client() as client:
        path = await client.configmaps("a")
        found = await client.get(path, TABLE)

    (row,) = found.body["rows"]
    assert (found.body["kind"], found.body["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in found.body["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert (row["cells"][:2], row["object"]["metadata"]["name"]) == (["a", 1], "a")


REFUSED = {
    "labelSelector": ("a b c", 400, "BadRequest"),
    "fieldSelector": ("nope=1", 400, "BadRequest"),
    "resourceVersion": ("abc", 400, "BadRequest"),
    "continue": ("abc", 400, "BadRequest"),
    "resourceVersionMatch": ("Exact", 422, "Invalid"),
    "sendInitialEvents": ("true", 422, "Invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_queries_that_are_refused(side: Side, name: str) -> None:
    value, code, reason = REFUSED[name]
    async with side.client() as client:
        found = await client.get(await client.configmaps(), **{name: value})

    assert (found.status, found.body["reason"]) == (code, reason)


async def test_the_words_of_refused_queries(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a", "b")
        field = await client.get(path, fieldSelector="nope=1")
        pods = await client.get("/api/v1/pods", fieldSelector="nope=1")
        nothing = await client.get(path, fieldSelector="xx")
        token = (await client.get(path, limit="1")).body["metadata"]["continue"]
        both = await client.get(path, resourceVersion="5", **{"continue": token})
        odd = await client.get(path, resourceVersion="x")

    said = [reply.body["message"] for reply in (field, pods, nothing, both, odd)]
    assert said == [
        '"nope" is not a known field selector: only "metadata.name", "metadata.namespace"',
        "field label not supported: nope",
        "invalid selector: 'xx'; can't understand 'xx'",
        "specifying resource version is not allowed when using continue",
        'invalid resource version: resourceVersion: Invalid value: "x": strconv.ParseUint: parsing "x": invalid syntax',
    ]


@pytest.mark.parametrize("match", ["", "NotOlderThan", "Exact"])
@pytest.mark.parametrize("plural", ["configmaps", "events"])
async def test_a_version_from_the_future_is_waited_for_and_refused(side: Side, plural: str, match: str) -> None:
    """How a reader can tell that the server was put back (kubernetes#107457)."""
    future = 10**9
    async with side.client() as client:
        path = await filled(client, plural)
        found = await client.get(
            path, resourceVersion=str(future), **({"resourceVersionMatch": match} if match else {})
        )

    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    hint = {"retryAfterSeconds": 1} if plural == "configmaps" else {}
    assert found.body["message"].startswith(f"Timeout: Too large resource version: {future}, current: ")
    assert found == failed(504, "Timeout", found.body["message"], {"causes": [cause], **hint})


async def test_a_list_of_an_exact_version(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        version = await client.version(path)
        await client.post(path, {"metadata": {"name": "b"}})
        await client.version(path)
        then = await client.get(path, resourceVersion=version, resourceVersionMatch="Exact")
        since = await client.get(path, resourceVersion=version, resourceVersionMatch="NotOlderThan")

    assert (names(then), then.body["metadata"]["resourceVersion"]) == (["a"], version)
    assert names(since) == ["a", "b"]


@pytest.mark.parametrize("plural", ["configmaps", "events"])
async def test_any_version_knows_no_pages(side: Side, plural: str) -> None:
    """From the cache: with `resourceVersion=0` the limit is ignored (KEP-2340)."""
    async with side.client() as client:
        path = await filled(client, plural, "a", "b")
        await client.version(path)
        found = await client.get(path, resourceVersion="0", limit="1")

    assert names(found) == {"configmaps": ["a", "b"], "events": ["a"]}[plural]


async def test_a_compaction_expires_pages_of_what_is_not_cached(side: Side) -> None:
    """The page is refused with a token that goes on with what is there now. What is cached does not notice."""
    async with side.client() as client:
        events, configmaps = await client.events("a", "b", "c"), await client.configmaps("a", "b", "c")
        tokens = [(await client.get(path, limit="1")).body["metadata"]["continue"] for path in (events, configmaps)]
        await client.delete(f"{events}/b")
        version = await client.version(events)
        await client.post(events, event(events.split("/")[4], "d"))
        await side.compact()
        expired = await client.get(events, limit="1", **{"continue": tokens[0]})
        hint = expired.body["metadata"]["continue"]
        rest = await client.get(events, **{"continue": hint})
        cached = await client.get(configmaps, **{"continue": tokens[1]})
        exact = await client.get(events, resourceVersion=version, resourceVersionMatch="Exact")

    assert (expired.status, expired.body["reason"], expired.body["code"]) == (410, "Expired", 410)
    assert expired.body["message"].startswith("The provided continue parameter is too old to display a consistent list")
    assert (names(rest), names(cached)) == (["c", "d"], ["b", "c"])
    assert exact == failed(410, "Expired", "The resourceVersion for the provided list is too old.")


async def filled(client: Client, plural: str, *found: str) -> str:
    return await (client.events(*found) if plural == "events" else client.configmaps(*found))


async def test_big_answers_are_compressed_for_who_accepts_it(side: Side) -> None:
    """From 128 KiB on; below that it would cost more than it saves."""
    async with side.client() as client:
        path = await client.configmaps("small")
        small, _ = await client.raw(path, {"Accept-Encoding": "gzip"})
        await client.post(path, {"metadata": {"name": "big"}, "data": {"k": "x" * 200_000}})
        big, data = await client.raw(path, {"Accept-Encoding": "gzip"})
        plain_one, _ = await client.raw(path, {"Accept-Encoding": "identity"})

    encodings = [one.headers.get("Content-Encoding") for one in (small, big, plain_one)]
    assert (encodings, len(json.loads(gzip.decompress(data))["items"])) == ([None, "gzip", None], 2)


async def test_a_version_without_a_match(side: Side) -> None:
    """It is the least for a whole list, and exact for pages, as it was before there was a match."""
    async with side.client() as client:
        path = await client.configmaps("a")
        version = await client.version(path)
        await client.post(path, {"metadata": {"name": "b"}})
        await client.version(path)
        whole = await client.get(path, resourceVersion=version)
        page = await client.get(path, resourceVersion=version, limit="5")

    assert (names(whole), names(page)) == (["a", "b"], ["a"])
