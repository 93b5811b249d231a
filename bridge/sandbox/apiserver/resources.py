"""What is served: the built-in resources as the real server names them, and what a CustomResourceDefinition adds."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, convert

from bridge.sandbox.apiserver.refusals import Object

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Storage(Struct, frozen=True):
    """Where the objects of a resource are kept, whatever the version they are asked for in."""

    group: str
    plural: str


class Resource(Struct, frozen=True):
    """One resource in one version.

    *cached*: served from the real server's watch cache, as all but `events` are; those get no periodic bookmarks.
    *status*: has a status subresource. *generation*: counts the changes of its spec.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    generation: bool = False
    cached: bool = True
    custom: bool = False
    verbs: tuple[str, ...] = VERBS
    singular: str = ""
    list_kind: str = ""

    @property
    def storage(self) -> Storage:
        return Storage(self.group, self.plural)

    @property
    def name(self) -> str:
        """As kubectl writes it: `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def one(self) -> str:
        return self.singular or self.kind.lower()

    @property
    def many(self) -> str:
        """The kind of its lists."""
        return self.list_kind or f"{self.kind}List"

    def key(self, namespace: str, name: str) -> str:
        """Where an object lies in its storage: lists are in the order of these, as in etcd."""
        return f"{namespace}/{name}" if self.namespaced else name


def _core(plural: str, kind: str, *short: str, cluster: bool = False, status: bool = False) -> Resource:
    return Resource("", "v1", plural, kind, not cluster, short, status=status)


def _group(group: str, plural: str, kind: str, *short: str, cluster: bool = False, status: bool = False) -> Resource:
    """Of a group, where spec and status are well kept apart and counted; those without status are plain data."""
    listed = ("all",) if group in ("apps", "batch") and status else ()
    return Resource(group, "v1", plural, kind, not cluster, short, listed, status, status)


NAMESPACES = _core("namespaces", "Namespace", "ns", cluster=True, status=True)
PODS = Resource("", "v1", "pods", "Pod", True, ("po",), ("all",), True, True)
EVENTS = Resource("", "v1", "events", "Event", True, ("ev",), cached=False)
CRDS = _group(
    "apiextensions.k8s.io",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    "crd",
    "crds",
    cluster=True,
    status=True,
)

BUILT_IN = (
    _core("configmaps", "ConfigMap", "cm"),
    _core("endpoints", "Endpoints", "ep"),
    EVENTS,
    NAMESPACES,
    _core("nodes", "Node", "no", cluster=True, status=True),
    _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", status=True),
    _core("persistentvolumes", "PersistentVolume", "pv", cluster=True, status=True),
    PODS,
    _core("secrets", "Secret"),
    _core("serviceaccounts", "ServiceAccount", "sa"),
    Resource("", "v1", "services", "Service", True, ("svc",), ("all",), True),
    _group("apps", "controllerrevisions", "ControllerRevision"),
    _group("apps", "daemonsets", "DaemonSet", "ds", status=True),
    _group("apps", "deployments", "Deployment", "deploy", status=True),
    _group("apps", "replicasets", "ReplicaSet", "rs", status=True),
    _group("apps", "statefulsets", "StatefulSet", "sts", status=True),
    _group("batch", "cronjobs", "CronJob", "cj", status=True),
    _group("batch", "jobs", "Job", status=True),
    _group("networking.k8s.io", "ingresses", "Ingress", "ing", status=True),
    _group("networking.k8s.io", "networkpolicies", "NetworkPolicy", "netpol"),
    _group("policy", "poddisruptionbudgets", "PodDisruptionBudget", "pdb", status=True),
    _group("rbac.authorization.k8s.io", "clusterrolebindings", "ClusterRoleBinding", cluster=True),
    _group("rbac.authorization.k8s.io", "clusterroles", "ClusterRole", cluster=True),
    _group("rbac.authorization.k8s.io", "rolebindings", "RoleBinding"),
    _group("rbac.authorization.k8s.io", "roles", "Role"),
    _group("storage.k8s.io", "storageclasses", "StorageClass", "sc", cluster=True),
    CRDS,
    _group("coordination.k8s.io", "leases", "Lease"),
    _group("discovery.k8s.io", "endpointslices", "EndpointSlice"),
    Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", False, verbs=("create",)),
    Resource(
        "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False, verbs=("create",)
    ),
)


class _Names(Struct, rename="camel"):
    plural: str
    kind: str
    singular: str = ""
    list_kind: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


class _Version(Struct):
    name: str
    served: bool = True
    storage: bool = False
    subresources: dict[str, object] = {}


class Definition(Struct):
    """The spec of a CustomResourceDefinition, as far as it is kept to. Schemas are not."""

    group: str
    scope: Literal["Namespaced", "Cluster"]
    names: _Names
    versions: list[_Version]


def custom(definition: Object) -> Iterable[Resource]:
    """What a CustomResourceDefinition adds: one for each version that it serves, the best version first."""
    spec = convert(definition["spec"], Definition)
    served = [version for version in spec.versions if version.served]
    for version in sorted(served, key=lambda version: not version.storage):
        yield Resource(
            spec.group,
            version.name,
            spec.names.plural,
            spec.names.kind,
            spec.scope == "Namespaced",
            spec.names.short_names,
            spec.names.categories,
            status="status" in version.subresources,
            generation=True,
            custom=True,
            singular=spec.names.singular,
            list_kind=spec.names.list_kind,
        )
