"""Who is asking and what may be done: one user who may do everything but what was forbidden."""

from bridge.sandbox.apiserver.refusals import Object, forbidden
from bridge.sandbox.apiserver.resources import Resource

USER = "sandbox"
GROUPS = ("system:masters", "system:authenticated")


class Access:
    """Owns what is forbidden: verbs of resources, the latter as kubectl writes them."""

    def __init__(self) -> None:
        self._forbidden: set[tuple[str, str]] = set()

    def forbid(self, verb: str, resource: str) -> None:
        self._forbidden.add((verb, resource))

    def allow(self, verb: str, resource: str) -> None:
        self._forbidden.discard((verb, resource))

    def check(self, verb: str, resource: Resource, namespace: str, name: str) -> None:
        if (verb, resource.name) not in self._forbidden:
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        what = f'resource "{resource.plural}" in API group "{resource.group}"'
        why = f'User "{USER}" cannot {verb} {what} {where}'
        raise forbidden(resource.group, resource.plural, name, why)

    def review(self, resource: Resource, body: Object) -> Object:
        """The answer to a SelfSubjectAccessReview or a SelfSubjectReview."""
        head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}}
        if resource.plural == "selfsubjectreviews":
            return head | {"status": {"userInfo": {"username": USER, "groups": list(GROUPS)}}}
        spec = _map(body.get("spec"))
        asked = _map(spec.get("resourceAttributes"))
        group = asked.get("group", "")
        name = f"{asked.get('resource', '')}.{group}" if group else asked.get("resource", "")
        return head | {"spec": spec, "status": {"allowed": (asked.get("verb"), name) not in self._forbidden}}


def _map(value: object) -> Object:
    return value if isinstance(value, dict) else {}
