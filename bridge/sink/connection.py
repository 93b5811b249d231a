"""What every client of Kafka shares: how it connects, one deadline for each thing asked, errors that name the mend.

aiokafka is pinned, and this file, `producer` and `checkpoints` know why: nothing in its transactional path times out,
and the reason of a failed connection is only in its log.
"""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from aiokafka import client as theirs
from aiokafka import errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.metadata import MetadataRequest

from bridge.abandoned import is_asked_for
from bridge.config.kafka import Kafka, Sasl, Tls
from bridge.sink.addresses import hasten
from bridge.sink.renewal import Certificates, Provider, certificates, password, take_over
from bridge.sink.token import LoginError, tokens

ANSWER = 10.0
"""Seconds for one request. Half of it is enough for any healthy broker; a partition that has no leader for longer costs
the producer, which is then made anew from `bootstrapServers`."""
METADATA_AGE = 30.0
"""Seconds after which new partitions are noticed at the latest. aiokafka's default is 5 minutes."""
END = 1.0
"""Seconds for a cancelled task of a client to end; it has nothing to wait for."""

Tasks = Iterable["asyncio.Task[Any] | None"]
T = TypeVar("T")
Settings = dict[str, Any]
"""Keyword arguments that aiokafka's clients have in common."""


class KafkaFault(Exception):  # noqa: N818 - the word for what the other side did
    """Kafka is away, refused, or did not answer in time. Its text names the address or setting, and the mend."""


class SettingFault(KafkaFault):
    """As above, and nothing changes until somebody changes a setting, here or in Kafka."""


class Forbidden(SettingFault):
    """As above: a right is missing. Its text names it."""


def reason_of(error: Exception) -> str:
    """What ended an attempt, for people: ours are whole sentences, others' need their type."""
    cause: BaseException = error
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return str(cause) if isinstance(cause, KafkaFault) else f"{type(cause).__name__}: {cause}"


def settings(kafka: Kafka) -> Settings:
    """Secrets are read when a connection is made (see `renewal`). Certificates must be there from the beginning."""
    take_over()
    _make_nothing_by_asking()
    common: Settings = {
        "bootstrap_servers": list(kafka.bootstrap_servers),
        "client_id": "event-bridge",
        "request_timeout_ms": int(1000 * min(ANSWER, kafka.transaction_timeout)),
        "metadata_max_age_ms": int(1000 * METADATA_AGE),
        "security_protocol": "PLAINTEXT",
    }
    if kafka.tls is not None:
        common |= {"security_protocol": "SSL", "ssl_context": _certificates(kafka.tls)}
    if kafka.sasl is not None:
        protocol = "SASL_PLAINTEXT" if kafka.tls is None else "SASL_SSL"
        common |= {"security_protocol": protocol, "sasl_mechanism": kafka.sasl.mechanism, **_login(kafka.sasl)}
    return common


@functools.cache
def _make_nothing_by_asking() -> None:
    """Aiokafka asks for topics so that brokers may make them, which many are set to do.

    One that is deleted under us would come back as the broker's defaults say: with one partition, and not compacted.
    """
    asking = functools.partial(MetadataRequest, allow_auto_topic_creation=False)
    setattr(theirs, "MetadataRequest", asking)  # noqa: B010 - a type, for the type checker


def _certificates(tls: Tls) -> Certificates:
    found = certificates(tls)
    try:
        found.now()
    except LoginError as error:
        raise SettingFault(str(error)) from error
    return found


def _login(sasl: Sasl) -> Settings:
    if sasl.mechanism == "OAUTHBEARER":
        return {"sasl_oauth_token_provider": Provider(sasl)}
    assert sasl.password is not None
    return {"sasl_plain_username": sasl.username, "sasl_plain_password": password(sasl.password)}


