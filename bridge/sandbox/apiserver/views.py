"""How objects are shown: whole, their metadata alone, or as rows of a table, as the Accept header wants it."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from bridge.sandbox.apiserver import refusals, tables
from bridge.sandbox.apiserver.lists import Listed
from bridge.sandbox.apiserver.objects import in_version
from bridge.sandbox.apiserver.refusals import Object
from bridge.sandbox.apiserver.resources import Resource

METADATA = "meta.k8s.io/v1"


class View(Struct, frozen=True):
    """*one*: an object. *event*: one in a watch, where it may matter whether it is the first. *many*: a list."""

    one: Callable[[Resource, Object], Object]
    event: Callable[[Resource, Object, bool], Object]
    many: Callable[[Resource, Listed], Object]


def view(accept: str, included: str = "") -> View:
    """The first of the accepted forms that there is. *included*: what of the objects a table's rows hold."""
    for media in accept.split(",") if accept else ["*/*"]:
        kind, *parameters = [part.strip() for part in media.split(";")]
        wanted = dict(part.partition("=")[::2] for part in parameters)
        if kind in ("application/json", "*/*", "application/*") and (found := _VIEWS.get(wanted.get("as", ""))):
            return _tables(included) if wanted.get("as") == "Table" else found
    raise refusals.not_acceptable()


def _whole(resource: Resource, listed: Listed) -> Object:
    """Items of built-in types say neither kind nor apiVersion (kubernetes#3030), custom ones do."""
    if resource.custom:
        items = [in_version(resource, body) for body in listed.items]
        metadata = {"continue": "", **listed.metadata}
        return {"apiVersion": resource.api_version, "items": items, "kind": resource.many, "metadata": metadata}
    named = ("kind", "apiVersion")
    items = [{name: value for name, value in body.items() if name not in named} for body in listed.items]
    return {"kind": resource.many, "apiVersion": resource.api_version, "metadata": listed.metadata, "items": items}


def _partial(_resource: Resource, body: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": METADATA, "metadata": body["metadata"]}


def _partials(resource: Resource, listed: Listed) -> Object:
    items = [_partial(resource, body) for body in listed.items]
    return {"kind": "PartialObjectMetadataList", "apiVersion": METADATA, "metadata": listed.metadata, "items": items}


def _tables(included: str) -> View:
    """*included*: `None`, `Object`, or nothing for the metadata. kubectl wants whole objects to sort them."""
    if included not in _INCLUDED:
        problem = f"includeObject: Invalid value: \"{included}\": must be 'Metadata', 'Object', 'None', or empty"
        raise refusals.bad_request(f"Unable to convert to Table as requested: {problem}")
    of = _INCLUDED[included]

    def some(resource: Resource, bodies: Sequence[Object], metadata: Object) -> Object:
        return tables.table(resource, bodies, metadata, lambda body: of(resource, body))

    def one(resource: Resource, body: Object) -> Object:
        return some(resource, [body], {"resourceVersion": body["metadata"].get("resourceVersion", "")})

    def event(resource: Resource, body: Object, first: bool) -> Object:
        """The columns are said once."""
        if "name" not in body["metadata"]:  # a bookmark has no row
            return {"kind": "Table", "apiVersion": METADATA, "metadata": body["metadata"], "rows": []}
        shown = one(resource, body)
        return shown if first else shown | {"columnDefinitions": None}

    return View(one, event, lambda resource, listed: some(resource, listed.items, listed.metadata))


def _nothing(_resource: Resource, _body: Object) -> None:
    return None


_INCLUDED: dict[str, Callable[[Resource, Object], Object | None]] = {
    "": _partial,
    "Metadata": _partial,
    "Object": in_version,
    "None": _nothing,
}
_VIEWS = {
    "": View(in_version, lambda resource, body, _first: in_version(resource, body), _whole),
    "PartialObjectMetadata": View(_partial, lambda resource, body, _first: _partial(resource, body), _partials),
    "PartialObjectMetadataList": View(_partial, lambda resource, body, _first: _partial(resource, body), _partials),
    "Table": _tables(""),
}
