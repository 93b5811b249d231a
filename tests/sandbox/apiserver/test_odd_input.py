"""Whatever a client sends, it is refused in order or it is in nobody's way afterwards."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sandbox.apiserver import writes
from bridge.sandbox.apiserver.discovery import served
from bridge.sandbox.apiserver.lists import Listed
from bridge.sandbox.apiserver.objects import Author
from bridge.sandbox.apiserver.refusals import RefusalError
from bridge.sandbox.apiserver.resources import BUILT_IN, CRDS, NAMESPACES, Resource
from bridge.sandbox.apiserver.scales import has_scale, scale
from bridge.sandbox.apiserver.selectors import selects
from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.apiserver.store import Store
from bridge.sandbox.apiserver.views import view

NAMES = (
    *("metadata", "spec", "status", "labels", "finalizers", "conditions", "containers", "replicas", "selector"),
    *("names", "group", "scope", "versions", "involvedObject", "lastTimestamp", "data", "template", "kind", "type"),
    *("matchLabels", "containerStatuses", "$patch", "$retainKeys", "$deleteFromPrimitiveList/finalizers", "name"),
)
plain = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "True", "Namespaced"])
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)
resources = st.sampled_from([one for one in BUILT_IN if "list" in one.verbs and one != NAMESPACES])
kinds = st.sampled_from(["application/merge-patch+json", "application/strategic-merge-patch+json"])


def store() -> Store:
    found = Store()
    writes.create(found, NAMESPACES, "", {"metadata": {"name": "d"}}, Author(raw=True))
    return found


@given(resources, st.dictionaries(st.sampled_from(NAMES), anything, max_size=5), anything, kinds)
def test_odd_objects(resource: Resource, body: dict[str, Any], patch: object, kind: str) -> None:
    """A label that is a list would otherwise break every list with a selector, a definition every request."""
    kept, namespace, author = store(), "d" if resource.namespaced else "", Author("test")
    metadata = body.get("metadata")
    if isinstance(metadata, dict | None):
        body["metadata"] = {"name": "a", **(metadata or {})}
    with suppress(RefusalError):
        made = writes.create(kept, resource, namespace, body, author)
        writes.patch(kept, resource, made, kind, json.dumps(patch).encode(), author)

    items = [one for _, one in kept.all(resource.storage)]
    assert len(view("application/json;as=Table").many(resource, Listed(items, {}))["rows"]) == len(items)
    assert len([one for one in items if selects(resource, "!none", "metadata.name!=none")(one)]) == len(items)
    assert len(served(kept)) >= len(BUILT_IN)
    assert not has_scale(resource) or [scale(one)["kind"] for one in items] == ["Scale"] * len(items)


@pytest.mark.parametrize(
    "spec", [{}, {"group": "a"}, {"group": "a", "scope": "Moon", "names": {}, "versions": [1]}, []]
)
def test_definitions_that_define_nothing(spec: object) -> None:
    server = ApiServer()

    with pytest.raises(RefusalError, match=r"invalid|unrecognized"):
        server.create(CRDS.name, {"metadata": {"name": "widgets.example.com"}, "spec": spec})
