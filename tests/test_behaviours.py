"""The list of behaviours in docs/watching.md is a specification only as long as each number leads to a test."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent
BRIDGE = TESTS.parent / "bridge"
NUMBERS = range(1, 58)
ROW = re.compile(r"^\| (\d+) \| (.+) \| (.*) \|$", re.MULTILINE)


def rows() -> list[tuple[int, str, list[str]]]:
    """Number, what it says, and what is named as its proof."""
    text = (TESTS.parent / "docs" / "watching.md").read_text().partition("## The behaviours, numbered")[2]
    return [(int(number), said, re.findall("`([^`]+)`", proof)) for number, said, proof in ROW.findall(text)]


def test_the_numbers_are_those_of_the_specification() -> None:
    """None may be left out, or told twice."""
    assert [number for number, _, _ in rows()] == list(NUMBERS)


def test_every_behaviour_has_a_test_or_a_reason_why_there_is_none() -> None:
    """A reason is a remark in italics."""
    assert [number for number, said, proof in rows() if not proof and not re.search(r"\*[^*]+\*", said)] == []


def test_every_test_that_is_named_exists() -> None:
    """Tests are renamed, and conversations move."""
    assert [(number, name) for number, _, proof in rows() for name in proof if not _exists(name)] == []


def test_tests_cite_no_other_numbers() -> None:
    """`2, 38: ...` at the beginning of a docstring, or of a conversation."""
    assert {int(number) for numbers in _citations() for number in numbers.split(", ")} <= set(NUMBERS)


def _exists(name: str) -> bool:
    path, is_test, function = name.partition("::")
    if not is_test:
        return (TESTS / "scenarios" / f"{path}.txt").is_file()
    return function in _functions(TESTS / f"{path}.py")


@cache
def _functions(path: Path) -> frozenset[str]:
    """The tests of a file, as pytest collects them."""
    if not path.is_file() or not path.name.startswith("test_"):
        return frozenset()
    nodes = ast.parse(path.read_text()).body
    functions = [node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return frozenset(name for name in functions if name.startswith("test_"))


def _citations() -> Iterator[str]:
    for path in TESTS.rglob("test_*.py"):
        yield from re.findall(r'"""(?:Behaviour )?(\d+(?:, \d+)*)[:.] ', path.read_text())
    for path in (TESTS / "scenarios").rglob("*.txt"):
        yield from re.findall(r"^# (\d+(?:, \d+)*)[:.] ", path.read_text(), re.MULTILINE)


def test_no_deadline_is_held_across_a_yield() -> None:
    """51: whoever pauses between two items would be cancelled in the place of the one who made them (PEP 789).

    What yields once, for a `with` or a fixture, is entered and left in one task: that is no stream.
    """
    found = [f"{path.name}:{line}" for path in BRIDGE.rglob("*.py") for line in _yields(ast.parse(path.read_text()))]

    assert found == []


def _yields(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef) and not _is_context(node):
            blocks = [inner for inner in ast.walk(node) if isinstance(inner, ast.AsyncWith) and _has_deadline(inner)]
            yield from (inner.lineno for block in blocks for inner in ast.walk(block) if isinstance(inner, ast.Yield))


def _is_context(function: ast.AsyncFunctionDef) -> bool:
    return any("contextmanager" in ast.unparse(decorator) for decorator in function.decorator_list)


def _has_deadline(block: ast.AsyncWith) -> bool:
    return any("timeout" in ast.unparse(item.context_expr) for item in block.items)
