import json
from typing import Any

import pytest

from bridge.tail.difference import Difference, differences


def between(old: Any, new: Any) -> list[tuple[str, str, str]]:  # noqa: ANN401 - any JSON
    found = differences(json.dumps(old).encode(), json.dumps(new).encode())
    return [(one.path, one.before, one.after) for one in found]


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (
            {"status": {"phase": "Pending"}},
            {"status": {"phase": "Running"}},
            [("status.phase", '"Pending"', '"Running"')],
        ),
        ({"spec": {}}, {"spec": {"nodeName": "n1"}}, [("spec.nodeName", "", '"n1"')]),
        ({"data": {"a": 1}}, {"data": {}}, [("data.a", "1", "")]),
        ({"spec": {"x": None}}, {"spec": {}}, [("spec.x", "null", "")]),
        (
            {"c": [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}]},
            {"c": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]},
            [("c[Ready].status", '"False"', '"True"')],
        ),
        ({"c": []}, {"c": [{"name": "web"}]}, [("c[web]", "", '{"name":"web"}')]),
        ({"args": ["a", "b"]}, {"args": ["a"]}, [("args", '["a","b"]', '["a"]')]),
        (
            {"c": [{"name": "a"}, {"name": "a"}]},
            {"c": [{"name": "a"}]},
            [("c", '[{"name":"a"},{"name":"a"}]', '[{"name":"a"}]')],
        ),
        (
            {"metadata": {"labels": {"app.kubernetes.io/name": "x"}}},
            {"metadata": {"labels": {"app.kubernetes.io/name": "y"}}},
            [("metadata.labels[app.kubernetes.io/name]", '"x"', '"y"')],
        ),
        ({"spec": {"a": 1}}, {"spec": [1]}, [("spec", '{"a":1}', "[1]")]),
    ],
)
def test_what_differs_is_named_by_its_path(old: object, new: object, found: list[tuple[str, str, str]]) -> None:
    """The line under one's eyes says what happened to the pod, not that something did."""
    assert between(old, new) == found


def test_what_every_write_changes_is_no_news() -> None:
    old = {"metadata": {"resourceVersion": "1", "generation": 1, "managedFields": [{"time": "a"}]}}
    new = {"metadata": {"resourceVersion": "2", "generation": 2, "managedFields": []}}

    assert between(old, new) == []


def test_an_object_of_any_depth_is_compared() -> None:
    """Custom resources hold what their writers like."""
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    other = b'{"a":' * 300 + b"2" + b"}" * 300

    assert [one.path for one in differences(deep, other)] == [".".join(["a"] * 20)]
    assert differences(b"{" * 3000, b"{}") == [Difference("object", "", "")]
