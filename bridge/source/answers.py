"""How a request fails: what an exception or an answer says, as a `Fault`. No exception of a library goes further up."""

import asyncio
import contextlib
import datetime as dt
import email.utils
import re

import aiohttp
from msgspec.structs import replace

from bridge.source.credentials import CredentialsError
from bridge.source.faults import Fault, Kind, Phase, fault_of
from bridge.source.frames import Status, status_of

FAILURES = (aiohttp.ClientError, OSError, TimeoutError, CredentialsError)
"""How the world fails a request, in the libraries' words."""
ERROR_CAP = 64 << 10
"""Bytes of an error's body that are read. A Status is smaller, and a proxy's page may be anything."""
BODY = 10.0
"""Seconds that an error's body may take."""
LOGIN = re.compile(r"//[^/\s]*@")
"""The user and password of a URL, such as a proxy's."""
EXCERPT = 200
"""Characters of a body that is no Status which go into a message."""


def failure(error: Exception, phase: Phase, server: str) -> Fault:
    """What one of `FAILURES` means, with the address that it is about."""
    match error:
        case CredentialsError():
            return Fault(phase, Kind.CREDENTIALS, message=str(error))
        case TimeoutError():
            what = "no answer in time"
        case aiohttp.ClientConnectorCertificateError(certificate_error=why):
            what = f"its certificate is not trusted: {why}"
        case aiohttp.ClientResponseError(status=status, message=message):
            what = f"{status} {message}"  # its own text has the URL, where a proxy's password may stand
        case _:
            what = LOGIN.sub("//", str(error)) or type(error).__name__
    return Fault(phase, Kind.NETWORK, message=f"{server}: {what}")


async def refusal(response: aiohttp.ClientResponse, phase: Phase, server: str) -> Fault | None:
    """What an answer is, if it is not what was asked for: another status, or a page by something between us."""
    kind = response.content_type
    if response.status in (200, 201) and not kind.startswith("text/"):
        return None
    body = await _beginning(response)
    status = status_of(body)
    if status is None or not (status.code or status.message or status.reason):
        excerpt = " ".join(body.decode(errors="replace").split())[:EXCERPT]
        status = Status(message=f"{server} answered {kind}: {excerpt}" if excerpt else "")
    if response.status == 401:  # its own words are "Unauthorized" and no more
        status = replace(status, message=f"{server} refused our credentials: renew the token or certificate")
    if response.status == 403 and status.message:
        status = replace(status, message=f"{status.message} (`event-bridge check` prints what to grant)")
    header = _seconds(response.headers.get("Retry-After", ""))
    return fault_of(replace(status, code=response.status), phase, Kind.HTTP, header=header)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """As much of an error's body as can be had: the status alone says enough."""
    body = bytearray()
    with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
        async with asyncio.timeout(BODY):
            while len(body) < ERROR_CAP and (chunk := await response.content.read(ERROR_CAP)):
                body += chunk
    return bytes(body[:ERROR_CAP])


def said(body: bytes, phase: Phase) -> Fault | None:
    """The fault that a Status in the *body* of an answer with status 200 tells of."""
    status = status_of(body)
    if status is None or status.kind != "Status" or not status.code:
        return None
    return fault_of(status, phase, Kind.HTTP)


def _seconds(header: str) -> float:
    """A Retry-After: seconds, or a date."""
    if header.strip().isdecimal():
        return float(header)
    try:
        at = email.utils.parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=dt.UTC)
    return max(0.0, (at - dt.datetime.now(dt.UTC)).total_seconds())
