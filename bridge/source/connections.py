"""The connections to one API server that were made with the same certificates.

kubernetes_asyncio does TLS, see `library`.
"""

import os
import ssl
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import aiohttp
from msgspec import Struct

from bridge.abandoned import unless_abandoned
from bridge.source.credentials import CredentialsError
from bridge.source.kubeconfig import Login
from bridge.source.library import Configuration, RESTClientObject
from bridge.source.wire import READ_AHEAD, tap

Params = list[tuple[str, str]]


class Question(Struct, frozen=True):
    """What is asked, but for who we are."""

    method: str
    path: str
    params: Params
    accept: str
    encoding: str
    body: object = None


class Material(Struct, frozen=True):
    """What connections are made with. Invariant: a certificate never comes without its key."""

    ca: bytes
    certificate: bytes
    key: bytes


class Connections:
    """Owns a pool of connections, and which of its answers are still open."""

    def __init__(self, account: Login, material: Material) -> None:
        self.material = material
        self._server = account.server
        self._rest = _pool(account, material)
        self._asking = 0
        self._answers: list[aiohttp.ClientResponse] = []

    @property
    def idle(self) -> bool:
        """Nobody would be cut off if they were closed."""
        return not self._asking and all(answer.closed for answer in self._answers)

    async def ask(
        self, question: Question, headers: dict[str, str], limits: aiohttp.ClientTimeout
    ) -> aiohttp.ClientResponse:
        """The head of an answer, which is open until it is closed."""
        self._asking += 1
        try:
            answer: aiohttp.ClientResponse = await unless_abandoned(
                self._rest.request(
                    question.method,
                    f"{self._server}{question.path}?{urlencode(question.params)}",
                    headers=headers,
                    body=question.body,
                    _preload_content=False,
                    _request_timeout=limits,
                )
            )
        finally:
            self._asking -= 1
        self._answers = [*(known for known in self._answers if not known.closed), answer]
        return answer

    async def close(self) -> None:
        await self._rest.close()


def _pool(account: Login, material: Material) -> RESTClientObject:
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
    tap(theirs.connector)
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
