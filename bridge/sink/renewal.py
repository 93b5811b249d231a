"""What may be renewed on disk while we run: certificates, the password, the token. Each connection takes that of now.

aiokafka takes them once per client, and a client lives for months. So its connections are replaced by ours, which look
again when they are made; a file that is half written leaves what was there before. What is connected stays connected.
"""

import functools
import ssl
from pathlib import Path

from aiokafka import conn, errors
from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import AIOKafkaConnection

from bridge.config.kafka import Sasl, Tls
from bridge.config.references import without_end
from bridge.config.secret import Secret
from bridge.sink.telling import CredentialKept
from bridge.sink.token import LoginError, tokens


class Certificates:
    """Owns the TLS context for one setting, made anew when its files have other contents than before."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._files = {name: file for name in ("ca", "cert", "key") if (file := getattr(tls, name)) is not None}
        self._contents: list[bytes] | None = None
        self._context: ssl.SSLContext | None = None
        self._failed = False

    def now(self) -> ssl.SSLContext:
        """Raises `LoginError` only as long as there has never been any that could be used."""
        try:
            contents = self._read()
            if self._context is None or contents != self._contents:
                self._context = self._made()
                self._contents = contents if self._read() == contents else None  # it may be written at this moment
            self._failed = False
        except OSError as error:  # of which ssl.SSLError is one
            failure = LoginError(self._wrong(error))
            if self._context is None:
                raise failure from error
            if not self._failed:
                CredentialKept("kafka.tls", str(failure)).emit()
            self._failed = True
        return self._context

    def _read(self) -> list[bytes]:
        return [Path(file).read_bytes() for file in self._files.values()]

    def _made(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._tls.ca)
        if self._tls.cert is not None:
            context.load_cert_chain(self._tls.cert, self._tls.key)
        return context

    def _wrong(self, error: OSError) -> str:
        files = ", ".join(f"{name} {file}" for name, file in self._files.items())
        return f"cannot use the files of kafka.tls ({files}): {error}. Correct the paths, or the files"


class Password:
    """Owns the last text of one password. A file that is empty or cannot be read leaves it as it was."""

    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._failed = False

    def now(self) -> str:
        if not self._file:
            return self._text
        try:
            text, why = without_end(Path(self._file).read_text(encoding="utf-8")), "it is empty"
        except OSError as error:
            text, why = "", error.strerror or type(error).__name__
        except UnicodeDecodeError:
            text, why = "", "it is no text"
        if not text and not self._failed:
            CredentialKept("kafka.sasl.password", f"{self._file}: {why}. Write the password into it").emit()
        self._failed = not text
        self._text = text or self._text
        return self._text


class Provider(AbstractTokenProvider):
    """The token of now, and what is said beside it, for one client."""

    def __init__(self, sasl: Sasl) -> None:
        assert sasl.token is not None
        self._tokens = tokens(sasl.token)
        self._extensions = sasl.extensions

    async def token(self) -> str:
        return await self._tokens.now()

    def extensions(self) -> dict[str, str]:
        return self._extensions

    def refused(self) -> None:
        self._tokens.refused()


@functools.cache
def certificates(tls: Tls) -> Certificates:
    """One for the whole process: a context for each of hundreds of clients would cost 10 ms and some memory each."""
    return Certificates(tls)


def password(secret: Secret) -> Password:
    return _password(secret.reveal(), secret.file)


@functools.cache
def _password(text: str, file: str) -> Password:
    """One for the whole process, so that the last good text is known to all clients."""
    return Password(text, file)


class Connection(AIOKafkaConnection):
    """aiokafka's, but for where its secrets come from, and how it takes a refused token."""

    async def connect(self) -> object:
        if isinstance(self._ssl_context, Certificates):
            self._ssl_context = self._ssl_context.now()
        if isinstance(self._sasl_plain_password, Password):
            self._sasl_plain_password = self._sasl_plain_password.now()
        try:
            return await super().connect()  # type: ignore[no-untyped-call] # aiokafka's has no types
        except errors.SaslAuthenticationFailed:
            if isinstance(self._sasl_oauth_token_provider, Provider):
                self._sasl_oauth_token_provider.refused()
            raise

    def authenticator_oauth(self) -> "_Bearer":
        return _Bearer(self._sasl_oauth_token_provider)


class _Bearer:
    """The conversation of RFC 7628. aiokafka's own ends before the broker's answer, and takes a refusal for a yes."""

    def __init__(self, provider: AbstractTokenProvider) -> None:
        self._provider = provider

    async def step(self, answer: bytes | None) -> tuple[bytes, bool] | None:
        """What to send next, if anything.

        An answer that is not empty is a refusal. Once it is acknowledged the broker says, as an error of Kafka's, why.
        """
        if answer is None:
            extensions = "".join(f"\x01{name}={text}" for name, text in self._provider.extensions().items())
            return f"n,,\x01auth=Bearer {await self._provider.token()}{extensions}\x01\x01".encode(), True
        return (b"\x01", True) if answer else None


@functools.cache
def take_over() -> None:
    """From now on all of aiokafka's clients make connections of ours. To those of others they are the same."""
    setattr(conn, "AIOKafkaConnection", Connection)  # noqa: B010 - a type, for the type checker
