"""Dry runs: whoever asks only whether it would work must be told, and must find everything as it was."""

from tests.contract.apiserver.client import Reply
from tests.contract.apiserver.sides import Side
from tests.contract.apiserver.test_writes import APPLY, SYSTEM, failed, version


async def test_a_dry_run_answers_as_the_deed_and_writes_nothing(side: Side) -> None:
    """`kubectl diff` and `--dry-run=server`: who only wants to know must not change anything."""
    async with side.client() as client:
        path = await client.configmaps("a")
        old = await client.get(f"{path}/a")
        made = await client.post(path, {"metadata": {"name": "b"}, "data": {"k": "v"}}, dryRun="All")
        twice = await client.post(path, {"metadata": {"name": "a"}}, dryRun="All")
        put = await client.put(f"{path}/a", {"metadata": {"name": "a"}, "data": {"k": "1"}}, dryRun="All")
        patched = await client.patch(f"{path}/a", {"data": {"k": "2"}}, dryRun="All")
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"k": "3"}}
        applied = await client.patch(f"{path}/c", body, APPLY, fieldManager="tests", dryRun="All")
        left = await client.get(path)

    assert [one.status for one in (made, twice, put, patched, applied)] == [201, 409, 200, 200, 201]
    assert [one.body["data"] for one in (made, put, patched, applied)] == [{"k": k} for k in ("v", "1", "2", "3")]
    assert set(made.body["metadata"]) == set(applied.body["metadata"]) == SYSTEM - {"resourceVersion"}
    assert version(put) == version(patched) == version(old)
    assert left.body["items"] == [{k: v for k, v in old.body.items() if k not in ("kind", "apiVersion")}]


async def test_a_dry_run_deletes_nothing(side: Side) -> None:
    """kubectl says so in the body, others in the query. Both count, but the query only where there is no body."""
    async with side.client() as client:
        path = await client.configmaps("a", "b")
        await client.patch(f"{path}/b", {"metadata": {"finalizers": ["example.com/held"]}})
        before = await client.get(path)
        done = [
            await client.delete(f"{path}/a", {"dryRun": ["All"]}),
            await client.delete(f"{path}/a", dryRun="All"),
        ]
        held = await client.delete(f"{path}/b", dryRun="All")
        everything = [await client.delete(path, {"dryRun": ["All"]}), await client.delete(path, dryRun="All")]
        after = await client.get(path)
        really = await client.delete(f"{path}/a", {}, dryRun="All")
        gone = await client.get(f"{path}/a")

    items = before.body["items"]
    details = {"name": "a", "kind": "configmaps", "uid": items[0]["metadata"]["uid"]}
    success = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    assert done == [Reply(200, success)] * 2
    assert (held.status, "deletionTimestamp" in held.body["metadata"]) == (200, True)
    assert [(one.status, one.body["kind"], one.body["items"]) for one in everything] == [
        (200, "ConfigMapList", items)
    ] * 2
    assert (after.body["items"], really.status, gone.status) == (items, 200, 404)


async def test_a_dry_run_is_of_all_or_refused(side: Side) -> None:
    """A word that is not known must not be taken for the deed."""
    async with side.client() as client:
        path = await client.configmaps("a")
        refused = {
            "CreateOptions": await client.post(path, {"metadata": {"name": "b"}}, dryRun="Some"),
            "UpdateOptions": await client.put(f"{path}/a", {"metadata": {"name": "a"}}, dryRun="Some"),
            "PatchOptions": await client.patch(f"{path}/a", {"data": {"k": "2"}}, dryRun="Some"),
            "DeleteOptions": await client.delete(f"{path}/a", {"dryRun": ["Some"]}),
        }
        left = await client.get(path)

    problem = 'Unsupported value: ["Some"]: supported values: "All"'
    cause = {"reason": "FieldValueNotSupported", "message": problem, "field": "dryRun"}
    assert refused == {
        kind: failed(
            422,
            "Invalid",
            f'{kind}.meta.k8s.io "" is invalid: dryRun: {problem}',
            {"group": "meta.k8s.io", "kind": kind, "causes": [cause]},
        )
        for kind in refused
    }
    assert [item["data"] for item in left.body["items"]] == [{"k": "a"}]
