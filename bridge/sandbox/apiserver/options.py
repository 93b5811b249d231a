"""What a list or a watch was asked for: the query, checked as the server checks it (internalversion/validation.go)."""

import random
import re
from collections.abc import Mapping

from msgspec import Struct

from bridge.sandbox.apiserver.refusals import bad_option, bad_request, failure

TIMEOUT = (1800.0, 3600.0)
"""Seconds that a watch lasts if nothing is said: `--min-request-timeout` up to twice of it (handlers/get.go)."""


class Options(Struct, frozen=True):
    """*version* is None where none was given: the newest is wanted then. *initial* is None where nothing was said."""

    labels: str
    fields: str
    limit: int
    token: str
    version: int | None
    match: str
    watch: bool
    bookmarks: bool
    initial: bool | None
    timeout: float

    @property
    def is_any(self) -> bool:
        """Whatever is there will do, which for a watch means: objects first."""
        return self.version in (None, 0)


def options(query: Mapping[str, str]) -> Options:
    watch = _is_true(query.get("watch", ""))
    version, match = query.get("resourceVersion", ""), query.get("resourceVersionMatch", "")
    initial = _is_true(query["sendInitialEvents"]) if query.get("sendInitialEvents") else None
    _check(watch, version, match, initial)
    seconds = _number(query, "timeoutSeconds")
    return Options(
        labels=query.get("labelSelector", ""),
        fields=query.get("fieldSelector", ""),
        limit=max(0, _number(query, "limit")),
        token=query.get("continue", ""),
        version=_version(version, watch=watch) if version else None,
        match=match,
        watch=watch,
        bookmarks=_is_true(query.get("allowWatchBookmarks", "")),
        initial=initial,
        timeout=seconds or random.uniform(*TIMEOUT),  # noqa: S311  # spreads load, no secret
    )


def _check(watch: bool, version: str, match: str, initial: bool | None) -> None:
    if initial is not None and not watch:
        raise bad_option("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if watch and initial is not None and match != "NotOlderThan":
        problem = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise bad_option("resourceVersionMatch", problem)
    if watch and initial is None and match:
        problem = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        raise bad_option("resourceVersionMatch", problem)
    if not watch and match and not version:
        problem = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise bad_option("resourceVersionMatch", problem)
    if match not in ("", "Exact", "NotOlderThan"):
        problem = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        raise bad_option("resourceVersionMatch", problem)


def _version(text: str, *, watch: bool) -> int:
    if re.fullmatch(r"[0-9]+", text):
        return int(text)
    problem = f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax'
    raise failure(500, "", problem) if watch else bad_request(f"invalid resource version: {problem}")


def _number(query: Mapping[str, str], name: str) -> int:
    text = query.get(name, "") or "0"
    if not re.fullmatch(r"[-+]?[0-9]+", text):
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "true")
