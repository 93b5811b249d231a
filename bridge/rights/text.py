"""Texts as YAML and as a shell reads them."""

import json
import re
import shlex

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
_WORDS = ("true", "false", "yes", "no", "on", "off", "y", "n", "null")
"""YAML 1.1 takes these for something else than text, whatever their case."""


def scalar(text: str) -> str:
    """A text in YAML, in quotes only where it needs them."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text)


def word(text: str) -> str:
    """A text in a command line, the same."""
    return shlex.quote(text)


def comment(text: str, indent: str = "") -> str:
    """Whatever *text* holds, it stays a comment."""
    return "\n".join(f"{indent}# {line}".rstrip() for line in text.splitlines())
