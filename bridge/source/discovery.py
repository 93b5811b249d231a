"""The resource that a name means, as kubectl takes it: `pods`, `po`, `Pod`, `deploy.apps`, `widgets.v1.example.com`.

The kind comes from discovery, never from a list's kind: a custom resource may call its list anything.
"""

import difflib

import msgspec
from msgspec import Struct, field

from bridge.model.resource import Resource
from bridge.source.faults import Fault, Kind, Phase
from bridge.source.frames import UNREADABLE
from bridge.source.session import Session

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
"""All groups in one document, since 1.30 (KEP-3352); a server that has it not answers the plain list of groups."""
NEEDED = ("list", "watch")
CLOSE = 3
"""Names that are suggested for one that does not exist."""
ALIKE = 0.75
"""How alike they must be: `evnets` may be `events`, and hardly `secrets` (0.61)."""


class Found(Struct, frozen=True):
    """*others* are further resources of that name, which kubectl would pass over as well."""

    resource: Resource
    verbs: tuple[str, ...]
    others: tuple[str, ...] = ()


class NotFound(Struct, frozen=True):
    """No resource of that name, or none that can be watched; *message* says which, and what to write instead."""

    message: str


class _Offer(Struct, frozen=True):
    """One resource in one version. Offers are in kubectl's order: the core group first, preferred versions first."""

    resource: Resource
    singular: str
    short: tuple[str, ...]
    verbs: tuple[str, ...]


async def find(session: Session, name: str) -> Found | NotFound | Fault:
    """The resource that *name* means on this server."""
    offers = await _offers(session)
    if isinstance(offers, Fault):
        return offers
    matches = _matches(name, offers)
    if not matches:
        return NotFound(_missing(name, offers, session.server))
    first = matches[0]
    resource = first.resource
    lacking = [verb for verb in NEEDED if verb not in first.verbs]
    if lacking:
        can = ", ".join(first.verbs) or "nothing"
        return NotFound(f"{resource.name} cannot be watched: the server offers {can}, but not {' and '.join(lacking)}")
    others = dict.fromkeys(match.resource.name for match in matches if match.resource.group != resource.group)
    return Found(resource, first.verbs, tuple(others))


async def exists(session: Session, resource: Resource) -> bool | None:
    """Whether the server serves *resource* now; None if it could not be told.

    "No" needs a document of discovery that lacks it: anything between us and the server may answer 404, to all paths.
    """
    body = await session.get(resource.root, [])
    if isinstance(body, Fault):
        return await _is_offered(session, resource) if body.status == 404 else None
    try:
        return any(entry.name == resource.plural for entry in _plain(body).resources)
    except UNREADABLE:
        return None


async def _is_offered(session: Session, resource: Resource) -> bool | None:
    """By the server's account of everything; None where that contradicts the 404 of its group, or is none."""
    offers = await _offers(session)
    if isinstance(offers, Fault) or not offers:
        return None
    return None if any(offer.resource == resource for offer in offers) else False


def _matches(name: str, offers: list[_Offer]) -> list[_Offer]:
    """All that *name* may mean, best first, by kubectl's rules (restmapper.go, shortcut.go).

    `resource.version.group` before `resource.group`, plurals before singulars before short names. A group may be
    cut short (`storageclasses.storage`) where no group has that very name.
    """
    word, _, rest = name.lower().partition(".")
    version, _, group = rest.partition(".")
    candidates = [o for o in offers if o.resource.version == version and o.resource.group == group] if rest else offers
    return _called(word, candidates) or (_called(word, _in_group(rest, offers)) if rest else [])


def _in_group(group: str, offers: list[_Offer]) -> list[_Offer]:
    exact = [offer for offer in offers if offer.resource.group == group]
    return exact or [offer for offer in offers if offer.resource.group.startswith(group)]


def _called(word: str, offers: list[_Offer]) -> list[_Offer]:
    return (
        [o for o in offers if word == o.resource.plural]
        or [o for o in offers if word in (o.singular, o.resource.kind.lower())]
        or [o for o in offers if word in o.short]
    )


def _missing(name: str, offers: list[_Offer], server: str) -> str:
    watchable = [offer for offer in offers if set(NEEDED) <= set(offer.verbs)]
    known = {word: o.resource.name for o in reversed(watchable) for word in (o.resource.plural, o.resource.name)}
    close = difflib.get_close_matches(name.lower(), known, n=2 * CLOSE, cutoff=ALIKE)
    names = list(dict.fromkeys(known[word] for word in close))[:CLOSE]
    hint = f"Did you mean {' or '.join(names)}?" if names else "`kubectl api-resources` lists what there is."
    return f"{server} has no resource {name!r}. {hint}"


