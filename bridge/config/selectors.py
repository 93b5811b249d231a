"""Selectors in Kubernetes' grammar: what the API server would refuse is told when the file is read, not when it runs.

Which fields a resource can be selected by is for the API server to say. The text is never shown: it may come from
elsewhere.
"""

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\s*(?:([=!]=|[=!(),<>])|([^\s=!(),<>]+))")
"""The lexer of labels/selector.go: signs, or a run of anything else but spaces."""
_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"(?=.{1,253}/)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/")
_NUMBER = re.compile(r"[0-9]{1,18}")
_END = ""
_IN = ("in", "notin")


class _Wrong(Exception):  # noqa: N818 - what is wrong
    """Says what."""


def label_problem(selector: str) -> str:
    """Empty: there is none."""
    try:
        _Requirements(selector).read()
    except _Wrong as wrong:
        return str(wrong)
    return ""


def field_problem(selector: str) -> str:
    """Empty: there is none (fields/selector.go)."""
    for term in re.split(r"(?<!\\)(?:\\\\)*,", selector):
        if not term:
            continue
        found = re.search(r"!=|==|=", term)
        if found is None:
            return "each part of it must compare a field with a value"
        value = re.sub(r"\\[\\,=]", "", term[found.end() :])
        if "=" in value:
            return "a value holds '='. Write it as \\="
        if "\\" in value:
            return "a '\\' stands before something else than '\\', ',' or '='"
    return ""


class _Requirements:
    """Owns the place in the text."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def read(self) -> None:
        if self._next == _END:
            return
        self._requirement()
        while self._take() == ",":
            if self._next in (_END, ","):
                raise _Wrong("a comma is not followed by a requirement")
            self._requirement()
        if self._at <= len(self._tokens):
            raise _Wrong("requirements must be separated by commas")

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def _requirement(self) -> None:
        absent = self._next == "!"
        if absent:
            self._take()
        _assert_key(self._take())
        if absent or self._next in (_END, ","):
            return
        operator = self._take()
        if operator in _IN:
            self._values(operator)
        elif operator in ("<", ">"):
            if not _NUMBER.fullmatch(self._take()):
                raise _Wrong(f"'{operator}' needs a whole number")
        elif operator in ("=", "==", "!="):
            if self._next not in (_END, ","):
                _assert_value(self._take())
        else:
            raise _Wrong("a label is not followed by =, !=, in, notin, < or >")

    def _values(self, operator: str) -> None:
        if self._take() != "(":
            raise _Wrong(f"'{operator}' needs values in parentheses")
        while True:
            if self._next not in (",", ")", _END):
                _assert_value(self._take())
            match self._take():
                case ",":
                    continue
                case ")":
                    return
                case _:
                    raise _Wrong(f"the values of '{operator}' must be separated by commas and end with ')'")


def _tokens(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text.rstrip()):
        yield found[1] or found[2]


def _assert_key(token: str) -> None:
    prefix = _PREFIX.match(token)
    if not _NAME.fullmatch(token, prefix.end() if prefix else 0):
        raise _Wrong("a label's name is not one that a label can have")


def _assert_value(token: str) -> None:
    if not _NAME.fullmatch(token):
        raise _Wrong("a value is not one that a label can have")
