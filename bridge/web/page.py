"""The status page: one document, with its style and its script inside, and the policy that lets nothing else run."""

import base64
import hashlib
from pathlib import Path

from msgspec import Struct

_FOLDER = Path(__file__).parent


class Page(Struct, frozen=True):
    """*policy*: the Content-Security-Policy that goes with it. It may ask the bridge, and nobody else."""

    html: str
    policy: str


def page() -> Page:
    style, script = _text("page.css"), _text("page.js")
    html = _text("page.html").replace("/* page.css */", style).replace("/* page.js */", script)
    policy = (
        "default-src 'none'",
        f"style-src '{_digest(style)}'",
        f"script-src '{_digest(script)}'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return Page(html, "; ".join(policy))


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
