"""The real servers as fixtures. Everything in this directory is marked `integration`.

`cluster` and `broker` live for the whole session and are shared: use names of your own in them, and leave them running.
A test that breaks its servers gets some for itself from `new_cluster()` and `new_broker()`, which end with the test.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import build
from tests.servers.apiserver import Cluster
from tests.servers.kafka import SWIFT, Broker
from tests.servers.steps import BuildError
from tests.servers.tools import missing_for_build, missing_for_start
from tests.tools.build import build as build_tools

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A mark that a test carries itself stays the first, with its `timeout`."""
    for item in items:
        if HERE in item.path.parents and not item.get_closest_marker("integration"):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Path:
    """Built, if need be in sight of the user; skipped only where a tool is missing, and then by name."""
    if missing := missing_for_start() if build.is_built() else missing_for_build():
        pytest.skip("REAL SERVERS MISSING: " + "; ".join(missing))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        return build.build()


@pytest.fixture(scope="session")
def tools(request: pytest.FixtureRequest) -> Path:
    """kustomize and promtool; skipped where they cannot be built, with the reason."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        try:
            return build_tools()
        except BuildError as error:
            pytest.skip(f"KUSTOMIZE AND PROMTOOL MISSING: {error}")


@pytest.fixture(scope="session")
def cluster(servers: Path) -> Iterator[Cluster]:
    assert servers.is_dir()
    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def broker(servers: Path) -> Iterator[Broker]:
    assert servers.is_dir()
    with Broker(SWIFT) as broker:
        yield broker


@pytest.fixture
def new_cluster(servers: Path) -> Iterator[Callable[..., Cluster]]:
    """Takes what `Cluster` takes."""
    assert servers.is_dir()
    with ExitStack() as stack:
        yield lambda *flags: stack.enter_context(Cluster(*flags))


@pytest.fixture
def new_broker(servers: Path) -> Iterator[Callable[..., Broker]]:
    """Takes what `Broker` takes."""
    assert servers.is_dir()
    with ExitStack() as stack:
        yield lambda *settings: stack.enter_context(Broker(*settings))
