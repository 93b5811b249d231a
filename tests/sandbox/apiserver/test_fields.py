"""The table of fields: what is read, checked and explained of the built-in kinds."""

import shutil

import pytest

from bridge.sandbox.apiserver.fields import TABLE, fields
from tests.sandbox.apiserver.fields import modules, table


def test_every_kind_that_is_named_is_there() -> None:
    known = fields()
    named = {field.kind for kind in known.values() for field in kind.values() if "." in field.kind}
    assert named - known.keys() == set()


@pytest.mark.integration
def test_the_table_is_as_it_is_written() -> None:
    """From the sources that the real server is built of: they are there where that was done."""
    if shutil.which("go") is None or not modules().is_dir():
        pytest.skip("SOURCES MISSING: k8s.io/api is not among Go's modules")
    assert TABLE.read_text() == table()
