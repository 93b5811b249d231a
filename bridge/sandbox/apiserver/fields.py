"""The fields of the built-in kinds, by the numbers and names of k8s.io/api: read from a table, when it is asked for.

`fields.txt` is written by `python -m tests.sandbox.apiserver.fields`.
"""

from functools import cache
from pathlib import Path

from msgspec import Struct

TABLE = Path(__file__).with_name("fields.txt")


class Field(Struct, frozen=True):
    """*name* in JSON, empty where the fields of this one are its owner's. *always*: also said where it is empty.

    *kind*: a scalar, or the name of a kind in the table. *many* is `[]` for a list, `{}` for a map with text for keys.
    """

    number: int
    name: str
    kind: str
    many: str = ""
    always: bool = False


Fields = dict[int, Field]
"""By number."""


def package(api_version: str) -> str:
    """Where k8s.io/api keeps the kinds of a version."""
    group = api_version.rpartition("/")[0]
    return group.partition(".")[0] or "core"


def kind_of(api_version: str, kind: str) -> str | None:
    """Its name in the table, if it is there. Options are of no group: every version has them."""
    for name in (f"{package(api_version)}.{kind}", f"meta.{kind}"):
        if name in fields():
            return name
    return None


@cache
def fields() -> dict[str, Fields]:
    """By the name of the kind: `core.Pod`, `meta.ObjectMeta`."""
    found: dict[str, Fields] = {}
    kind: Fields = {}
    for line in TABLE.read_text().splitlines():
        if line.startswith(" "):
            field = _field(*line.split())
            kind[field.number] = field
        else:
            kind = found[line] = {}
    return found


def _field(number: str, name: str, form: str) -> Field:
    bare = form.rstrip("?")
    many = bare[-2:] if bare[-1] in "]}" else ""
    return Field(int(number), "" if name == "-" else name, bare.removesuffix(many), many, form.endswith("?"))
