"""The topic of a watch as the file tells it: what is known of the name before anything runs."""

import re
from collections.abc import Iterator

from bridge.config.kafka import LONGEST_TOPIC
from bridge.config.problem import Misread
from bridge.config.scalars import nearest
from bridge.config.watch import PLACEHOLDERS

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9._-]")
_LEGAL = "Use letters, digits, '.', '_' and '-'."


def template_problems(template: str) -> Iterator[Misread]:
    """What is wrong with the text as it stands."""
    for name in _PLACEHOLDER.findall(template):
        if name in PLACEHOLDERS:
            continue
        near = nearest(name, list(PLACEHOLDERS))
        mend = f"Did you mean {{{near[0]}}}?" if near else "Possible are " + _listed() + "."
        yield Misread(f"{{{repr(name[:60])[1:-1]}}} is not a placeholder", mend)
    if illegal := _ILLEGAL.search(_PLACEHOLDER.sub("", template)):
        hint = f" Placeholders are {_listed()}." if illegal[0] in "{}" else ""
        yield Misread(f"a topic name cannot hold {illegal[0]!r}", _LEGAL + hint)
    if template in {".", ".."}:
        yield Misread(f"Kafka does not take {template} as a topic name", "Give it another.")


def known_topic(template: str, namespace: str | None, cluster: str | None) -> str | None:
    """The topic's name; None: it depends on what the API server says."""
    filled = _fill(template, namespace, cluster)
    return None if _PLACEHOLDER.search(filled) else filled


def name_problems(template: str, namespaces: tuple[str, ...], cluster: str | None) -> Iterator[Misread]:
    """What is wrong with the name that it will become, whatever the resource turns out to be."""
    if cluster and "{cluster}" in template and (illegal := _ILLEGAL.search(cluster)):
        yield Misread(f"{{cluster}} puts {illegal[0]!r} into the topic name", f"{_LEGAL} Change cluster, or the topic.")
    longest = max(namespaces, key=len, default=None)
    shortest = _PLACEHOLDER.sub("", _fill(template, longest, cluster))
    if len(shortest) > LONGEST_TOPIC:
        what = f"becomes a topic name of {len(shortest)} characters or more"
        yield Misread(what, f"Kafka takes {LONGEST_TOPIC} at most.")


def _fill(template: str, namespace: str | None, cluster: str | None) -> str:
    known = {"namespace": namespace, "cluster": cluster}
    return _PLACEHOLDER.sub(lambda match: known.get(match[1]) or match[0], template)


def _listed() -> str:
    return " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
