"""Who we are to the API server: a token, a token file, an exec plugin. Asked before every request.

What cannot be had now raises `CredentialsError`; the next request asks again.
"""

import asyncio
import base64
import datetime as dt
import re
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bridge import command
from bridge.command import CommandError
from bridge.source.telling import PluginFailed

PLUGIN_TIMEOUT = 60.0
"""Seconds. Plugins call out to a cloud's login; none that works needs longer."""
SKEW = 60.0
"""Seconds before a plugin's credential expires that a new one is asked for: the longest that clocks may differ."""
SETTLED = 10.0
"""Seconds after a plugin's run in which it has nothing newer to say. The API server caches a verdict as long."""
PAUSE = 5.0
"""Seconds that a failure stands before the plugin is run again: every stream asks, and a slow one would hold up all."""
VERSION = re.compile(r"client\.authentication\.k8s\.io/v[0-9a-z]{1,12}")


class CredentialsError(Exception):
    """Our own credentials cannot be had at the moment."""


class Credential(Struct, frozen=True):
    """The value of the Authorization header (empty: none), and a client certificate with its key (PEM; empty: none)."""

    header: str = ""
    certificate: bytes = b""
    key: bytes = b""


class Fixed:
    """A token or password that stands in the kubeconfig; or nothing, where a client certificate says who we are."""

    def __init__(self, header: str) -> None:
        self._credential = Credential(header)

    async def now(self) -> Credential:
        return self._credential

    def forget(self) -> None:
        """It is all we have."""


class TokenFile:
    """A token that somebody else renews (the kubelet: at 80 % of its life). Read anew for every request."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def now(self) -> Credential:
        try:
            token = Path(self._path).read_text(encoding="ascii").strip()  # noqa: ASYNC240 - a kilobyte, from memory
        except (OSError, UnicodeDecodeError) as error:
            raise CredentialsError(f"token file {self._path}: {reason(error)}") from error
        if not token:
            raise CredentialsError(f"token file {self._path} is empty")
        return Credential(bearer(token))

    def forget(self) -> None:
        """The next request reads the file anyway."""


class Variable(Struct, frozen=True):
    name: str
    value: str


class PluginCommand(Struct, frozen=True):
    """How to run an exec plugin. *info* is the ExecCredential it is given, *hint* how it is installed."""

    api_version: str
    arguments: tuple[str, ...]
    environment: tuple[Variable, ...]
    info: bytes
    hint: str = ""


class _Answer(Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: dt.datetime | None = None


class _ExecCredential(Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: _Answer


_decode = msgspec.json.Decoder(_ExecCredential).decode


class Plugin:
    """Owns what an exec plugin said last, and until when that holds. One run at a time serves all who wait.

    A plugin that fails is no reason to give up a credential that still holds, unless the API server refused it.
    """

    def __init__(self, plugin: PluginCommand) -> None:
        self._plugin = plugin
        self._lock = asyncio.Lock()
        self._credential: Credential | None = None
        self._expires = 0.0
        self._tried = -SETTLED
        self._refused = False
        self._failed = -PAUSE
        self._failure = ""

    async def now(self) -> Credential:
        async with self._lock:
            if self._credential is None or self._refused or self._is_due():
                await self._renew()
            assert self._credential is not None
            return self._credential

    def forget(self) -> None:
        """The API server refused the credential. If the plugin has only just run, running it again is of no use."""
        self._refused = time.monotonic() - self._tried >= SETTLED

    def _is_due(self) -> bool:
        return time.time() >= self._expires - SKEW and time.monotonic() - self._tried >= SETTLED

    async def _renew(self) -> None:
        if time.monotonic() - self._failed < PAUSE:
            raise CredentialsError(self._failure)
        self._tried = time.monotonic()
        try:
            answer = await _run(self._plugin)
        except CredentialsError as error:
            if self._credential is None or self._refused or time.time() >= self._expires:
                self._failed, self._failure = time.monotonic(), str(error)
                raise
            PluginFailed(self._plugin.arguments[0], str(error)).emit()
            return
        self._refused = False
        self._credential = _credential(answer)
        expires = answer.expiration_timestamp
        self._expires = expires.timestamp() if expires else float("inf")


def _credential(answer: _Answer) -> Credential:
    header = bearer(answer.token) if answer.token else ""
    return Credential(header, answer.client_certificate_data.encode(), answer.client_key_data.encode())


async def _run(plugin: PluginCommand) -> _Answer:
    variables = {variable.name: variable.value for variable in plugin.environment}
    variables["KUBERNETES_EXEC_INFO"] = plugin.info.decode()
    try:
        said = await command.run(plugin.arguments, variables, PLUGIN_TIMEOUT)
    except CommandError as error:
        raise CredentialsError(f"exec plugin {error}. {plugin.hint}".removesuffix(". ")) from error
    return _read(said, plugin)


def _read(said: bytes, plugin: PluginCommand) -> _Answer:
    """What it says is told by its shape only: any of it may be the credential."""
    name = plugin.arguments[0]
    try:
        credential = _decode(said)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CredentialsError(f"exec plugin {name}: its answer is no ExecCredential: {error}") from error
    if credential.api_version != plugin.api_version:
        spoken = credential.api_version if VERSION.fullmatch(credential.api_version) else "another version"
        raise CredentialsError(f"exec plugin {name}: it speaks {spoken}, the kubeconfig says {plugin.api_version}")
    status = credential.status
    if not status.token and not (status.client_certificate_data and status.client_key_data):
        raise CredentialsError(f"exec plugin {name}: its answer has neither a token nor a certificate with its key")
    expires = status.expiration_timestamp
    if expires is not None and expires.timestamp() <= time.time() - SKEW:
        ended = expires.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise CredentialsError(f"exec plugin {name}: its credential expired at {ended}. Log in anew, or set the clock")
    return status


def bearer(token: str) -> str:
    """The header for *token*, which must be one word of visible characters: anything else would break the request."""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise CredentialsError("the token holds characters that no HTTP header may hold")
    return f"Bearer {token}"


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


Credentials = Fixed | TokenFile | Plugin
