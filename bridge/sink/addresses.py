"""Which of `bootstrapServers` is asked first, and for how long: switched off machines and firewalls do not even refuse.

aiokafka takes them in any order and gives each as long as any request, and a stream that starts makes a dozen clients.
"""

from collections.abc import Awaitable, Callable

from aiokafka import errors
from aiokafka.client import AIOKafkaClient

from bridge.config.kafka import Kafka
from bridge.retry import spread

CONNECT = 3.0
"""Seconds for one address at the most. A first packet that was lost is sent again after 1 s."""

_failed: dict[str, int] = {}
"""Those that have failed in this process: when, by counting."""


def share_of(kafka: Kafka, seconds: float) -> float:
    """What one address may take of *seconds*, if all others but one are dead."""
    return min(CONNECT, seconds / (1 + len(kafka.bootstrap_servers)))


def hasten(client: AIOKafkaClient, kafka: Kafka, seconds: float) -> None:
    """Let *client* begin within *seconds*, if one of several addresses lives. Those that have failed come last."""
    servers, bootstrap = kafka.bootstrap_servers, client.bootstrap

    async def hastened() -> None:
        usual = client._request_timeout_ms  # noqa: SLF001 - it is read for each connection that is made
        client._request_timeout_ms = int(1000 * share_of(kafka, seconds))  # noqa: SLF001
        try:
            await _one_of(client, bootstrap, sorted(servers, key=lambda each: (_failed.get(each, 0), spread(1.0))))
        finally:
            client._request_timeout_ms = usual  # noqa: SLF001

    if len(servers) > 1:
        setattr(client, "bootstrap", hastened)  # noqa: B010 - a method, for the type checker


async def _one_of(client: AIOKafkaClient, bootstrap: Callable[[], Awaitable[None]], servers: list[str]) -> None:
    for server in servers:
        client._bootstrap_servers = server  # noqa: SLF001 - it shuffles what it has
        try:
            await bootstrap()
        except errors.KafkaConnectionError:
            _failed[server] = 1 + max(_failed.values(), default=0)
            if server == servers[-1]:
                raise
        else:
            _failed.pop(server, None)
            return
