"""Rules as what `kubectl apply` takes: a ClusterRole, a Role in each namespace, and their bindings."""

from collections.abc import Iterable

from msgspec import Struct

from bridge.rights.kubernetes import Rule
from bridge.rights.text import comment, scalar

GROUP = "rbac.authorization.k8s.io"


class Account(Struct, frozen=True):
    """Who gets the rights: a ServiceAccount. The roles get the *deployment*'s name."""

    deployment: str
    name: str
    namespace: str


def manifest(rules: Iterable[Rule], account: Account, head: str) -> str:
    """All of it as YAML; *head* is a comment above it."""
    places: dict[str | None, list[Rule]] = {}
    for rule in rules:
        places.setdefault(rule.namespace, []).append(rule)
    documents = [_documents(namespace, places[namespace], account) for namespace in sorted(places, key=_order)]
    return f"{comment(head)}\n" + "---\n".join(documents)


def _order(namespace: str | None) -> str:
    return namespace or ""


def _documents(namespace: str | None, rules: list[Rule], account: Account) -> str:
    kind = "ClusterRole" if namespace is None else "Role"
    where = "" if namespace is None else f"  namespace: {scalar(namespace)}\n"
    meta = f"metadata:\n  name: {scalar(account.deployment)}\n{where}"
    role = f"apiVersion: {GROUP}/v1\nkind: {kind}\n{meta}rules:\n" + "".join(_rule(rule) for rule in _joined(rules))
    binding = (
        f"---\napiVersion: {GROUP}/v1\nkind: {kind}Binding\n{meta}"
        f"roleRef:\n  apiGroup: {GROUP}\n  kind: {kind}\n  name: {scalar(account.deployment)}\n"
        f"subjects:\n  - kind: ServiceAccount\n    name: {scalar(account.name)}\n"
        f"    namespace: {scalar(account.namespace)}\n"
    )
    return role + binding


class _Entry(Struct):
    """An entry of `rules`: rights that differ in nothing but the resource stand together."""

    group: str
    verbs: tuple[str, ...]
    only: str
    resources: list[str]
    whys: list[str]


def _joined(rules: list[Rule]) -> list[_Entry]:
    entries: dict[tuple[str, tuple[str, ...], str], _Entry] = {}
    for rule in rules:
        group, key = rule.resource.group, (rule.resource.group, rule.verbs, rule.only)
        entry = entries.setdefault(key, _Entry(group, rule.verbs, rule.only, [], []))
        entry.resources.append(rule.resource.plural)
        entry.whys.append(f"{rule.only or rule.resource.name}: {rule.why}")
        if rule.resource.doubt:
            entry.whys.append(f"  {rule.resource.doubt}")
    return list(entries.values())


def _rule(entry: _Entry) -> str:
    only = f"    resourceNames: [{scalar(entry.only)}]\n" if entry.only else ""
    resources = ", ".join(scalar(name) for name in dict.fromkeys(entry.resources))
    return (
        "\n".join(comment(why, "  ") for why in entry.whys) + f"\n  - apiGroups: [{scalar(entry.group)}]\n"
        f"    resources: [{resources}]\n{only}    verbs: [{', '.join(entry.verbs)}]\n"
    )
