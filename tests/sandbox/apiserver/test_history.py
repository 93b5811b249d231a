"""The history is exact: any version can be listed again, and a watch from any version ends at what is there now."""

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.apiserver.options import options
from bridge.sandbox.apiserver.resources import Resource
from bridge.sandbox.apiserver.selectors import selects
from bridge.sandbox.apiserver.store import Store
from bridge.sandbox.apiserver.views import view
from bridge.sandbox.apiserver.watches import Asked, Watch
from tests.clock import JumpingLoop

CONFIGMAPS = Resource("", "v1", "configmaps", "ConfigMap", True)
SECRETS = Resource("", "v1", "secrets", "Secret", True)
SELECTOR = "in=yes"

writes = st.lists(
    st.tuples(st.sampled_from([CONFIGMAPS, SECRETS]), st.sampled_from("abc"), st.sampled_from(["yes", "no", ""]))
)
"""A resource, a name, and the label that it has from then on; none: it is deleted, if it is there."""


def written(store: Store, resource: Resource, name: str, label: str) -> None:
    key = resource.key("d", name)
    metadata: dict[str, Any] = {"name": name, "namespace": "d", "labels": {"in": label}}
    body = {"kind": resource.kind, "apiVersion": "v1", "metadata": metadata}
    if label:
        store.commit(resource.storage, key, body)
    elif store.get(resource.storage, key) is not None:
        store.commit(resource.storage, key, None)


@given(writes)
def test_any_remembered_version_can_be_listed_again(script: list[tuple[Resource, str, str]]) -> None:
    store = Store(window=10)
    then = {store.version: store.all(CONFIGMAPS.storage)}
    for resource, name, label in script:
        written(store, resource, name, label)
        then[store.version] = store.all(CONFIGMAPS.storage)

    remembered = [version for version in then if version >= store.forgotten]
    assert len(remembered) == min(10, store.version - 1) + 1
    assert {version: store.at(CONFIGMAPS.storage, version) for version in remembered} == {
        version: then[version] for version in remembered
    }


@given(writes, st.integers(0, 30))
def test_a_watch_from_any_version_ends_at_what_is_there(script: list[tuple[Resource, str, str]], back: int) -> None:
    """With a selector, where objects come and go without being made or deleted."""
    store = Store()
    for resource, name, label in script:
        written(store, resource, name, label)
    start = max(1, store.version - back)
    test = selects(CONFIGMAPS, SELECTOR, "")
    selected = {body["metadata"]["name"]: body for _, body in store.at(CONFIGMAPS.storage, start) if test(body)}

    for event in watched(store, start):
        name = event["object"]["metadata"]["name"]
        assert (name in selected) == (event["type"] != "ADDED")
        if event["type"] == "DELETED":
            del selected[name]
        else:
            selected[name] = event["object"]

    assert selected == {body["metadata"]["name"]: body for _, body in store.all(CONFIGMAPS.storage) if test(body)}


def watched(store: Store, version: int) -> list[dict[str, Any]]:
    query = {"watch": "true", "resourceVersion": str(version), "labelSelector": SELECTOR, "timeoutSeconds": "1"}
    sent: list[bytes] = []

    async def send(data: bytes) -> None:
        sent.append(data)

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(Watch(store, Asked(CONFIGMAPS, "", options(query), view("")), 60.0).run(send))
    return [json.loads(line) for line in b"".join(sent).splitlines()]
