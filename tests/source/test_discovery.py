"""Names that kubectl takes, on servers that answer in one document and in many."""

import json

import pytest

from bridge.model.resource import Resource
from bridge.source.discovery import Found, NotFound, exists, find
from bridge.source.faults import Fault, Kind, Phase
from tests.source.scripted import Request, Route, Script, Server, answer

WATCHABLE = ["create", "get", "list", "watch"]
Served = tuple[str, str, list[str], bool, list[str]]
"""Plural, kind, short names, namespaced, verbs."""
CORE: list[Served] = [
    ("bindings", "Binding", [], True, ["create"]),
    ("events", "Event", ["ev"], True, WATCHABLE),
    ("nodes", "Node", ["no"], False, WATCHABLE),
    ("pods", "Pod", ["po"], True, WATCHABLE),
]
GROUPS: list[tuple[str, list[tuple[str, list[Served]]]]] = [
    ("apps", [("v1", [("deployments", "Deployment", ["deploy"], True, WATCHABLE)])]),
    ("events.k8s.io", [("v1", [("events", "Event", ["ev"], True, WATCHABLE)])]),
    ("storage.k8s.io", [("v1", [("storageclasses", "StorageClass", ["sc"], False, WATCHABLE)])]),
    ("metrics.k8s.io", [("v1beta1", [("pods", "PodMetrics", [], True, ["get", "list"])])]),
    (
        "example.com",
        [
            ("v2", [("widgets", "Widget", ["wd"], True, WATCHABLE)]),
            ("v1", [("widgets", "Widget", ["wd"], True, WATCHABLE), ("gears", "Gear", [], False, WATCHABLE)]),
        ],
    ),
    ("other.org", [("v1", [("gears", "Gear", [], True, WATCHABLE)])]),
]
POD = Resource("", "v1", "pods", "Pod", True)
EVENT = Resource("", "v1", "events", "Event", True)
DEPLOYMENT = Resource("apps", "v1", "deployments", "Deployment", True)
WIDGET = Resource("example.com", "v2", "widgets", "Widget", True)
GEAR = Resource("example.com", "v1", "gears", "Gear", False)

NAMES = [
    ("pods", POD, ("pods.metrics.k8s.io",)),
    ("pod", POD, ()),
    ("po", POD, ()),
    ("Pod", POD, ()),
    ("PODS", POD, ("pods.metrics.k8s.io",)),
    ("nodes", Resource("", "v1", "nodes", "Node", False), ()),
    ("events", EVENT, ("events.events.k8s.io",)),
    ("ev", EVENT, ("events.events.k8s.io",)),
    ("events.events.k8s.io", Resource("events.k8s.io", "v1", "events", "Event", True), ()),
    ("deploy", DEPLOYMENT, ()),
    ("deployments.apps", DEPLOYMENT, ()),
    ("deploy.apps", DEPLOYMENT, ()),
    ("deployment.v1.apps", DEPLOYMENT, ()),
    ("storageclasses.storage", Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False), ()),
    ("widgets", WIDGET, ()),
    ("widgets.example.com", WIDGET, ()),
    ("widgets.v1.example.com", Resource("example.com", "v1", "widgets", "Widget", True), ()),
    ("gears", GEAR, ("gears.other.org",)),
    ("gears.other.org", Resource("other.org", "v1", "gears", "Gear", True), ()),
]


def aggregated(request: Request) -> Script:
    """A server since 1.30."""
    assert "as=APIGroupDiscoveryList" in request.headers["accept"]
    groups = [("", [("v1", CORE)])] if request.path == "/api" else GROUPS
    items = [
        {
            "metadata": {"name": group},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [
                        {
                            "resource": plural,
                            "responseKind": {"group": "", "version": "", "kind": kind},
                            "scope": "Namespaced" if namespaced else "Cluster",
                            "singularResource": kind.lower(),
                            "verbs": verbs,
                            **({"shortNames": short} if short else {}),
                            "subresources": [{"subresource": "status"}],
                        }
                        for plural, kind, short, namespaced, verbs in served
                    ],
                }
                for version, served in versions
            ],
        }
        for group, versions in groups
    ]
    document = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items}
    return answer(json.dumps(document))


