"""The real servers, for the half of each test that runs on them."""

from tests.integration.conftest import broker, cluster, servers

__all__ = ["broker", "cluster", "servers"]
