"""A fixture for any pytest, there once the package is installed: `def test_it(event_bridge_sandbox)`."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.sandbox.background import Sandbox


@pytest.fixture
def event_bridge_sandbox() -> "Iterator[Sandbox]":
    """An empty cluster and an empty Kafka, anew for each test; both are there within milliseconds."""
    from bridge.sandbox.background import Sandbox  # noqa: PLC0415 - heavy, and most tests want none

    with Sandbox() as sandbox:
        yield sandbox
