"""What can be known of the page without a browser: its policy is that of its parts, and its colours can be read."""

import base64
import hashlib
import re

import pytest

from bridge.web.page import page

PAIRS = [
    *(("text", "card"), ("text", "ground"), ("quiet", "card"), ("quiet", "ground"), ("quiet", "raised")),
    *(("quiet", "track"), ("accent", "ground"), ("text", "warn-soft"), ("text", "bad-soft")),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "calm")),
]
"""Which text stands on which ground."""
READABLE = 4.5
"""WCAG 2.2, level AA."""


def colours() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\n *\}", page().html, re.DOTALL)
    return {
        name: dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", text))
        for name, text in (("light", light), ("dark", dark))
    }


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(scheme: str) -> None:
    """By tired eyes, and on a projector."""
    known = colours()[scheme]
    found = {}
    for text, ground in PAIRS:
        low, high = sorted((brightness(known[text]), brightness(known[ground])))
        found[text, ground] = round((high + 0.05) / (low + 0.05), 2)

    assert {pair: contrast for pair, contrast in found.items() if contrast < READABLE} == {}


def test_the_policy_is_that_of_the_parts() -> None:
    """A hash that is not the script's would leave the page empty; one that is too many would let others in."""
    found = page()
    parts = {
        kind: re.findall(f"<{tag}>(.*?)</{tag}>", found.html, re.DOTALL)
        for kind, tag in (("style-src", "style"), ("script-src", "script"))
    }

    for kind, texts in parts.items():
        (text,) = texts
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in found.policy
    assert "unsafe" not in found.policy


def test_the_page_needs_nobody_else() -> None:
    """Clusters have no way out, and people's addresses are nobody's business."""
    addresses = re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?([a-z]+:[^\"' )]+)", page().html)

    assert [address for address in addresses if not address.startswith("data:")] == []
    assert re.findall(r" style=| on[a-z]+=", page().html) == []
