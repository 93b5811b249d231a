"""An authenticated HTTP session to one API server. kubernetes_asyncio, which only this file knows, does TLS.

What the world does comes back as a `Fault`; only a configuration that cannot work raises, once, in `connect`.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec
from kubernetes_asyncio.client.configuration import Configuration
from kubernetes_asyncio.client.rest import RESTClientObject
from msgspec import Struct

from bridge.config.problem import ConfigError, Problem
from bridge.config.tree import Kubernetes
from bridge.model.resource import Selection
from bridge.source.answers import FAILURES, failure, refusal
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
READ_AHEAD = 256 << 10
"""Bytes of a stream that may wait to be read. The library's 2 MiB for each of hundreds of watches would be too much."""
JSON = "application/json"

Params = list[tuple[str, str]]


class Access(Struct, frozen=True):
    """Whether a verb is allowed, as the API server says, and why."""

    allowed: bool
    reason: str = ""


class _Request(Struct, frozen=True):
    method: str
    path: str
    params: Params
    accept: str
    encoding: str
    body: object = None


class _Material(Struct, frozen=True):
    """What a pool of connections was made with. Invariant: a certificate never comes without its key."""

    ca: bytes
    certificate: bytes
    key: bytes


class Session:
    """Owns the pool of connections, and the one before it.

    When certificates have changed (they are read anew for every request), new requests get a new pool; the open
    streams of the old one end in their own time, at most ten minutes later.
    """

    def __init__(self, account: Login) -> None:
        self.server = account.server
        """The URL, for messages."""
        self._account = account
        self._rest: RESTClientObject | None = None
        self._material: _Material | None = None
        self._old: RESTClientObject | None = None
        if not account.verify:
            TlsUnverified(account.server).emit()

    async def get(self, path: str, params: Params, phase: Phase = Phase.PROBE, accept: str = JSON) -> bytes | Fault:
        """The body of an answer with status 200. Anything else is a fault of *phase*."""
        return await self._whole(_Request("GET", path, params, accept, "gzip"), phase)

    async def post(self, path: str, body: object) -> bytes | Fault:
        return await self._whole(_Request("POST", path, [], JSON, "gzip", body), Phase.PROBE)

    async def stream(self, path: str, params: Params, phase: Phase) -> aiohttp.ClientResponse | Fault:
        """An open answer with status 200: whoever gets it must `cut` it.

        It is never compressed: one flush is one gzip member since 1.37, which many decoders lose (kube-rs#2079).
        """
        request = _Request("GET", path, params, JSON, "identity")
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT)
        try:
            response = await self._send(request, limits, OPEN)
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

    async def access(self, verb: str, selection: Selection) -> Access | Fault:
        """Whether we may *verb* the objects of *selection*."""
        resource = selection.resource
        attributes = {"verb": verb, "group": resource.group, "version": resource.version, "resource": resource.plural}
        if selection.namespace is not None:
            attributes["namespace"] = selection.namespace
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
        for rest in (self._rest, self._old):
            if rest is not None:
                await rest.close()
        self._rest = self._old = self._material = None

    async def prepare(self) -> None:
        """Load certificates before the first request, so that what is wrong with them is known at once."""
        await self._pool(Credential())

    def fault(self, error: Exception, phase: Phase) -> Fault:
        """What one of `FAILURES` means, when a request or a stream ended with it."""
        return failure(error, phase, self.server)

    async def _whole(self, request: _Request, phase: Phase) -> bytes | Fault:
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=ANSWER)
        try:
            async with await self._send(request, limits, CONNECT + ANSWER) as response:
                fault = await refusal(response, phase, self.server)
                return fault if fault is not None else await response.read()
        except FAILURES as error:
            return self.fault(error, phase)

    async def _send(self, request: _Request, limits: aiohttp.ClientTimeout, deadline: float) -> aiohttp.ClientResponse:
        """The head of the answer. The *deadline* alone bounds a proxy's CONNECT; a plugin's time does not count."""
        credential = await self._account.credentials.now()
        rest = await self._pool(credential)
        headers = {"Accept": request.accept, "Accept-Encoding": request.encoding}
        if credential.header:
            headers["Authorization"] = credential.header
        if credential.certificate:
            headers["Connection"] = "close"  # a kept connection would go on showing the certificate of before
        async with asyncio.timeout(deadline):
            response: aiohttp.ClientResponse = await rest.request(
                request.method,
                f"{self.server}{request.path}?{urlencode(request.params)}",
                headers=headers,
                body=request.body,
                _preload_content=False,
                _request_timeout=limits,
            )
        return response

    async def _pool(self, credential: Credential) -> RESTClientObject:
        """The pool for the certificates of now."""
        material = self._read(credential)
        if self._rest is None or material != self._material:
            rest = _pool(self._account, material)
            forgotten, self._old, self._rest, self._material = self._old, self._rest, rest, material
            if forgotten is not None:
                await forgotten.close()
        return self._rest

    def _read(self, credential: Credential) -> _Material:
        account = self._account
        try:
            return _Material(
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


def _pool(account: Login, material: _Material) -> RESTClientObject:
    """The library's pool. Its 100 connections would let the 101st watch hang for ever: 0 is no limit."""
    host = urlsplit(account.server).hostname or ""
    configuration = Configuration(host=account.server)
    configuration.connection_pool_maxsize = 0
    configuration.verify_ssl = account.verify
    configuration.tls_server_name = account.server_name or None
    configuration.proxy = account.proxy or _proxy(account.server, host)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - private directory, in memory
    try:
        with tempfile.TemporaryDirectory(dir=memory) as directory:
            # OpenSSL takes a key from a file only; no file of ours remains once it has been read.
            configuration.ssl_ca_cert = _file(directory, "ca", material.ca)
            configuration.cert_file = _file(directory, "certificate", material.certificate)
            configuration.key_file = _file(directory, "key", material.key)
            rest = RESTClientObject(configuration)
    except ssl.SSLError as error:
        raise CredentialsError(f"authority, certificate or key of {account.source}: {error}") from error
    except OSError as error:
        raise CredentialsError(f"no place for a temporary file: {error}. Make /tmp writable") from error
    # The library's own session reads ~/.netrc, and fails where that knows the host: our header is the one that counts.
    # Its environment's proxies are kept by `_proxy`. Cookies of load balancers would tie all watches to one server.
    theirs = rest.pool_manager
    rest.pool_manager = aiohttp.ClientSession(
        connector=theirs.connector, cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=READ_AHEAD
    )
    theirs.detach()
    return rest


def _file(directory: str, name: str, data: bytes) -> str | None:
    if not data:
        return None
    path = Path(directory, name)
    path.write_bytes(data)
    return str(path)


def _proxy(server: str, host: str) -> str | None:
    """The proxy of the environment, as kubectl takes it: HTTPS_PROXY, NO_PROXY."""
    return None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(urlsplit(server).scheme)


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
