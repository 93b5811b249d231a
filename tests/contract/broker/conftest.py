"""The two brokers of the contract: every test here runs with both, and both must say the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.broker.brokers import CLEANED_SOON, Kafka, real, sandbox
from tests.integration.conftest import servers
from tests.servers.kafka import SWIFT, Broker

__all__ = ["servers"]


@pytest.fixture(scope="session")
def real_broker(servers: Path) -> Iterator[Broker]:
    assert servers.is_dir()
    with Broker(SWIFT | CLEANED_SOON) as broker:
        yield broker


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.integration)])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    """To be entered in the test: `async with kafka() as broker`. The real one is shared: use names of your own."""
    if request.param == "sandbox":
        return sandbox
    broker: Broker = request.getfixturevalue("real_broker")
    return lambda: real(broker)


@pytest.fixture(params=["sandbox", pytest.param("real", marks=pytest.mark.integration)])
def restartable(request: pytest.FixtureRequest) -> Iterator[Kafka]:
    """As `kafka`, but the real one is the test's own."""
    if request.param == "sandbox":
        yield sandbox
        return
    request.getfixturevalue("servers")
    with Broker() as broker:
        yield lambda: real(broker)