@asynccontextmanager
async def faults(kafka: Kafka, doing: str, seconds: float) -> AsyncIterator[None]:
    """What is inside has *seconds*, and what goes wrong with Kafka becomes a `KafkaFault`: "could not *doing*"."""
    _listen()
    heard: list[str] = []
    token = _heard.set(heard)
    try:
        async with asyncio.timeout(seconds):
            yield
    except KafkaFault:
        raise
    except TimeoutError as error:
        reason = f": {heard[-1]}" if heard else ""
        raise KafkaFault(f"could not {doing} within {seconds:g} s{reason}") from error
    except (errors.KafkaError, OSError) as error:
        raise _fault(error, heard, kafka, doing) from error
    except asyncio.CancelledError as error:
        if is_asked_for():
            raise
        raise KafkaFault(f"could not {doing}: given up by Kafka's client") from error
    finally:
        _heard.reset(token)


def _fault(error: Exception, heard: list[str], kafka: Kafka, doing: str) -> KafkaFault:
    cause = error.__cause__ if type(error) is errors.KafkaError and error.__cause__ is not None else error
    what = f"could not {doing}: "
    match cause:
        case errors.KafkaConnectionError():
            return _unreachable(heard, kafka, cause)
        case errors.TransactionalIdAuthorizationFailed():
            grant = "Allow Write on the TransactionalId, or set kafka.delivery: at-least-once"
            return Forbidden(f"{what}no permission to use transactional id {cause.args[0]}. {grant}")
        case errors.TopicAuthorizationFailedError():
            grant = "Allow Write on it, and Read on the checkpoint topic"
            return Forbidden(f"{what}no permission for topic {_names(cause.args[0])}. {grant}")
        case errors.ClusterAuthorizationFailedError():
            return Forbidden(f"{what}no permission on the cluster. Allow IdempotentWrite on it")
        case errors.InvalidTopicError():
            return SettingFault(f"{what}Kafka takes no topic called {cause.args[0]}. Change the topic of the watch")
        case errors.InvalidTransactionTimeout():
            mend = "Lower it, or raise the broker's transaction.max.timeout.ms"
            return SettingFault(f"{what}kafka.transactionTimeout {kafka.transaction_timeout:g}s is too long. {mend}")
        case errors.ProducerFenced() | errors.InvalidProducerEpoch() | errors.InvalidTxnState():
            return KafkaFault(
                f"{what}another producer took over, or the transaction outlived kafka.transactionTimeout"
                f" ({kafka.transaction_timeout:g}s). Two deployments with one `name` throw each other out"
            )
        case errors.MessageSizeTooLargeError() | errors.RecordListTooLargeError():
            return KafkaFault(f"{what}a batch exceeds the topic's max.message.bytes. Lower kafka.maxMessageBytes")
        case errors.NotLeaderForPartitionError() | errors.LeaderNotAvailableError() | errors.NodeNotReadyError():
            return KafkaFault(
                f"{what}the broker that leads has changed or is not there. This passes when Kafka has one"
            )
        case _:
            return _group_fault(cause, what) or KafkaFault(f"{what}{cause!r}")


def _names(topics: object) -> str:
    """Aiokafka names one topic, or a set of them."""
    return ", ".join(sorted(map(str, topics))) if isinstance(topics, set | frozenset | list | tuple) else str(topics)


def _group_fault(cause: BaseException, what: str) -> KafkaFault | None:
    match cause:
        case errors.GroupAuthorizationFailedError():
            mend = "Allow Read on the Group, or set standalone: true and run one replica"
            return Forbidden(f"{what}no permission for it. {mend}")
        case errors.InvalidSessionTimeoutError():
            mend = (
                "Change group.sessionTimeout: group.min.session.timeout.ms and its max bound it, 6s and 30m by default"
            )
            return SettingFault(f"{what}the broker does not take its session timeout. {mend}")
        case errors.InconsistentGroupProtocolError():
            return SettingFault(f"{what}other consumers have a group of this name. Change `name`, or theirs")
        case _:
            return None


