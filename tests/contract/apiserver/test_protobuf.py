"""Protobuf: kubectl's typed commands send what they build in it, and read the answers as JSON."""

from bridge.sandbox.apiserver.protobuf import MAGIC, MEDIA
from tests.contract.apiserver.sides import Side


def part(number: int, data: bytes | str) -> bytes:
    """A field of few bytes."""
    content = data.encode() if isinstance(data, str) else data
    return bytes([number << 3 | 2, len(content)]) + content


def wrapped(version: str, kind: str, content: bytes) -> bytes:
    return MAGIC + part(1, part(1, version) + part(2, kind)) + part(2, content)


async def test_what_is_built_of_messages_is_stored_as_json(side: Side) -> None:
    """`kubectl create role`: lists of messages, numbers of fields that have gaps."""
    rbac = "rbac.authorization.k8s.io"
    rule = part(1, "get") + part(1, "list") + part(2, "apps") + part(3, "deployments")
    async with side.client() as client:
        path = f"/apis/{rbac}/v1/namespaces/{await client.namespace()}/roles"
        role = wrapped(f"{rbac}/v1", "Role", part(1, part(1, "r")) + part(2, rule))
        made = await client.post(path, role, MEDIA)

    assert (made.status, made.body["metadata"]["name"]) == (201, "r")
    assert made.body["rules"] == [{"verbs": ["get", "list"], "apiGroups": ["apps"], "resources": ["deployments"]}]


async def test_a_number_or_a_text_is_either(side: Side) -> None:
    """Ports and budgets, which are one value in JSON and a message here."""
    percent = b"\x08\x01\x10\x00" + part(3, "50%")
    async with side.client() as client:
        path = f"/apis/policy/v1/namespaces/{await client.namespace()}/poddisruptionbudgets"
        budgets = {"p": part(1, percent), "n": part(3, b"\x08\x00\x10\x02\x1a\x00")}
        made = [
            await client.post(
                path, wrapped("policy/v1", "PodDisruptionBudget", part(1, part(1, name)) + part(2, spec)), MEDIA
            )
            for name, spec in budgets.items()
        ]

    assert [one.body["spec"] for one in made] == [{"minAvailable": "50%"}, {"maxUnavailable": 2}]


async def test_how_to_delete_may_be_said_in_it(side: Side) -> None:
    """As `kubectl drain` says it, where the options are of the version of the object's group as well as of `v1`."""
    async with side.client() as client:
        path = await client.configmaps("a")
        rehearsed = await client.delete(f"{path}/a", wrapped("v1", "DeleteOptions", part(5, "All")), MEDIA)
        refused = await client.delete(f"{path}/a", wrapped("v1", "DeleteOptions", part(2, part(1, "other"))), MEDIA)
        left = await client.get(f"{path}/a")
        done = await client.delete(f"{path}/a", wrapped("v1", "DeleteOptions", b"\x08\x00"), MEDIA)
        gone = await client.get(f"{path}/a")

    assert [one.status for one in (rehearsed, refused, left, done, gone)] == [200, 409, 200, 200, 404]
