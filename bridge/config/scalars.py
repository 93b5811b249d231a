"""One value, read as its field wants it. YAML's guesses (`on`, `12:30`, `0x10`) are named to the person, not taken."""

import difflib
import re
from typing import Any

from msgspec import inspect

from bridge.config.fields import Kind, text_of
from bridge.config.problem import Misread
from bridge.config.references import Scalar
from bridge.config.secret import Secret
from bridge.config.units import duration, size

_TRUE = ("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON")
_FALSE = ("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF")
_INTEGER = r"[-+]?(0|[1-9][0-9]{0,17})"
_ALIKE = 0.6


def read_scalar(scalar: Scalar, kind: Kind) -> Any:  # noqa: ANN401 -- of the field's type
    """The value, or `Misread`. Null is only for fields that may be unset."""
    if scalar.kind == "empty":
        if kind.optional:
            return None
        raise Misread("is empty", "Write a value, or remove the line if it has a default.")
    match kind.type:
        case inspect.FloatType() | inspect.IntType():
            return _bounded(_in_unit(scalar, kind) if kind.unit else _integer(scalar), scalar, kind)
        case inspect.BoolType():
            return _boolean(scalar)
        case inspect.LiteralType(values=values):
            return _one_of(scalar, [str(value) for value in values])
        case inspect.CustomType():
            return _secret(scalar)
        case inspect.StrType():
            return _text(scalar, kind.type, kind.notes.get("shape", ""))
        case other:
            raise AssertionError(f"no field of the tree is of type {other}")


def read_setting(scalar: Scalar) -> str:
    """A setting of Kafka's is text there, whatever YAML takes it for."""
    match scalar.kind:
        case "empty":
            raise Misread("is empty", 'Write a value; for an empty text write "".')
        case "true or false":
            return "true" if scalar.text in _TRUE else "false"
        case _:
            return scalar.text


def _in_unit(scalar: Scalar, kind: Kind) -> float:
    read = duration if kind.unit == "duration" else size
    try:
        return read(scalar.text.strip())
    except Misread as misread:
        raise Misread(f"{scalar.shown}: {misread.what}", _unless_hidden(misread.mend, scalar, kind)) from None


def _unless_hidden(mend: str, scalar: Scalar, kind: Kind) -> str:
    return f"Write a {kind.unit} there, for example {kind.examples[0]}." if scalar.source else mend


def _bounded(number: float, scalar: Scalar, kind: Kind) -> float:
    assert isinstance(kind.type, inspect.IntType | inspect.FloatType)
    least, most = kind.type.ge, kind.type.le
    assert least is not None
    assert most is not None
    if least <= number <= most:
        return number
    wrong = "too small" if number < least else "too large"
    between = f"Write a value from {text_of(least, kind)} to {text_of(most, kind)}."
    raise Misread(f"{scalar.shown} is {wrong}", between)


def _integer(scalar: Scalar) -> int:
    text = scalar.text.strip()
    if scalar.kind == "text" and not scalar.source and re.fullmatch(_INTEGER, text):
        raise Misread(f"must be a whole number, but {scalar.shown} is text", "Remove the quotes.")
    if not re.fullmatch(_INTEGER, text):
        raise Misread(f"{scalar.shown} is not a whole number", "Write plain digits, for example 12.")
    return int(text)


def _boolean(scalar: Scalar) -> bool:
    text = scalar.text.strip()
    if scalar.kind == "text" and not scalar.source and text in _TRUE + _FALSE:
        raise Misread(f"must be true or false, but {scalar.shown} is text", "Remove the quotes.")
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Misread(f"{scalar.shown} is neither true nor false", "Write true or false.")


def _one_of(scalar: Scalar, values: list[str]) -> str:
    if scalar.text in values:
        return scalar.text
    near = [] if scalar.source else nearest(scalar.text, values)
    mend = f"Did you mean {near[0]}? Possible are" if near else "Possible are"
    raise Misread(f"{scalar.shown} is not possible here", f"{mend} {', '.join(values)}.")


def nearest(text: str, values: list[str]) -> list[str]:
    """At most one, whatever its case."""
    by_fold = {value.casefold(): value for value in values}
    return [by_fold[near] for near in difflib.get_close_matches(text[:100].casefold(), by_fold, 1, _ALIKE)]


def _secret(scalar: Scalar) -> Secret:
    if scalar.kind != "text":
        raise Misread(f"must be text, but YAML takes it for {scalar.kind}", "Put it in quotes.")
    if not scalar.text:
        where = f": {scalar.shown} holds nothing" if scalar.source else ""
        raise Misread(f"is empty{where}", "Write it, or take it from ${NAME} or {file: path}.")
    return Secret(scalar.text, scalar.file)


def _text(scalar: Scalar, kind: inspect.StrType, shape: str) -> str:
    what, _, mend = shape.partition(". ")
    if scalar.kind != "text":
        quoted = f'Quote it: "{scalar.bare}".' if _fits(scalar.text, kind) else f"{mend}."
        raise Misread(f"must be text, but YAML takes {scalar.bare} for {scalar.kind}", quoted)
    if not scalar.text:
        where = f": {scalar.shown} holds nothing" if scalar.source else ""
        raise Misread(f"is empty{where}", "Write a value, or remove the line if it has a default.")
    if _fits(scalar.text, kind):
        return scalar.text
    assert what
    raise Misread(f"{scalar.shown} is not {what}", f"{mend}.")


def _fits(text: str, kind: inspect.StrType) -> bool:
    short = kind.max_length is None or len(text) <= kind.max_length
    return short and (kind.pattern is None or re.fullmatch(kind.pattern, text) is not None)
