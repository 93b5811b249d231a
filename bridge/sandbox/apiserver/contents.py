"""What a request carries besides its path: an object, who writes it, how to delete, and whether it is meant at all."""

import msgspec
from aiohttp import web
from msgspec import Struct

from bridge.sandbox.apiserver import protobuf, refusals, writes
from bridge.sandbox.apiserver.addresses import Address
from bridge.sandbox.apiserver.objects import Author
from bridge.sandbox.apiserver.refusals import Object

NOTHING: Object = {}
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}
"""By verb, what the query's options are called in refusals; all others delete."""


class Deletion(Struct, frozen=True, rename="camel"):
    """DeleteOptions, as far as they are kept to."""

    dry_run: list[str] | None = None
    preconditions: Object | None = None


def author(request: web.Request, asked: Address) -> Author:
    agent = request.headers.get("User-Agent", "unknown").partition("/")[0]
    return Author(request.query.get("fieldManager") or agent, subresource=asked.subresource)


def content(request: web.Request, asked: Address, body: bytes) -> object:
    if request.content_type == protobuf.MEDIA:
        return protobuf.decoded(body)
    return writes.decoded(asked.resource, body)


def deletion(request: web.Request, body: bytes) -> Deletion:
    """Where there is a body the query is not looked at (handlers/delete.go): `?dryRun=All` and `{}` really deletes."""
    if not body:
        return Deletion(request.query.getall("dryRun", []))
    try:
        if request.content_type == protobuf.MEDIA:
            return msgspec.convert(protobuf.decoded(body), Deletion)
        return msgspec.json.decode(body, type=Deletion)
    except msgspec.MsgspecError as error:
        raise refusals.bad_request(str(error)) from None


def is_rehearsed(request: web.Request, verb: str, body: bytes) -> bool:
    """Whether it is a dry run: all is done but the writing."""
    kind = _OPTIONS.get(verb)
    wanted = request.query.getall("dryRun", []) if kind else deletion(request, body).dry_run
    if not wanted:
        return False
    if set(wanted) != {"All"}:
        said = msgspec.json.encode(wanted).decode()
        problem = f'Unsupported value: {said}: supported values: "All"'
        raise refusals.bad_option("dryRun", problem, kind or "DeleteOptions")
    return True
