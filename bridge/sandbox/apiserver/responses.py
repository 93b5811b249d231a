"""Answers as they go out: documents in the form that was asked for, refusals, and what a script says instead."""

import asyncio
import gzip

import msgspec
from aiohttp import web

from bridge.sandbox.apiserver.addresses import Address
from bridge.sandbox.apiserver.refusals import Object, RefusalError
from bridge.sandbox.apiserver.replies import End, Stream
from bridge.sandbox.apiserver.scales import scale
from bridge.sandbox.apiserver.views import View, view

JSON = "application/json"
BIG = 128 << 10
"""Bytes of an answer from which it is compressed for who can read that (responsewriters/writers.go)."""


def shown(request: web.Request, asked: Address, body: Object, status: int = 200) -> web.Response:
    if asked.subresource == "scale":
        return document(request, scale(body), status)
    return document(request, viewed(request).one(asked.resource, body), status)


def viewed(request: web.Request) -> View:
    return view(request.headers.get("Accept", ""), request.query.get("includeObject", ""))


def document(request: web.Request, body: object, status: int = 200, kind: str = JSON) -> web.Response:
    data = msgspec.json.encode(body)
    headers = {"Content-Type": kind}
    if len(data) > BIG and "gzip" in request.headers.get("Accept-Encoding", ""):
        data, headers["Content-Encoding"] = gzip.compress(data, 1), "gzip"
    return web.Response(status=status, body=data, headers=headers)


def refusal(request: web.Request, error: RefusalError) -> web.Response:
    response = document(request, error.status, error.code)
    if seconds := error.status.get("details", {}).get("retryAfterSeconds"):
        response.headers["Retry-After"] = str(seconds)
    return response


async def streamed(request: web.Request, reply: Stream) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": JSON} | dict(reply.headers))
    await response.prepare(request)
    for step in reply.steps:
        match step:
            case bytes():
                await response.write(step)
            case End.SILENCE:
                await asyncio.Event().wait()
            case End.CUT:
                cut(request)
                break
            case seconds:
                await asyncio.sleep(seconds)
    return response


def cut(request: web.Request) -> None:
    """What was written still arrives, then the connection ends where the answer does not."""
    if request.transport is not None:
        request.transport.close()
