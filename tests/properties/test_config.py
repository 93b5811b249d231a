"""A config file may hold anything: its author gets problems with places, and never a traceback."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.load import load, load_file
from bridge.config.problem import ConfigError
from bridge.config.schema import schema
from bridge.config.tree import Config
from tests.properties.depth import tries

WORDS = sorted({word for word in str(schema()).replace("'", " ").split() if word.isalnum()})
"""The fields' names among them, so that trees reach the depths of the form."""
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.binary(max_size=8),
    st.text(max_size=12),
    st.sampled_from(["5s", "-1s", "1MiB", "${A}", "${", "pods", "a:9092", "{namespace}", "{", "x" * 300, "\\n", "é"]),
)
KEYS = st.one_of(st.sampled_from(WORDS), SCALARS)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=25,
)
GOOD: dict[str, Any] = {"kafka": {"bootstrapServers": "kafka:9092"}, "watches": [{"resource": "pods"}]}


def outcome(read: Callable[[], Config]) -> str:
    """Whatever is not a config must be a `ConfigError`, whose problems can be shown."""
    try:
        return repr(read())
    except ConfigError as error:
        return "\n".join(str(problem) for problem in error.problems)


def of_text(text: str) -> str:
    return outcome(lambda: load(text, "bridge.yaml", {"A": "1"}, _no_file))


def _no_file(path: Path) -> str:
    raise FileNotFoundError(2, "No such file or directory", str(path))


@tries(150)
@given(TREES)
def test_any_tree(tree: object) -> None:
    """Also with keys that are no text, dates, bytes, and numbers that are none."""
    assert of_text(yaml.safe_dump(tree, allow_unicode=True))


@tries(150)
@given(st.dictionaries(st.sampled_from(WORDS), TREES, max_size=4), st.dictionaries(st.sampled_from(WORDS), TREES))
def test_any_tree_in_an_otherwise_good_file(fields: dict[str, Any], more: dict[str, Any]) -> None:
    """Problems in one place must not hide behind those of another, nor break what judges the whole."""
    tree = {**GOOD, **fields, "kafka": {**GOOD["kafka"], **more}, "watches": [{**GOOD["watches"][0], **more}]}

    assert of_text(yaml.safe_dump(tree))


@tries(100)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """A file that is a picture, a key store, or half a character."""
    with TemporaryDirectory() as directory:
        file = Path(directory, "bridge.yaml")
        file.write_bytes(data)
        assert outcome(lambda: load_file(file, {}))


@tries(150)
@given(st.text(alphabet="-:[]{}&*!|>%@`'\"#,? \n\tab0<=~\u2028\ufeff\x00", max_size=60))
def test_any_text_of_yamls_own_signs(text: str) -> None:
    """Anchors, tags, aliases of themselves, block scalars: what its reader has a rule for, it may break."""
    assert of_text(text)
