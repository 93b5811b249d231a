"""The token for OAUTHBEARER: from a file or a command, as long as it holds, and never shown.

Whoever makes it renews it. We take it for what it says of itself (a JWT's `exp`, an answer's `expires_in`), without
judging its signature: that is the broker's part.
"""

import asyncio
import base64
import binascii
import datetime as dt
import functools
import re
import time
from pathlib import Path

import msgspec
from aiokafka import errors
from msgspec import Struct

from bridge import command
from bridge.command import CommandError
from bridge.config.kafka import Token
from bridge.sink.telling import CredentialKept

TIMEOUT = 15.0
"""Seconds for a command: less than any question to Kafka has (`topics.SETTLE`), so that its failure is what is told."""
PAUSE = 5.0
"""Seconds that a failure stands before the command is run again: all streams ask at once, and each for every broker."""
SETTLED = 10.0
"""Seconds after a run in which a refused token is no reason for another: the command has nothing newer to say."""
SPENT = 0.8
"""The part of a token's life after which a new one is asked for, as Kafka's own clients do
(sasl.login.refresh.window.factor)."""
BLIND = 60.0
"""Seconds for which a token of unknown life is used again: a start opens hundreds of connections."""
SKEW = 60.0
"""Seconds that clocks may differ: what has expired for longer is not sent."""
FOREVER = float("inf")
ALLOWED = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, section 2.1: what a bearer token consists of. Anything else could end the message that it is sent in."""


class LoginError(errors.KafkaError):
    """What we need to log in cannot be had now. Its text names the setting, and never shows what is there.

    An error of Kafka's, so that aiokafka takes it for a connection that failed, tells why, and tries again.
    """

    def __str__(self) -> str:
        return str(self.args[0])


class _Held(Struct, frozen=True):
    text: str
    since: float
    expires: float = FOREVER

    @property
    def is_due(self) -> bool:
        """Unknown lives are short: somebody may have renewed it for a reason."""
        if self.expires == FOREVER:
            return time.time() >= self.since + BLIND
        return time.time() >= self.since + SPENT * (self.expires - self.since)


class _Unfit(Exception):  # noqa: N818 - says what the token is
    """What was read is no token that could be sent."""


class Tokens:
    """Owns the last token of one setting, for all clients of the process. One run at a time serves all who wait.

    A source that fails is no reason to give up a token that still holds, unless a broker refused it.
    """

    def __init__(self, token: Token) -> None:
        self._file = token.file
        self._arguments = [argument.reveal() for argument in token.command]
        self._lock = asyncio.Lock()
        self._held: _Held | None = None
        self._failure = ""
        self._tried = -SETTLED

    @property
    def source(self) -> str:
        """For messages: the arguments may hold secrets."""
        if self._file is not None:
            return f"kafka.sasl.token.file ({self._file})"
        return f"kafka.sasl.token.command ({self._arguments[0]})"

    async def now(self) -> str:
        """The token for a connection that is made now, or `LoginError`."""
        async with self._lock:
            if self._file is not None or self._held is None or self._held.is_due:
                await self._renew()
            assert self._held is not None
            return self._held.text

    def refused(self) -> None:
        """By a broker. If the command has only just run, running it again is of no use."""
        if time.monotonic() - self._tried >= SETTLED:
            self._held = None

    async def _renew(self) -> None:
        try:
            self._held = _judged(await self._fetch())
            self._failure = ""
        except (OSError, CommandError, _Unfit) as error:
            why = error.strerror if isinstance(error, OSError) else error
            known, self._failure = self._failure, f"{why}"
            if self._held is None or time.time() >= self._held.expires:
                self._held = None
                raise LoginError(f"{self.source}: {why}") from None
            if not known:
                CredentialKept(self.source, self._failure).emit()

    async def _fetch(self) -> bytes:
        if self._file is not None:
            return Path(self._file).read_bytes()  # noqa: ASYNC240 - a kilobyte, mostly from memory
        if self._failure and time.monotonic() - self._tried < PAUSE:
            raise CommandError(self._failure)
        try:
            return await command.run(self._arguments, {}, TIMEOUT)
        finally:
            self._tried = time.monotonic()


@functools.cache
def tokens(token: Token) -> Tokens:
    """One for the whole process: all clients share the token, and one run of the command."""
    return Tokens(token)


class _Answer(Struct, frozen=True):
    """What a token endpoint says (RFC 6749, section 5.1)."""

    access_token: str
    expires_in: float = FOREVER


class _Claims(Struct, frozen=True):
    """What a JWT says of itself (RFC 7519, section 4.1.4)."""

    exp: float = FOREVER


_answer = msgspec.json.Decoder(_Answer, strict=False).decode
_claims = msgspec.json.Decoder(_Claims).decode


def _judged(said: bytes) -> _Held:
    held = _read(said)
    if held.expires <= held.since - SKEW:
        ended = dt.datetime.fromtimestamp(held.expires, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        raise _Unfit(f"the token has expired, at {ended}. What renews it has stopped, or a clock is wrong")
    return held


def _read(said: bytes) -> _Held:
    text, expires = said.decode("latin-1").strip(), FOREVER
    if not text:
        raise _Unfit("it holds nothing. It must hold the token")
    if text.startswith("{"):
        try:
            answer = _answer(said)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _Unfit("it is no JSON with an access_token. Let it be the token alone") from None
        text, expires = answer.access_token, time.time() + answer.expires_in
    if not ALLOWED.fullmatch(text):
        raise _Unfit("it holds more than a token, or characters that none may hold. Let it be the token alone")
    return _Held(text, time.time(), min(expires, _expiry(text)))


def _expiry(token: str) -> float:
    """When a JWT says that it ends. Of other tokens nothing is known."""
    parts = token.split(".")
    if len(parts) != 3:
        return FOREVER
    try:
        return _claims(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))).exp
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError):
        return FOREVER
