"""What is different between two configurations, and what a running bridge can take up of it."""

import enum
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from bridge.config.fields import fields, root
from bridge.config.secret import Secret
from bridge.config.streams import StreamSpec, streams
from bridge.config.tree import Config


class Rule(enum.Enum):
    """What a change of a field means to a bridge that runs."""

    TAKEN_UP = "taken up"
    BY_STREAMS = "streams are added, removed and changed"
    RESTART = "needs a restart"


RULES: Mapping[str, Rule] = {
    "name": Rule.RESTART,
    "cluster": Rule.RESTART,
    "kubernetes": Rule.RESTART,
    "kafka": Rule.RESTART,
    "topics": Rule.TAKEN_UP,
    "checkpoints": Rule.RESTART,
    "standalone": Rule.RESTART,
    "group": Rule.RESTART,
    "buffer": Rule.TAKEN_UP,
    "progressInterval": Rule.TAKEN_UP,
    "verifyInterval": Rule.TAKEN_UP,
    "watches": Rule.BY_STREAMS,
    "http": Rule.RESTART,
    "log": Rule.TAKEN_UP,
}
"""Of the fields at the top, each for all that is in it."""


class Difference(Struct, frozen=True):
    """Fields by their paths, streams by their names; in the order of the new file, what is gone in that of the old.

    *restart*: these need a new process; if there are any, nothing may be taken up.
    """

    restart: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


NOTHING = Difference()


def compare(old: Config, new: Config) -> Difference:
    paths = list(_paths(old, new))
    before, after = _by_name(streams(old)), _by_name(streams(new))
    return Difference(
        restart=tuple(path for path in paths if rule_of(path) is Rule.RESTART),
        settings=tuple(path for path in paths if rule_of(path) is Rule.TAKEN_UP),
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and not alike(before[name], after[name])),
    )


def alike(one: StreamSpec, other: StreamSpec) -> bool:
    """Whether a stream that runs as *one* says is what *other* wants: the rest of a list of namespaces is no matter."""
    return _definition(one) == _definition(other)


def rule_of(path: str) -> Rule:
    """Of a field, however deep it lies."""
    return RULES[path.partition(".")[0]]


def _definition(spec: StreamSpec) -> StreamSpec:
    return replace(spec, watch=replace(spec.watch, name=None, namespaces=()))


def _by_name(specs: Iterable[StreamSpec]) -> dict[str, StreamSpec]:
    return {spec.name: spec for spec in specs}


def _paths(old: Config, new: Config) -> Iterator[str]:
    """Of all fields that differ, but for those of watches, which are compared as streams."""
    for field in fields(root()):
        if RULES[field.name] is not Rule.BY_STREAMS:
            yield from _differ(getattr(old, field.attribute), getattr(new, field.attribute), field.name)


def _differ(old: object, new: object, path: str) -> Iterator[str]:
    if isinstance(old, Struct) and type(old) is type(new):
        for name, attribute in zip(old.__struct_encode_fields__, old.__struct_fields__, strict=True):
            yield from _differ(getattr(old, attribute), getattr(new, attribute), f"{path}.{name}")
    elif not _same(old, new):
        yield path


def _same(old: object, new: object) -> bool:
    """A secret from a file is the file: what is in it is read anew whenever it is needed."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        return len(old) == len(new) and all(map(_same, old, new))
    if isinstance(old, Secret) and isinstance(new, Secret) and (old.file or new.file):
        return old.file == new.file
    return old == new
