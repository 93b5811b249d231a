"""The table of the rights in Kubernetes."""

import pytest

from bridge.rights.kubernetes import Rule, commands, identity, lacking, rules, watched
from bridge.rights.meaning import Meant
from tests.rights.reading import config

PODS = Meant("", "pods", "v1", namespaced=True)
NODES = Meant("", "nodes", "v1", namespaced=False)
BOTH = ("list", "watch")


def test_a_watch_needs_list_and_watch_where_it_looks() -> None:
    """And nowhere else: a team's bridge gets a Role in the team's namespace."""
    file = config("- resource: po\n  namespaces: [a, b]\n- {name: n, resource: nodes}", "cluster: prod")

    assert rules(file, {"po": PODS, "nodes": NODES}) == [
        Rule(PODS, BOTH, "a", "stream po.a"),
        Rule(PODS, BOTH, "b", "stream po.b"),
        Rule(NODES, BOTH, None, "stream n"),
    ]


def test_kube_system_is_read_only_where_nothing_else_names_the_cluster() -> None:
    """One right less for who has set `cluster`."""
    assert rules(config("- {resource: pods}"), {"pods": PODS})[0] == identity()
    assert identity().only == "kube-system"


def test_a_right_that_another_one_holds_is_not_asked_for_twice() -> None:
    """Watches of one resource differ in selectors and topics, which roles know nothing of."""
    watches = """
- {name: all, resource: pods}
- {name: web, resource: po, labelSelector: app=web}
- {name: a, resource: pods, namespaces: [a]}
- {name: ns, resource: namespaces}
"""
    namespaces = Meant("", "namespaces", "v1", namespaced=False)

    assert rules(config(watches), {"pods": PODS, "po": PODS, "namespaces": namespaces}) == [
        identity(),
        Rule(PODS, BOTH, None, "stream all, web"),
        Rule(namespaces, BOTH, None, "stream ns"),
    ]


@pytest.mark.parametrize(
    ("account", "whom"),
    [
        ("system:serviceaccount:team:bridge", "--serviceaccount=team:bridge"),
        ("admin", "--user=admin"),
        ("", "--user=ACCOUNT"),
    ],
)
def test_what_is_missing_is_told_with_the_commands_that_allow_it(account: str, whom: str) -> None:
    """To be copied: all that the stream needs, not only what is missing now."""
    rule = watched(PODS, "a", "")

    assert lacking(account, rule, ("watch",)).splitlines() == [
        f"{account or 'the account'} may not watch pods in namespace a. Allow it:",
        "kubectl create role event-bridge-pods --namespace=a --verb=list,watch --resource=pods",
        f"kubectl create rolebinding event-bridge-pods --namespace=a --role=event-bridge-pods {whom}",
    ]


def test_the_command_for_kube_system_allows_that_namespace_alone() -> None:
    """Not the reading of all namespaces."""
    assert commands(identity(), "admin")[0] == (
        "kubectl create clusterrole event-bridge-namespaces --verb=get --resource=namespaces"
        " --resource-name=kube-system"
    )
