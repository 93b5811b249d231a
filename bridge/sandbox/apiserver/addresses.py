"""What a path means: a resource in one version, perhaps a namespace, an object, a part of it."""

from collections.abc import Sequence

from msgspec import Struct

from bridge.sandbox.apiserver.refusals import not_served
from bridge.sandbox.apiserver.resources import Resource
from bridge.sandbox.apiserver.scales import has_scale


class Address(Struct, frozen=True):
    """Empty is what the path does not say. A part is the status, or the scale."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def address(path: str, resources: Sequence[Resource]) -> Address | None:
    """None: the group version is not served at all, which the server says in plain text."""
    match path.strip("/").split("/"):
        case ["api", version, *rest]:
            group = ""
        case ["apis", group, version, *rest]:
            pass
        case _:
            return None
    members = [resource for resource in resources if (resource.group, resource.version) == (group, version)]
    return _within(rest, members) if members else None


def _within(rest: list[str], members: list[Resource]) -> Address:
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] != "status":
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", "", ""][:3]
    found = next((resource for resource in members if resource.plural == plural), None)
    if found is None or len(rest) > 3 or (namespace and not found.namespaced):
        raise not_served()
    parts = ("", *(["status"] if found.status else []), *(["scale"] if has_scale(found) else []))
    if (name and found.namespaced and not namespace) or subresource not in parts:
        raise not_served()
    return Address(found, namespace, name, subresource)


def resource_named(name: str, resources: Sequence[Resource]) -> Resource:
    """As kubectl writes it, in the preferred version: `pods`, `deployments.apps`."""
    return next(resource for resource in resources if resource.name == name)
