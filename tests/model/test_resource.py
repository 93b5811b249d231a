import pytest

from bridge.model.resource import Resource, Selection, object_key, split_key

PODS = Resource("", "v1", "pods", "Pod", namespaced=True)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", namespaced=True)
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)


@pytest.mark.parametrize(
    ("resource", "name", "api_version", "path"),
    [
        (PODS, "pods", "v1", "/api/v1/pods"),
        (DEPLOYMENTS, "deployments.apps", "apps/v1", "/apis/apps/v1/deployments"),
        (NODES, "nodes", "v1", "/api/v1/nodes"),
    ],
)
def test_a_resource_is_named_as_kubectl_names_it(resource: Resource, name: str, api_version: str, path: str) -> None:
    """Users copy these names from kubectl into the file and out of the records' keys."""

    assert (resource.name, resource.api_version, Selection(resource).path) == (name, api_version, path)


def test_a_namespace_is_part_of_the_path() -> None:
    """A role that may only read one namespace is refused the path of all."""

    assert Selection(PODS, "team-a").path == "/api/v1/namespaces/team-a/pods"
    assert Selection(DEPLOYMENTS, "team-a").path == "/apis/apps/v1/namespaces/team-a/deployments"


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (("pods", "default", "web-1"), "pods/default/web-1"),
        (("deployments.apps", "shop", "cart"), "deployments.apps/shop/cart"),
        (("nodes", "", "n1"), "nodes/n1"),
    ],
)
def test_a_key_and_its_parts_say_the_same(parts: tuple[str, str, str], key: str) -> None:
    """An inferred delete knows its object by the key alone: namespace and name must come back out of it."""

    assert object_key(*parts) == key
    assert split_key(key) == parts