def _unreachable(heard: list[str], kafka: Kafka, error: Exception) -> KafkaFault:
    """No broker could be used: aiokafka logs why, server by server, and raises the same for every reason."""
    why = "; ".join(dict.fromkeys(heard)) or str(error)
    servers = ", ".join(kafka.bootstrap_servers)
    if kafka.sasl is not None and "kafka.sasl.token" in why:
        return SettingFault(f"no login for Kafka at {servers}: {why}")
    if kafka.sasl is not None and ("AuthenticationFailed" in why or "SaslMechanism" in why):
        return SettingFault(_refused(kafka.sasl, servers, why))
    if "CERTIFICATE" in why or "SSL" in why:
        return SettingFault(
            f"TLS to Kafka at {servers} failed (kafka.tls): {why}. Correct ca, cert and key, or the address"
        )
    hint = ""
    if "closed" in why:  # all that is left of a handshake that the other side did not like
        hint = ". It may be a TLS listener: set kafka.tls"
        if kafka.tls is not None:
            hint = (
                ". It may be no TLS listener, or ask for a client certificate: set kafka.tls.cert, or remove kafka.tls"
            )
    return KafkaFault(f"no broker of kafka.bootstrapServers ({servers}) can be used: {why}{hint}")


def _refused(sasl: Sasl, servers: str, why: str) -> str:
    if sasl.token is None:
        what = f"Kafka at {servers} refused the login of {sasl.username} (kafka.sasl): {why}"
        return f"{what}. Correct mechanism, username or password"
    what = f"Kafka at {servers} refused the token of {tokens(sasl.token).source}: {why}"
    return f"{what}. Renew it, or correct the mechanism, its issuer or audience, or kafka.sasl.extensions"


async def together(asked: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each of them returns. The first failure is raised when all have ended: none is left behind."""
    answers: list[T] = []
    for answer in await asyncio.gather(*asked, return_exceptions=True):
        if isinstance(answer, BaseException):
            raise answer
        answers.append(answer)
    return answers


@asynccontextmanager
async def connected(kafka: Kafka) -> AsyncIterator[AIOKafkaClient]:
    """A bare client for single requests. Use inside `faults`."""
    client = AIOKafkaClient(**settings(kafka))
    hasten(client, kafka, ANSWER)
    try:
        await client.bootstrap()
        yield client
    finally:
        await abandon(client)


async def abandon(client: AIOKafkaClient, tasks: Callable[[], Tasks] = lambda: ()) -> None:
    """End a client and its *tasks*, whatever state they are in: nothing is flushed, nothing is left behind.

    aiokafka's own `close` waits for sockets to drain, and forever where nobody reads. All is cancelled and closed
    before the first wait, so it happens even if this coroutine is cancelled.
    """
    for _ in range(3):  # a task that ends may have begun another one
        ending = {task for task in (*tasks(), client._sync_task) if task is not None and not task.done()}  # noqa: SLF001
        for task in ending:
            task.cancel()
        ending |= _cut(client)
        if not ending:
            return
        await asyncio.wait(ending, timeout=END)


def _cut(client: AIOKafkaClient) -> set["asyncio.Task[Any]"]:
    """Close every socket at once; what is returned ends by itself in the next turns of the loop."""
    reading = set()
    for connection in client._conns.values():  # noqa: SLF001 - no public way leads to the sockets
        if connection._writer is not None:  # noqa: SLF001
            connection._writer.transport.abort()  # noqa: SLF001
            reading.add(connection._read_task)  # noqa: SLF001
            connection.close()
    client._conns.clear()  # noqa: SLF001
    return {task for task in reading if task is not None and not task.done()}


ENOUGH = 20
"""Lines heard. A client in a hot loop must not fill the memory."""

_heard: ContextVar[list[str] | None] = ContextVar("heard", default=None)
"""What aiokafka has logged of failed connections in this task, inside `faults`."""


class _Ear(logging.Handler):
    """Notes what aiokafka reports, and shows it where it would have been shown."""

    def emit(self, record: logging.LogRecord) -> None:
        heard = _heard.get()
        if heard is not None and len(heard) < ENOUGH:
            heard.append(record.getMessage())
        root = logging.getLogger()
        if root.isEnabledFor(record.levelno):
            root.handle(record)


@functools.cache
def _listen() -> None:
    log = logging.getLogger("aiokafka")
    log.setLevel(logging.ERROR)
    log.propagate = False
    log.addHandler(_Ear())
