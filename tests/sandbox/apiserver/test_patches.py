"""The patches by their RFCs, where kubectl and controllers lean on the corners."""

from typing import Any

import pytest

from bridge.sandbox.apiserver.patches import merged, patched, strategic
from bridge.sandbox.apiserver.refusals import RefusalError

BODY: dict[str, Any] = {"a": {"b": [1, 2, 3], "c/d": 1, "e~f": 2}, "g": None}

OPERATIONS: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "add into a list": ([{"op": "add", "path": "/a/b/1", "value": 9}], [1, 9, 2, 3]),
    "add to its end": ([{"op": "add", "path": "/a/b/-", "value": 9}], [1, 2, 3, 9]),
    "add right after its end": ([{"op": "add", "path": "/a/b/3", "value": 9}], [1, 2, 3, 9]),
    "replace in it": ([{"op": "replace", "path": "/a/b/0", "value": 9}], [9, 2, 3]),
    "remove from it": ([{"op": "remove", "path": "/a/b/0"}], [2, 3]),
    "move within it": ([{"op": "move", "from": "/a/b/0", "path": "/a/b/2"}], [2, 3, 1]),
    "escaped slash": ([{"op": "test", "path": "/a/c~1d", "value": 1}], [1, 2, 3]),
    "escaped tilde": ([{"op": "copy", "from": "/a/e~0f", "path": "/a/b/0"}], [2, 1, 2, 3]),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name: str) -> None:
    operations, expected = OPERATIONS[name]
    before = repr(BODY)

    assert patched(BODY, operations)["a"]["b"] == expected
    assert repr(BODY) == before


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "add", "path": "/a/b/4", "value": 9}],
        [{"op": "add", "path": "/x/y", "value": 9}],
        [{"op": "replace", "path": "/x", "value": 9}],
        [{"op": "remove", "path": "/x"}],
        [{"op": "test", "path": "/g", "value": 1}],
        [{"op": "dance", "path": "/g"}],
        [{"op": "add", "path": "g", "value": 1}],
        [{"path": "/g"}],
        {"op": "add"},
        ["add"],
    ],
)
def test_operations_that_cannot_be_applied(operations: object) -> None:
    with pytest.raises(RefusalError, match="the server rejected our request"):
        patched(BODY, operations)


def test_a_merge_goes_into_maps_and_replaces_all_else() -> None:
    assert merged({"a": {"b": 1, "c": 2}, "d": [1]}, {"a": {"b": None, "e": {"f": None}}, "d": [2]}) == {
        "a": {"c": 2, "e": {}},
        "d": [2],
    }


STRATEGIC: dict[str, tuple[Any, Any, Any]] = {
    "by name": (
        {"env": [{"name": "a", "value": 1}]},
        {"env": [{"name": "b"}]},
        {"env": [{"name": "a", "value": 1}, {"name": "b"}]},
    ),
    "by another key": (
        {"volumeMounts": [{"mountPath": "/a", "name": "v"}]},
        {"volumeMounts": [{"mountPath": "/a", "readOnly": True}]},
        {"volumeMounts": [{"mountPath": "/a", "name": "v", "readOnly": True}]},
    ),
    "plain lists are replaced": ({"args": ["a"]}, {"args": ["b"]}, {"args": ["b"]}),
    "finalizers are joined": ({"finalizers": ["a"]}, {"finalizers": ["b", "a"]}, {"finalizers": ["a", "b"]}),
    "and taken away": (
        {"finalizers": ["a", "b"]},
        {"$deleteFromPrimitiveList/finalizers": ["a"]},
        {"finalizers": ["b"]},
    ),
    "the order is not kept": (
        {"env": [{"name": "a"}]},
        {"$setElementOrder/env": [{"name": "a"}]},
        {"env": [{"name": "a"}]},
    ),
    "a map is replaced": ({"m": {"a": 1}}, {"m": {"$patch": "replace", "b": 2}}, {"m": {"b": 2}}),
    "a list is replaced": (
        {"env": [{"name": "a"}]},
        {"env": [{"name": "b"}, {"$patch": "replace"}]},
        {"env": [{"name": "b"}]},
    ),
    "only these keys": ({"s": {"a": 1, "b": 2}}, {"s": {"$retainKeys": ["b"], "b": 3}}, {"s": {"b": 3}}),
}


@pytest.mark.parametrize("name", STRATEGIC)
def test_strategic_patches(name: str) -> None:
    """What `kubectl apply` and `kubectl edit` send."""
    body, patch, expected = STRATEGIC[name]

    assert strategic(body, patch) == expected
