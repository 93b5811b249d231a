"""Selectors are judged as the API server does: tests/integration/test_selectors.py asks a real one about the same."""

import pytest

from bridge.config.selectors import field_problem, label_problem
from tests.config.reading import KAFKA, problems

LABELS = [
    *(
        "app=web",
        "app==web",
        "app != web",
        "app",
        "!app",
        "! app",
        "app=",
        "app!=",
        " app = web ",
        "app=web,tier=front",
    ),
    *(
        "app in (a,b)",
        "app in ()",
        "app in ( a , b )",
        "app notin (a)",
        "app in (,a)",
        "app in (a,)",
        "app in (,)",
        "in in (in)",
    ),
    *("in", "notin=x", "x=in", "n>1", "n<2", "n > 1,!app", "example.com/app=web", "a.b-c_d=e.f-g_h", "A=B", "1=2"),
    *(f"{'a' * 63}={'b' * 63}", f"{'a' * 63}.{'b' * 63}/c=d", "app\tin\n(a)"),
]
NO_LABELS = [
    *("app=web,", ",app=web", "app=web,,tier=front", "a b", "app=a b", "app in", "app in a", "app in (", "app in (a"),
    *(
        "app in (a b)",
        "app in (a))",
        "app notin",
        "=web",
        "!",
        "!app=web",
        "!!app",
        "app===web",
        "app=!web",
    ),
    *("n>", "n>x", "n>1.5", "n>-1", "n>=1", "app~web", "app=we/b", "app=-web", "app=web-", "-app=web", "app/=web"),
    *(
        "/app=web",
        "a/b/c=d",
        "Example.com/app=web",
        "Ax/b",
        f"{'a' * 64}=b",
        f"a={'b' * 64}",
        "app=(a)",
        "(app)",
        "ä=b",
    ),
    *("app='web'", 'app="web"', "app:web", "app;web", "app<>web", "a=b c=d", "a=b;c=d", "app in [a]", "app in {a}"),
]
FIELDS = [
    *(
        "metadata.name=a",
        "metadata.name==a",
        "metadata.name!=a",
        "metadata.name=",
        "metadata.name=a,metadata.namespace=b",
    ),
    *(",metadata.name=a", "metadata.name=a,", "metadata.name=a\\,b", "metadata.name=a\\=b", "metadata.name=a\\\\"),
]
NO_FIELDS = [
    *("metadata.name", "metadata.name>1", "metadata.name in (a)", "metadata.name=a=b", "metadata.name=a\\b"),
    *("metadata.name=a\\", "!metadata.name", "metadata.name=a,metadata.name", "metadata.name===a"),
]


@pytest.mark.parametrize("selector", LABELS)
def test_what_selects_labels_is_taken(selector: str) -> None:
    """Whatever kubectl takes: a file must not be refused for it."""
    assert label_problem(selector) == ""


@pytest.mark.parametrize("selector", NO_LABELS)
def test_what_selects_no_labels_is_refused(selector: str) -> None:
    """Before a stream that works is ended for it."""
    assert label_problem(selector) != ""


@pytest.mark.parametrize("selector", FIELDS)
def test_what_selects_fields_is_taken(selector: str) -> None:
    assert field_problem(selector) == ""


@pytest.mark.parametrize("selector", NO_FIELDS)
def test_what_selects_no_fields_is_refused(selector: str) -> None:
    assert field_problem(selector) != ""


def test_a_wrong_selector_is_told_with_its_place_and_the_mend() -> None:
    """Not with its text, which may come from elsewhere."""
    watch = "- {resource: pods, labelSelector: {file: s}, fieldSelector: phase}"

    assert problems(f"{KAFKA}watches:\n{watch}\n", files={"etc/s": "app in (hunter2"}) == [
        (
            "etc/bridge.yaml:3: watches[0].labelSelector: is no selector: the values of 'in' must be separated by"
            " commas and end with ')'. Write one as kubectl takes it, such as app=web,tier in (front, back),!canary"
        ),
        (
            "etc/bridge.yaml:3: watches[0].fieldSelector: is no selector: each part of it must compare a field with a"
            " value. Write one as kubectl takes it, such as type=Warning"
        ),
    ]
