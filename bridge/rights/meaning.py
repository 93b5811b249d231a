"""What a watch's resource is, as far as it can be told without an API server, and which topics a template may name."""

import re
from collections.abc import Mapping

from msgspec import Struct

from bridge.model.resource import Resource
from bridge.rights.builtin import BUILT_IN
from bridge.sink.route import CLUSTER_SCOPED, CORE, legal

_VERSION = re.compile(r"v[0-9]+((alpha|beta)[0-9]+)?")
_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


class Meant(Struct, frozen=True):
    """A resource, as rights name it. *version* and *namespaced* are None where only an API server could tell.

    *doubt* says why it may be another one; empty if an API server or the table of the built-in ones says so.
    """

    group: str
    plural: str
    version: str | None = None
    namespaced: bool | None = None
    doubt: str = ""

    @property
    def name(self) -> str:
        """As kubectl writes it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def meant(resource: Resource) -> Meant:
    return Meant(resource.group, resource.plural, resource.version, resource.namespaced)


def read(name: str) -> Meant | None:
    """What *name* means where nobody can be asked: a built-in resource, else a plural with its group. None: unknown.

    By kubectl's rules (restmapper.go): plurals before singulars before short names, `resource.version.group` before
    `resource.group`, and a group may be cut short.
    """
    word, _, rest = name.lower().partition(".")
    first, _, after = rest.partition(".")
    version, group = (first, after) if _VERSION.fullmatch(first) else (None, rest)
    built_in = _built_in(word, group, is_core=version is not None and not group)
    if built_in is not None:
        return Meant(built_in.group, built_in.plural, version or built_in.version, built_in.namespaced)
    if not group:
        return None
    return Meant(group, word, version, doubt=f"no API server was asked: {word} is taken for the plural's name")


def _built_in(word: str, group: str, *, is_core: bool) -> Resource | None:
    candidates = [each for each in BUILT_IN if each[0].group.startswith(group) and not (is_core and each[0].group)]
    exact = [each for each in candidates if each[0].group == group] if group else []
    for known in (
        lambda resource, _: word == resource.plural,
        lambda resource, _: word == resource.kind.lower(),
        lambda _, short: word in short,
    ):
        for resource, short in exact or candidates:
            if known(resource, short):
                return resource
    return None


class Pattern(Struct, frozen=True):
    """Topics: the one of that *name*, or, *prefixed*, all whose names begin so. The empty prefix is of all topics."""

    name: str
    prefixed: bool = False

    def covers(self, other: "Pattern") -> bool:
        if not self.prefixed:
            return self == other
        return other.name.startswith(self.name)

    @property
    def words(self) -> str:
        if not self.prefixed:
            return f"topic {self.name}"
        return f"topics that begin with {self.name}" if self.name else "all topics"


def topics_of(template: str, meaning: Meant | None, namespace: str | None, cluster: str | None) -> Pattern:
    """The topics that *template* may name. What only an object or an API server can tell ends the known part."""
    known: dict[str, str | None] = {"cluster": cluster, "namespace": namespace}
    if meaning is not None:
        known |= {"resource": meaning.name, "group": meaning.group or CORE, "version": meaning.version}
        if meaning.doubt:
            known["resource"] = None
        if meaning.namespaced is False:
            known["namespace"] = CLUSTER_SCOPED
    return _known_part(template, known)


def _known_part(template: str, known: Mapping[str, str | None]) -> Pattern:
    name, end = "", 0
    for found in _PLACEHOLDER.finditer(template):
        name += template[end : found.start()]
        value = known.get(found[1])
        if value is None:
            return Pattern(name, prefixed=True)
        name, end = name + legal(value), found.end()
    return Pattern(name + template[end:])
