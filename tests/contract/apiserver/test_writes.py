"""Writes: what is stored, what is answered, and what is refused in which words."""

import pytest

from tests.contract.apiserver.client import MERGE, Client, Object, Reply, plain, pod
from tests.contract.apiserver.sides import Side

JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
SYSTEM = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"}


def failed(code: int, reason: str, message: str, details: Object | None = None) -> Reply:
    body: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    body |= {"reason": reason, "code": code} | ({} if details is None else {"details": details})
    return Reply(code, body)


def version(reply: Reply) -> int:
    return int(reply.body["metadata"]["resourceVersion"])


async def test_a_new_object_comes_back_with_what_the_server_adds(side: Side) -> None:
    """Clients take the uid and the version from the answer, and do not ask again."""
    async with side.client() as client:
        path = await client.configmaps()
        made = await client.post(path, {"metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}})
        got = await client.get(f"{path}/a")

    assert (made.status, set(made.body["metadata"])) == (201, SYSTEM | {"labels"})
    assert plain(made.body) == {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "a", "labels": {"x": "y"}},
        "data": {"k": "v"},
    }
    (entry,) = made.body["metadata"]["managedFields"]
    assert entry["fieldsV1"]["f:metadata"].keys() == {"f:labels"}
    assert (entry["operation"], entry["fieldsType"], entry["apiVersion"]) == ("Update", "FieldsV1", "v1")
    assert got == Reply(200, made.body)


async def test_a_name_may_be_generated(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps()
        made = await client.post(path, {"metadata": {"generateName": "gen-"}})

    name = made.body["metadata"]["name"]
    assert (made.status, name[:4], len(name), made.body["metadata"]["generateName"]) == (201, "gen-", 9, "gen-")


async def test_what_is_refused_at_birth(side: Side) -> None:
    """The words are what people see from kubectl; the reason is what programs look at."""
    async with side.client() as client:
        path = await client.configmaps("a")
        twice = await client.post(path, {"metadata": {"name": "a"}})
        nameless = await client.post(path, {"metadata": {}})
        odd = await client.post(path, {"metadata": {"name": "A_b"}})
        nowhere = await client.post("/api/v1/namespaces/nope/configmaps", {"metadata": {"name": "a"}})
        elsewhere = await client.post(path, {"metadata": {"name": "b", "namespace": "other"}})
        other = await client.post(path, {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}})
        broken = await client.post(path, b'{"kind"')
        versioned = await client.post(path, {"metadata": {"name": "v", "resourceVersion": "5"}})

    required = "Required value: name or generateName is required"
    cause = {"reason": "FieldValueRequired", "message": required, "field": "metadata.name"}
    assert twice == failed(409, "AlreadyExists", 'configmaps "a" already exists', {"name": "a", "kind": "configmaps"})
    assert nameless == failed(
        422,
        "Invalid",
        f'ConfigMap "" is invalid: metadata.name: {required}',
        {"kind": "ConfigMap", "causes": [cause]},
    )
    assert (odd.status, odd.body["reason"], odd.body["details"]["name"]) == (422, "Invalid", "A_b")
    assert odd.body["message"].startswith(
        'ConfigMap "A_b" is invalid: metadata.name: Invalid value: "A_b": a lowercase'
    )
    details = {"name": "nope", "kind": "namespaces"}
    assert nowhere == failed(404, "NotFound", 'namespaces "nope" not found', details)
    assert elsewhere == failed(
        400,
        "BadRequest",
        "the namespace of the provided object does not match the namespace sent on the request",
    )
    assert (other.status, other.body["reason"]) == (400, "BadRequest")
    assert other.body["message"].startswith('Pod in version "v1" cannot be handled as a ConfigMap')
    message = "resourceVersion should not be set on objects to be created"
    assert (versioned.status, versioned.body["message"]) == (500, message)
    assert (broken.status, broken.body["reason"]) == (400, "BadRequest")
    assert broken.body["message"].startswith("the object provided is unrecognized (must be of type ConfigMap)")


async def test_an_update_needs_the_newest_version_or_none(side: Side) -> None:
    """Optimistic concurrency: what was read before another wrote is not written over it."""
    async with side.client() as client:
        path = await client.configmaps("a")
        old = await client.get(f"{path}/a")
        blind = await client.put(f"{path}/a", {"metadata": {"name": "a"}, "data": {"k": "1"}})
        stale = await client.put(f"{path}/a", old.body | {"data": {"k": "2"}})
        fresh = await client.put(f"{path}/a", blind.body | {"data": {"k": "3"}})
        patched = await client.patch(f"{path}/a", {"metadata": {"resourceVersion": str(version(old))}})

    conflict = failed(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on configmaps "a": {MODIFIED}',
        {"name": "a", "kind": "configmaps"},
    )
    assert (blind.status, fresh.status, fresh.body["data"]) == (200, 200, {"k": "3"})
    assert version(old) < version(blind) < version(fresh)
    assert fresh.body["metadata"]["uid"] == old.body["metadata"]["uid"]
    assert (stale, patched) == (conflict, conflict)


async def test_an_update_that_changes_nothing_is_no_write(side: Side) -> None:
    """Controllers write the same over and over; watchers must not hear of it."""
    async with side.client() as client:
        path = await client.configmaps("a")
        old = await client.get(f"{path}/a")
        put = await client.put(f"{path}/a", {"metadata": {"name": "a"}, "data": {"k": "a"}})
        patched = await client.patch(f"{path}/a", {"data": {"k": "a"}})

    assert (put, patched) == (old, old)


async def test_an_update_must_be_of_the_object_it_is_sent_to(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        renamed = await client.put(f"{path}/a", {"metadata": {"name": "z"}})
        another = await client.put(f"{path}/a", {"metadata": {"name": "a", "uid": "other"}, "data": {}})
        missing = await client.put(f"{path}/b", {"metadata": {"name": "b"}})

    message = "the name of the object (z) does not match the name on the URL (a)"
    assert renamed == failed(400, "BadRequest", message)
    assert (another.status, another.body["reason"]) == (409, "Conflict")
    assert missing == failed(404, "NotFound", 'configmaps "b" not found', {"name": "b", "kind": "configmaps"})


async def test_a_delete_answers_that_it_is_done(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        uid = (await client.get(f"{path}/a")).body["metadata"]["uid"]
        gone = await client.delete(f"{path}/a")
        again = await client.delete(f"{path}/a")

    details = {"name": "a", "kind": "configmaps", "uid": uid}
    done = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    assert gone == Reply(200, done)
    assert again == failed(404, "NotFound", 'configmaps "a" not found', {"name": "a", "kind": "configmaps"})


async def test_a_deleted_pod_is_the_answer_to_its_delete(side: Side) -> None:
    async with side.client() as client:
        path = f"/api/v1/namespaces/{await client.namespace()}/pods"
        made = await client.post(path, pod("p"))
        gone = await client.delete(f"{path}/p", {"gracePeriodSeconds": 0})
        after = await client.get(f"{path}/p")

    assert (gone.status, gone.body["kind"], gone.body["metadata"]["uid"]) == (200, "Pod", made.body["metadata"]["uid"])
    assert (after.status, version(gone) > version(made)) == (404, True)


@pytest.mark.parametrize("field", ["uid", "resourceVersion"])
async def test_a_delete_may_demand_that_it_is_still_the_same(side: Side, field: str) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        had = (await client.get(f"{path}/a")).body["metadata"][field]
        refused = await client.delete(f"{path}/a", {"preconditions": {field: "1"}})
        done = await client.delete(f"{path}/a", {"preconditions": {field: had}})

    what = {"uid": "UID", "resourceVersion": "ResourceVersion"}[field]
    why = {
        "uid": "The object might have been deleted and then recreated",
        "resourceVersion": "The object might have been modified",
    }[field]
    message = (
        f'Operation cannot be fulfilled on ConfigMap "a": the {what} in the precondition (1) does not match'
        f" the {what} in record ({had}). {why}"
    )
    assert refused == failed(409, "Conflict", message, {"name": "a", "kind": "ConfigMap"})
    assert done.status == 200


async def test_finalizers_hold_an_object_until_they_are_taken_away(side: Side) -> None:
    """Deleted is not gone: watchers see a MODIFIED with a deletionTimestamp first."""
    async with side.client() as client:
        path = await client.configmaps()
        await client.post(path, {"metadata": {"name": "a", "finalizers": ["example.com/held"]}})
        held = await client.delete(f"{path}/a")
        seen = await client.get(f"{path}/a")
        freed = await client.patch(f"{path}/a", {"metadata": {"finalizers": None}})
        after = await client.get(f"{path}/a")

    assert (held.status, seen.status, freed.status, after.status) == (200, 200, 200, 404)
    assert seen.body["metadata"].keys() >= {"deletionTimestamp", "deletionGracePeriodSeconds", "finalizers"}


async def test_a_collection_is_deleted_by_selector(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("stays")
        for name in ("a", "b"):
            await client.post(path, {"metadata": {"name": name, "labels": {"go": "yes"}}})
        gone = await client.delete(path, labelSelector="go=yes")
        left = await client.get(path)

    assert (gone.status, gone.body["kind"]) == (200, "ConfigMapList")
    assert [item["metadata"]["name"] for item in gone.body["items"]] == ["a", "b"]
    assert [item["metadata"]["name"] for item in left.body["items"]] == ["stays"]


PATCHES: dict[str, tuple[str, object, Object]] = {
    "merge: null takes away": (MERGE, {"data": {"k": None, "n": "1"}}, {"n": "1"}),
    "strategic: as merge for maps": (STRATEGIC, {"data": {"k": None, "n": "1"}}, {"n": "1"}),
    "json: add": (JSON_PATCH, [{"op": "add", "path": "/data/n", "value": "1"}], {"k": "a", "n": "1"}),
    "json: replace": (JSON_PATCH, [{"op": "replace", "path": "/data/k", "value": "1"}], {"k": "1"}),
    "json: move": (JSON_PATCH, [{"op": "move", "from": "/data/k", "path": "/data/n"}], {"n": "a"}),
    "json: copy": (JSON_PATCH, [{"op": "copy", "from": "/data/k", "path": "/data/n"}], {"k": "a", "n": "a"}),
}


@pytest.mark.parametrize("name", PATCHES)
async def test_patches(side: Side, name: str) -> None:
    kind, patch, data = PATCHES[name]
    async with side.client() as client:
        path = await client.configmaps("a")
        done = await client.patch(f"{path}/a", patch, kind)

    assert (done.status, done.body["data"]) == (200, data)


async def test_a_strategic_patch_merges_lists_by_their_key(side: Side) -> None:
    """kubectl apply, set image, edit: one container is changed, the others stay."""
    patch = {
        "spec": {"template": {"spec": {"containers": [{"name": "b", "image": "new"}, {"name": "c", "image": "c"}]}}}
    }
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}}}
    async with side.client() as client:
        path, body = await deployment(client, "a", "b")
        await client.post(path, body)
        await client.patch(f"{path}/d", patch, STRATEGIC)
        done = await client.patch(f"{path}/d", gone, STRATEGIC)

    containers = done.body["spec"]["template"]["spec"]["containers"]
    assert sorted((one["name"], one["image"]) for one in containers) == [("b", "new"), ("c", "c")]


async def test_patches_that_cannot_be_applied(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        untrue = await client.patch(f"{path}/a", [{"op": "test", "path": "/data/k", "value": "b"}], JSON_PATCH)
        absent = await client.patch(f"{path}/a", [{"op": "remove", "path": "/data/n"}], JSON_PATCH)
        odd = await client.patch(f"{path}/a", {}, "application/odd")
        missing = await client.patch(f"{path}/b", {"data": {}})

    invalid = failed(422, "Invalid", "the server rejected our request due to an error in our request", {})
    assert (untrue, absent) == (invalid, invalid)
    assert odd == failed(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})
    assert missing.status == 404


async def test_apply_makes_or_mends(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps()
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "1"}}
        made = await client.patch(f"{path}/a", body, APPLY, fieldManager="tests")
        mended = await client.patch(f"{path}/a", body | {"data": {"k": "2"}}, APPLY, fieldManager="tests", force="true")

    assert (made.status, mended.status, mended.body["data"]) == (201, 200, {"k": "2"})


