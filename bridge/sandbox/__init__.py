"""A cluster and a Kafka to try things on, in this process, on real sockets: for demos without servers and for tests.

It imports nothing of the bridge, and the bridge proper never imports it. What it answers is held against the real
servers by `tests/contract/`. docs/sandbox.md shows how other projects use it.
"""

from bridge.sandbox.apiserver.server import ApiServer
from bridge.sandbox.background import Sandbox
from bridge.sandbox.broker.server import Broker, Options
from bridge.sandbox.life import Life
from bridge.sandbox.pair import Pair, Wish

__all__ = ["ApiServer", "Broker", "Life", "Options", "Pair", "Sandbox", "Wish"]
