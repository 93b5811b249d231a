"""An authenticated HTTP session to one API server.

What the world does comes back as a `Fault`; only a configuration that cannot work raises, once, in `connect`.
"""

import asyncio
import contextlib
import os
import socket

import aiohttp
import msgspec
from msgspec import Struct

from bridge.config.problem import ConfigError, Problem
from bridge.config.tree import Kubernetes
from bridge.model.resource import Selection
from bridge.source.answers import FAILURES, failure, refusal
from bridge.source.connections import Connections, Material, Params, Question
from bridge.source.credentials import Credential, CredentialsError
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import UNREADABLE
from bridge.source.kubeconfig import Login, login
from bridge.source.telling import TlsUnverified

CONNECT = 10.0
"""Seconds to reach the server and to shake hands: a try at a dead address must not hold up the next."""
ANSWER = 70.0
"""Seconds of silence before and within an answer. The API server gives up on a LIST after 60 (server/config.go)."""
OPEN = 30.0
"""Seconds for a watch to be accepted. A WatchList waits 3 s for a fresh cache before it answers (watch_cache.go)."""
KEEPALIVE = ((socket.TCP_KEEPIDLE, 30), (socket.TCP_KEEPINTVL, 10), (socket.TCP_KEEPCNT, 3))
"""Seconds, seconds, probes: a host that is gone is noticed within a minute, as by Go's HTTP/2 check (30 + 15 s)."""
JSON = "application/json"


class Access(Struct, frozen=True):
    """Whether a verb is allowed, as the API server says, and why."""

    allowed: bool
    reason: str = ""