async def _offers(session: Session) -> list[_Offer] | Fault:
    """Everything that the server offers, in kubectl's order."""
    offers: list[_Offer] = []
    for path in ("/api", "/apis"):
        body = await session.get(path, [], accept=AGGREGATED)
        more = await _read(session, path, body) if not isinstance(body, Fault) else body
        if isinstance(more, Fault):
            return more
        offers += more
    return offers


async def _read(session: Session, path: str, body: bytes) -> list[_Offer] | Fault:
    try:
        if _kind(body).kind == "APIGroupDiscoveryList":
            return _aggregated(body)
        plain = _groups(body)
        roots = [f"{path}/{version}" for version in plain.versions]
        roots += [f"{path}/{version.group_version}" for group in plain.groups for version in group.in_order()]
        return await _plain_offers(session, roots)
    except UNREADABLE as error:
        return Fault(Phase.PROBE, Kind.UNDECODABLE, message=f"{session.server}{path}: {error}")


def _aggregated(body: bytes) -> list[_Offer]:
    return [
        _Offer(
            Resource(group.metadata.name, version.version, r.resource, r.kind.kind, r.scope == "Namespaced"),
            r.singular or r.kind.kind.lower(),
            tuple(r.short or ()),
            tuple(r.verbs),
        )
        for group in _discovered(body).items
        for version in group.versions
        for r in version.resources or []
    ]


async def _plain_offers(session: Session, roots: list[str]) -> list[_Offer] | Fault:
    """One document for each group version. An aggregated server that is down is passed over, as by kubectl."""
    offers: list[_Offer] = []
    for root in roots:
        body = await session.get(root, [])
        if isinstance(body, Fault):
            if body.kind is Kind.HTTP and body.status in (404, 503):
                continue
            return body
        group, _, version = root.removeprefix("/apis/").removeprefix("/api/").rpartition("/")
        offers += [
            _Offer(
                Resource(group, version, r.name, r.kind, r.namespaced),
                r.singular or r.kind.lower(),
                tuple(r.short or ()),
                tuple(r.verbs),
            )
            for r in _plain(body).resources
            if "/" not in r.name
        ]
    return offers


class _Kind(Struct, frozen=True):
    kind: str = ""


class _Meta(Struct, frozen=True):
    name: str = ""


class _DiscoveredResource(Struct, frozen=True):
    """APIResourceDiscovery (apidiscovery.k8s.io/v2)."""

    resource: str
    scope: str = ""
    kind: _Kind = field(default=_Kind(), name="responseKind")
    singular: str = field(default="", name="singularResource")
    short: list[str] | None = field(default=None, name="shortNames")
    verbs: list[str] = []


class _DiscoveredVersion(Struct, frozen=True):
    version: str
    resources: list[_DiscoveredResource] | None = None


class _DiscoveredGroup(Struct, frozen=True):
    """Its versions stand in the order of preference."""

    metadata: _Meta = _Meta()
    versions: list[_DiscoveredVersion] = []


class _Discovered(Struct, frozen=True):
    items: list[_DiscoveredGroup] = []


class _GroupVersion(Struct, frozen=True):
    group_version: str = field(default="", name="groupVersion")


class _Group(Struct, frozen=True):
    versions: list[_GroupVersion] = []
    preferred: _GroupVersion = field(default=_GroupVersion(), name="preferredVersion")

    def in_order(self) -> list[_GroupVersion]:
        return sorted(self.versions, key=lambda version: version != self.preferred)


class _Groups(Struct, frozen=True):
    """APIVersions (of /api) or APIGroupList (of /apis)."""

    versions: list[str] = []
    groups: list[_Group] = []


class _PlainResource(Struct, frozen=True):
    name: str
    kind: str
    namespaced: bool
    singular: str = field(default="", name="singularName")
    short: list[str] | None = field(default=None, name="shortNames")
    verbs: list[str] = []


class _Plain(Struct, frozen=True):
    """APIResourceList."""

    resources: list[_PlainResource]


_kind = msgspec.json.Decoder(_Kind).decode
_discovered = msgspec.json.Decoder(_Discovered).decode
_groups = msgspec.json.Decoder(_Groups).decode
_plain = msgspec.json.Decoder(_Plain).decode
