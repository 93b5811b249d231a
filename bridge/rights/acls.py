"""Rights in Kafka as commands of its own tool, and as a KafkaUser of the Strimzi operator."""

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from bridge.config.tree import Config
from bridge.rights.kafka import Right, Thing, principal
from bridge.rights.text import comment, scalar, word

NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
"""What Kubernetes takes for a KafkaUser."""
STRIMZI = {"topic": "topic", "group": "group", "transactional-id": "transactionalId"}
EVERYTHING = "*"
"""Kafka's name for all topics: it knows no empty prefix."""


class Target(Struct, frozen=True):
    """Whom commands allow, at which brokers. *settings* is a file for the tool's own login, empty: none."""

    servers: str
    principal: str
    settings: str = ""


def target(config: Config, whom: str | None = None, settings: str = "") -> Target:
    """*whom* is asked for first; then whom the brokers take the bridge for."""
    return Target(",".join(config.kafka.bootstrap_servers), whom or principal(config) or "User:NAME", settings)


def commands(rights: Iterable[Right], target: Target) -> list[str]:
    """A command for each thing, with all its operations."""
    return [_command(thing, list(group), target) for thing, group in groupby(rights, lambda right: right.thing)]


def script(rights: Sequence[Right], target: Target, head: str) -> str:
    """Commands for a shell, each below what it is for; *head* is a comment above them."""
    parts = [comment(head)]
    for thing, group in groupby(rights, lambda right: right.thing):
        mine = list(group)
        parts.append(f"{comment(_why(thing, mine))}\n{_command(thing, mine, target)}")
    return "\n\n".join(parts) + "\n"


def _command(thing: Thing, rights: Iterable[Right], target: Target) -> str:
    settings = f" --command-config {word(target.settings)}" if target.settings else ""
    operations = " ".join(f"--operation {right.operation}" for right in rights)
    name, prefixed = _named(thing)
    pattern = " --resource-pattern-type prefixed" if prefixed else ""
    return (
        f"kafka-acls.sh --bootstrap-server {word(target.servers)}{settings} --add"
        f" --allow-principal {word(target.principal)} {operations} --{thing.kind} {word(name)}{pattern}"
    )


def _named(thing: Thing) -> tuple[str, bool]:
    """The name in the rule, and whether it is a prefix."""
    pattern = thing.pattern
    return (pattern.name, pattern.prefixed) if pattern.name else (EVERYTHING, False)


def user(rights: Sequence[Right], name: str, cluster: str, login: str, head: str) -> str:
    """A KafkaUser called *name* of the Kafka resource *cluster*; *login* is its way to authenticate, empty: its own."""
    rules = "".join(_entry(thing, list(group)) for thing, group in groupby(rights, lambda right: right.thing))
    authentication = f"  authentication:\n    type: {login}\n" if login else ""
    return (
        f"{comment(head)}\n"
        "apiVersion: kafka.strimzi.io/v1 # v1beta2 before Strimzi 0.49\n"
        f"kind: KafkaUser\nmetadata:\n  name: {scalar(name)}\n"
        f"  labels:\n    strimzi.io/cluster: {scalar(cluster)}\n"
        f"spec:\n{authentication}  authorization:\n    type: simple\n    acls:\n{rules}"
    )


def _entry(thing: Thing, rights: list[Right]) -> str:
    name, prefixed = _named(thing)
    why = comment(_why(thing, rights), "      ")
    return (
        f"{why}\n      - resource:\n          type: {STRIMZI[thing.kind]}\n          name: {scalar(name)}\n"
        f"          patternType: {'prefix' if prefixed else 'literal'}\n"
        f"        operations: [{', '.join(right.operation for right in rights)}]\n"
    )


def _why(thing: Thing, rights: Iterable[Right]) -> str:
    lines = [thing.words if thing.pattern.name else f"{thing.words}: {UNBOUND}"]
    lines += [f"  {right.operation}: {right.why}{'' if right.needed else ' (it runs without)'}" for right in rights]
    return "\n".join(lines)


UNBOUND = "the name begins with a placeholder. Begin it with a fixed part, and the rule is of those topics alone"
