"""The table of the rights in Kubernetes. There is no other list of what the bridge asks of an API server."""

from collections.abc import Mapping

from msgspec import Struct

from bridge.config.streams import streams
from bridge.config.tree import Config
from bridge.rights.meaning import Meant

VERBS = ("list", "watch")
"""On each watched resource. `get` of single objects is never asked."""
IDENTITY = Meant("", "namespaces", "v1", namespaced=False)
SYSTEM = "kube-system"


class Rule(Struct, frozen=True):
    """*verbs* on a resource in *namespace*, None: everywhere. *only*: on the object of that name; empty: on all."""

    resource: Meant
    verbs: tuple[str, ...]
    namespace: str | None
    why: str
    only: str = ""

    def covers(self, other: "Rule") -> bool:
        """Whether *other* allows nothing more."""
        same = (self.resource.group, self.resource.plural) == (other.resource.group, other.resource.plural)
        everywhere = self.namespace is None or self.namespace == other.namespace
        return same and everywhere and set(other.verbs) <= set(self.verbs) and self.only in ("", other.only)


def watched(resource: Meant, namespace: str | None, why: str) -> Rule:
    """What each stream needs."""
    return Rule(resource, VERBS, namespace, why)


def identity() -> Rule:
    """What names the cluster. Optional: with `cluster` in the file the bridge does without."""
    why = "its uid names the cluster in every record, and proves that a checkpoint is of this cluster"
    return Rule(IDENTITY, ("get",), None, why, SYSTEM)


def rules(config: Config, meanings: Mapping[str, Meant]) -> list[Rule]:
    """Everything that *config* needs and no more. *meanings* has what the resource of each watch means."""
    found: list[Rule] = [] if config.cluster else [identity()]
    wanted: dict[tuple[Meant, str | None], list[str]] = {}
    for stream in streams(config):
        wanted.setdefault((meanings[stream.watch.resource], stream.namespace), []).append(stream.name)
    for (resource, namespace), names in wanted.items():
        found.append(watched(resource, namespace, f"stream {', '.join(names)}"))
    return [rule for rule in found if not any(other.covers(rule) for other in found if other is not rule)]


def lacking(account: str, rule: Rule, verbs: tuple[str, ...]) -> str:
    """In words: *account* may not do *verbs*, with the commands that allow all of *rule*."""
    what = f"{account or 'the account'} may not {' and '.join(verbs)} {_where(rule)}. Allow it:"
    return "\n".join([what, *commands(rule, account)])


def commands(rule: Rule, account: str) -> list[str]:
    """For kubectl. They run as they stand where we know who we are."""
    role, where = ("role", f" --namespace={rule.namespace}") if rule.namespace is not None else ("clusterrole", "")
    name = f"event-bridge-{rule.resource.name}"
    only = f" --resource-name={rule.only}" if rule.only else ""
    verbs = f"--verb={','.join(rule.verbs)} --resource={rule.resource.name}{only}"
    return [
        f"kubectl create {role} {name}{where} {verbs}",
        f"kubectl create {role}binding {name}{where} --{role}={name} {_whom(account)}",
    ]


SERVICE_ACCOUNT = "system:serviceaccount:"


def _whom(account: str) -> str:
    if account.startswith(SERVICE_ACCOUNT):
        return f"--serviceaccount={account.removeprefix(SERVICE_ACCOUNT)}"
    return f"--user={account or 'ACCOUNT'}"


def _where(rule: Rule) -> str:
    if rule.only:
        return f"namespace {rule.only}"
    if rule.namespace is not None:
        return f"{rule.resource.name} in namespace {rule.namespace}"
    return f"{rule.resource.name} {'in the cluster' if rule.resource.namespaced is False else 'in all namespaces'}"