class Session:
    """Owns the connections, the newest last.

    When certificates have changed (they are read anew for every request), new requests get new connections. The old
    ones are kept until the last stream over them has ended in its own time, at most ten minutes later.
    """

    def __init__(self, account: Login) -> None:
        self.server = account.server
        """The URL, for messages."""
        self._account = account
        self._connections: list[Connections] = []
        if not account.verify:
            TlsUnverified(account.server).emit()

    async def get(self, path: str, params: Params, phase: Phase = Phase.PROBE, accept: str = JSON) -> bytes | Fault:
        """The body of an answer with status 200. Anything else is a fault of *phase*."""
        return await self._whole(Question("GET", path, params, accept, "gzip"), phase)

    async def post(self, path: str, body: object) -> bytes | Fault:
        return await self._whole(Question("POST", path, [], JSON, "gzip", body), Phase.PROBE)

    async def stream(self, path: str, params: Params, phase: Phase) -> aiohttp.ClientResponse | Fault:
        """An open answer with status 200: whoever gets it must `cut` it.

        It is never compressed: one flush is one gzip member since 1.37, which many decoders lose (kube-rs#2079).
        """
        question = Question("GET", path, params, JSON, "identity")
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT)
        try:
            response = await self._send(question, limits, OPEN)
            try:
                fault = await refusal(response, phase, self.server)
            except BaseException:
                cut(response)
                raise
        except FAILURES as error:
            return self.fault(error, phase)
        if fault is not None:
            cut(response)
            return fault
        _keep_alive(response)
        return response

    async def cluster_uid(self) -> str | Fault:
        """The uid of namespace kube-system, which names the cluster; empty where it may not be read."""
        body = await self.get("/api/v1/namespaces/kube-system", [])
        if isinstance(body, Fault):
            return "" if body.status in (403, 404) else body
        try:
            return _object(body).metadata.uid
        except UNREADABLE as error:
            return Fault(Phase.PROBE, Kind.UNDECODABLE, message=str(error))

    async def access(self, verb: str, selection: Selection, name: str = "") -> Access | Fault:
        """Whether we may *verb* the objects of *selection*, or the one of that *name*."""
        resource = selection.resource
        attributes = {"verb": verb, "group": resource.group, "version": resource.version, "resource": resource.plural}
        if selection.namespace is not None:
            attributes["namespace"] = selection.namespace
        if name:
            attributes["name"] = name
        group = "authorization.k8s.io/v1"
        review = {"apiVersion": group, "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
        body = await self.post(f"/apis/{group}/selfsubjectaccessreviews", review)
        if isinstance(body, Fault):
            return body
        try:
            return _review(body).status
        except UNREADABLE as error:
            return Fault(Phase.PROBE, Kind.UNDECODABLE, message=str(error))

    def reauthenticate(self) -> None:
        """The server refused our credentials: the next request gets new ones."""
        self._account.credentials.forget()

    async def close(self) -> None:
        for connections in self._forget(self._connections):
            await connections.close()

    async def prepare(self) -> None:
        """Load certificates before the first request, so that what is wrong with them is known at once."""
        await self._current(Credential())

    def fault(self, error: Exception, phase: Phase) -> Fault:
        """What one of `FAILURES` means, when a request or a stream ended with it."""
        return failure(error, phase, self.server)

    async def _whole(self, question: Question, phase: Phase) -> bytes | Fault:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=ANSWER)
        try:
            async with await self._send(question, limits, CONNECT + ANSWER) as response:
                fault = await refusal(response, phase, self.server)
                return fault if fault is not None else await response.read()
        except FAILURES as error:
            return self.fault(error, phase)

    async def _send(self, question: Question, limits: aiohttp.ClientTimeout, deadline: float) -> aiohttp.ClientResponse:
        """The head of the answer. The *deadline* alone bounds a proxy's CONNECT; a plugin's time does not count."""
        credential = await self._account.credentials.now()
        connections = await self._current(credential)
        headers = {"Accept": question.accept, "Accept-Encoding": question.encoding}
        if credential.header:
            headers["Authorization"] = credential.header
        if credential.certificate:
            headers["Connection"] = "close"  # a kept connection would go on showing the certificate of before
        async with asyncio.timeout(deadline):
            return await connections.ask(question, headers, limits)

    async def _current(self, credential: Credential) -> Connections:
        """Those with the certificates of now. What nobody uses any more is closed."""
        material = self._read(credential)
        if not self._connections or material != self._connections[-1].material:
            self._connections.append(Connections(self._account, material))
        for old in self._forget([old for old in self._connections[:-1] if old.idle]):
            await old.close()
        return self._connections[-1]

    def _forget(self, these: list[Connections]) -> list[Connections]:
        """The same ones: before they are closed, so that nobody else closes or takes them meanwhile."""
        self._connections = [known for known in self._connections if known not in these]
        return these

    def _read(self, credential: Credential) -> Material:
        account = self._account
        try:
            return Material(
                account.ca.read(),
                credential.certificate or account.certificate.read(),
                credential.key or account.key.read(),
            )
        except OSError as error:
            raise CredentialsError(f"{error.filename}: {error.strerror}") from error


async def connect(kubernetes: Kubernetes) -> Session:
    """The session that the config asks for. Nothing has been sent yet."""
    account = login(kubernetes, os.environ)
    session = Session(account)
    try:
        await session.prepare()
    except CredentialsError as error:
        raise ConfigError([Problem(account.source, 0, "", str(error), "Correct or renew the file")]) from error
    return session


def cut(response: aiohttp.ClientResponse) -> None:
    """End an answer that has not ended. A polite end of TLS would wait for a server that may be gone."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


def _keep_alive(response: aiohttp.ClientResponse) -> None:
    """HTTP/1.1 has no ping: without probes a silent stream to a dead host looks like an idle one."""
    connection = response.connection
    transport = connection.transport if connection is not None else None
    opened = transport.get_extra_info("socket") if transport is not None else None
    if opened is not None:
        with contextlib.suppress(OSError):  # it may have been closed meanwhile: the next read says so
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE:
                opened.setsockopt(socket.IPPROTO_TCP, option, value)


class _Meta(Struct, frozen=True):
    uid: str = ""


class _Object(Struct, frozen=True):
    metadata: _Meta


class _Review(Struct, frozen=True):
    status: Access


_object = msgspec.json.Decoder(_Object).decode
_review = msgspec.json.Decoder(_Review).decode