def plain(request: Request) -> Script:
    """An older server. Its versions stand in any order: `preferredVersion` says which counts."""
    match request.path.split("/"):
        case ["", "api"]:
            return answer('{"kind":"APIVersions","versions":["v1"]}')
        case ["", "apis"]:
            groups = [
                {
                    "name": group,
                    "versions": [{"groupVersion": f"{group}/{version}"} for version, _ in reversed(versions)],
                    "preferredVersion": {"groupVersion": f"{group}/{versions[0][0]}"},
                }
                for group, versions in GROUPS
            ]
            return answer(json.dumps({"kind": "APIGroupList", "groups": groups}))
        case ["", "api", "v1"]:
            return resources(CORE)
        case ["", "apis", group, version]:
            served = dict(dict(GROUPS).get(group, [])).get(version)
            return resources(served) if served is not None else answer("", 404)
        case _:
            raise AssertionError(request.path)


def resources(served: list[Served]) -> Script:
    entries = [
        {"name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "shortNames": short, "verbs": verbs}
        for plural, kind, short, namespaced, verbs in served
        for name in (plural, f"{plural}/status")
    ]
    return answer(json.dumps({"kind": "APIResourceList", "resources": entries}))


async def found(name: str, route: Route) -> Found | NotFound | Fault:
    async with Server(route) as server:
        session = server.session()
        result = await find(session, name)
        await session.close()
        if isinstance(result, NotFound):
            return NotFound(result.message.replace(server.url, "SERVER"))
        return result


@pytest.mark.parametrize("route", [aggregated, plain])
@pytest.mark.parametrize(("name", "resource", "others"), NAMES)
async def test_names(name: str, resource: Resource, others: tuple[str, ...], route: Route) -> None:
    """What works with kubectl works here, and means the same, whatever form the server's discovery has."""
    assert await found(name, route) == Found(resource, tuple(WATCHABLE), others)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("widgetz", "SERVER has no resource 'widgetz'. Did you mean widgets.example.com?"),
        ("deployments.app5", "SERVER has no resource 'deployments.app5'. Did you mean deployments.apps?"),
        ("zzz", "SERVER has no resource 'zzz'. `kubectl api-resources` lists what there is."),
        ("bindings", "bindings cannot be watched: the server offers create, but not list and watch"),
        ("pods.metrics.k8s.io", "pods.metrics.k8s.io cannot be watched: the server offers get, list, but not watch"),
    ],
)
async def test_names_that_lead_nowhere(name: str, message: str) -> None:
    """Behaviour 40, and the mend for a slip of the finger."""
    assert await found(name, aggregated) == NotFound(message)


async def test_an_aggregated_server_that_is_down_hides_nothing_else() -> None:
    """One broken extension must not stop every stream of the bridge."""

    def route(request: Request) -> Script:
        return answer("", 503) if request.path == "/apis/apps/v1" else plain(request)

    assert await found("wd", route) == Found(WIDGET, tuple(WATCHABLE))


async def test_discovery_that_is_refused() -> None:
    assert await found("pods", lambda _: answer("", 403)) == Fault(Phase.PROBE, Kind.HTTP, 403)


async def test_discovery_that_cannot_be_read() -> None:
    result = await found("pods", lambda _: answer("[]"))

    assert isinstance(result, Fault)
    assert (result.phase, result.kind) == (Phase.PROBE, Kind.UNDECODABLE)


@pytest.mark.parametrize(
    ("resource", "answered"),
    [
        (POD, True),
        (WIDGET, True),
        (Resource("", "v1", "ghosts", "Ghost", True), False),
        (Resource("gone.org", "v1", "widgets", "Widget", True), False),
    ],
)
async def test_whether_a_resource_is_served(resource: Resource, answered: bool) -> None:
    """Behaviour 37: asked anew each time, for the group version alone."""
    async with Server(plain) as server:
        session = server.session()

        assert await exists(session, resource) is answered

        assert server.requests[0].path == resource.root
        await session.close()


async def test_a_group_that_is_offered_and_answers_404_is_no_proof() -> None:
    """The two contradict each other: a server that is starting, or two of which one is older."""
    async with Server(
        lambda request: answer("", 404) if request.path == WIDGET.root else aggregated(request)
    ) as server:
        session = server.session()

        assert await exists(session, WIDGET) is None

        await session.close()


@pytest.mark.parametrize(
    "script", [answer("", 503), answer("", 403), answer("nonsense"), answer("default backend", 404)]
)
async def test_whether_a_resource_is_served_when_nobody_can_tell(script: Script) -> None:
    """A load balancer without a backend answers 404 to everything: that proves nothing about the server behind it."""
    async with Server(lambda _: script) as server:
        session = server.session()

        assert await exists(session, POD) is None

        await session.close()
