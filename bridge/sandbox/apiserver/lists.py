"""A LIST: all at one version, or page by page, each page of the same moment as long as the history reaches back."""

import base64
import binascii
from bisect import bisect_left

import msgspec
from msgspec import Struct

from bridge.sandbox.apiserver import refusals
from bridge.sandbox.apiserver.options import Options
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Resource
from bridge.sandbox.apiserver.selectors import selects
from bridge.sandbox.apiserver.store import Store

FRESH = 3.0
"""Seconds that a version which was not handed out yet is waited for (watch_cache.go)."""

INCONSISTENT = -1
"""The version in the token that goes on with whatever is there now (storage/continue.go)."""


class Listed(Struct, frozen=True):
    items: list[Object]
    metadata: Object


class _Token(Struct, frozen=True):
    """Of the real server's making: the version, and the key at which to go on."""

    v: str
    rv: int
    start: str


async def listed(store: Store, resource: Resource, namespace: str, options: Options) -> Listed:
    token = _read(options.token) if options.token else None
    if token is not None and options.version:
        raise refusals.bad_request("specifying resource version is not allowed when using continue")
    wanted = options.version or 0
    if not await store.reaches(wanted, FRESH):
        raise refusals.too_large(wanted, store.version, resource.cached)
    version = _version(store, resource, options, token)
    objects = store.at(resource.storage, version) if version < store.version else store.all(resource.storage)
    prefix = resource.key(namespace, "") if namespace else ""
    test = selects(resource, options.labels, options.fields)
    found = [(key, body) for key, body in objects if key.startswith(prefix) and test(body)]
    if token is not None:
        found = found[bisect_left(found, prefix + token.start, key=lambda item: item[0]) :]
    unlimited = options.limit == 0 or (options.version == 0 and resource.cached)
    limit = len(found) if unlimited else options.limit
    return _page(found, prefix, version, limit, exact=not (options.labels or options.fields))


def _page(found: list[tuple[str, Object]], prefix: str, version: int, limit: int, *, exact: bool) -> Listed:
    """The first *limit* of what was *found*; how many are left is said where it is *exact*."""
    items = [body for _, body in found[:limit]]
    metadata: Object = {"resourceVersion": str(version)}
    if limit < len(found):
        metadata["continue"] = _write(_Token("meta.k8s.io/v1", version, found[limit - 1][0][len(prefix) :] + "\0"))
        if exact:
            metadata["remainingItemCount"] = len(found) - limit
    return Listed(items, metadata)


def _version(store: Store, resource: Resource, options: Options, token: _Token | None) -> int:
    """The moment that is listed."""
    oldest = store.forgotten if resource.cached else store.compacted
    if token is not None:
        if token.rv == INCONSISTENT:
            return store.version
        if token.rv < oldest:
            raise refusals.continue_too_old(_write(msgspec.structs.replace(token, rv=INCONSISTENT)))
        return token.rv
    is_exact = options.match == "Exact" or (options.limit and not options.match)  # as before there was a match
    if is_exact and options.version:
        if options.version < oldest:
            raise refusals.too_old("list")
        return options.version
    return store.version


def _write(token: _Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).rstrip(b"=").decode()


def _read(text: str) -> _Token:
    try:
        return _decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise refusals.bad_request("invalid continue token: continue key is not valid") from None


_decode = msgspec.json.Decoder(_Token).decode