async def test_spec_and_status_are_written_apart(side: Side) -> None:
    """Who runs a thing writes its status, and cannot change what was asked for; and the other way round."""
    async with side.client() as client:
        path, body = await deployment(client, "a")
        made = await client.post(path, body | {"status": {"replicas": 7}})
        status = await client.patch(f"{path}/d/status", {"status": {"replicas": 3}, "spec": {"replicas": 9}})
        spec = await client.patch(f"{path}/d", {"status": {"replicas": 4}, "spec": {"replicas": 2}})

    seen = [
        (one.body["spec"]["replicas"], one.body.get("status", {}).get("replicas", 0)) for one in (made, status, spec)
    ]
    assert seen == [(1, 0), (1, 3), (2, 3)]
    assert [one.body["metadata"]["generation"] for one in (made, status, spec)] == [1, 1, 2]


async def test_a_scale_is_written_through(side: Side) -> None:
    """`kubectl scale`, and every autoscaler."""
    async with side.client() as client:
        path, body = await deployment(client, "a")
        await client.post(path, body)
        seen = await client.get(f"{path}/d/scale")
        patched = await client.patch(f"{path}/d/scale", {"spec": {"replicas": 3}})
        stale = await client.put(f"{path}/d/scale", seen.body | {"spec": {"replicas": 4}})
        put = await client.put(f"{path}/d/scale", patched.body | {"spec": {"replicas": 5}})
        after = await client.get(f"{path}/d")

    assert seen.body["metadata"].keys() == {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}
    assert (seen.body["kind"], seen.body["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (seen.body["spec"], seen.body["status"]) == ({"replicas": 1}, {"replicas": 0, "selector": "app=d"})
    assert (patched.body["spec"], stale.status, put.body["spec"]) == ({"replicas": 3}, 409, {"replicas": 5})
    assert (after.body["spec"]["replicas"], after.body["metadata"]["generation"]) == (5, 3)


async def test_a_new_pod_is_pending_whatever_it_says(side: Side) -> None:
    async with side.client() as client:
        path = f"/api/v1/namespaces/{await client.namespace()}/pods"
        made = await client.post(path, pod("p") | {"status": {"phase": "Running"}})

    assert (made.status, made.body["status"]["phase"], made.body["metadata"]["generation"]) == (201, "Pending", 1)


async def test_a_namespace_has_its_name_as_label(side: Side) -> None:
    async with side.client() as client:
        name = await client.namespace()
        got = await client.get(f"/api/v1/namespaces/{name}")
        system = await client.get("/api/v1/namespaces/kube-system")
        kept = await client.delete("/api/v1/namespaces/default")

    assert plain(got.body) == {
        "kind": "Namespace",
        "apiVersion": "v1",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
    assert len(system.body["metadata"]["uid"]) == 36
    assert kept == failed(
        403,
        "Forbidden",
        'namespaces "default" is forbidden: this namespace may not be deleted',
        {"name": "default", "kind": "namespaces"},
    )


async def test_methods_that_a_path_does_not_have(side: Side) -> None:
    async with side.client() as client:
        path = await client.configmaps("a")
        replies = [
            await client.patch(path, {}),
            await client.post(f"{path}/a", {}),
            await client.post("/api/v1/configmaps", {"metadata": {"name": "a"}}),
        ]

    message = "the server does not allow this method on the requested resource"
    assert replies == [failed(405, "MethodNotAllowed", message, {})] * 3


async def test_reviews_of_oneself(side: Side) -> None:
    """`kubectl auth can-i`, and `event-bridge check`."""
    access, me = "authorization.k8s.io", "authentication.k8s.io"
    asked = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    async with side.client() as client:
        can = await client.post(
            f"/apis/{access}/v1/selfsubjectaccessreviews",
            {"kind": "SelfSubjectAccessReview", "apiVersion": f"{access}/v1", "spec": asked},
        )
        who = await client.post(
            f"/apis/{me}/v1/selfsubjectreviews", {"kind": "SelfSubjectReview", "apiVersion": f"{me}/v1"}
        )

    assert (can.status, can.body["spec"], can.body["status"]["allowed"]) == (201, asked, True)
    assert (who.status, who.body["status"]["userInfo"]["groups"]) == (201, ["system:masters", "system:authenticated"])


async def deployment(client: Client, *containers: str) -> tuple[str, Object]:
    """The path of a new namespace's deployments, and one to make there, called `d`."""
    path = f"/apis/apps/v1/namespaces/{await client.namespace()}/deployments"
    template = {
        "metadata": {"labels": {"app": "d"}},
        "spec": {"containers": [{"name": name, "image": name} for name in containers]},
    }
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "d"}}, "template": template}
    return path, {"metadata": {"name": "d"}, "spec": spec}
