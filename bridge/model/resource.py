"""What is watched: a resource as discovery names it, where, and which of its objects."""

from msgspec import Struct


class Resource(Struct, frozen=True):
    """One resource of the API server, with the names that its discovery documents give."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool

    @property
    def name(self) -> str:
        """As kubectl writes it: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Path of the group version that serves it."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    def path(self, namespace: str | None) -> str:
        """Path of the collection; *namespace* None is all of them (or a cluster-scoped resource)."""
        where = f"/namespaces/{namespace}" if namespace is not None else ""
        return f"{self.root}{where}/{self.plural}"


class Selection(Struct, frozen=True):
    """Which objects of a resource a stream follows. A change of any field makes old positions worthless.

    Invariant: *namespace* is None for a cluster-scoped resource.
    """

    resource: Resource
    namespace: str | None = None
    label_selector: str | None = None
    field_selector: str | None = None

    @property
    def path(self) -> str:
        return self.resource.path(self.namespace)


def object_key(resource: str, namespace: str, name: str) -> str:
    """The key of an object's records: `pods/default/web-1`; `nodes/n1` where *namespace* is empty (cluster-scoped)."""
    return f"{resource}/{namespace}/{name}" if namespace else f"{resource}/{name}"


def split_key(key: str) -> tuple[str, str, str]:
    """The resource's name, the namespace (empty if none) and the name in a key that `object_key` made."""
    first, _, rest = key.partition("/")
    namespace, _, name = rest.rpartition("/")
    return first, namespace, name
