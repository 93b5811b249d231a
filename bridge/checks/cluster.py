"""The Kubernetes side of a check: is it reached, as whom, is the resource there, and may it be listed and watched."""

import msgspec
from msgspec import Struct

from bridge.checks.report import AllowedVerbs, KubernetesEnd
from bridge.config.problem import ConfigError
from bridge.config.streams import StreamSpec
from bridge.config.tree import Config
from bridge.model.resource import Resource, Selection
from bridge.rights import kubernetes
from bridge.rights.kubernetes import SYSTEM, VERBS
from bridge.rights.meaning import meant
from bridge.source.api import Api
from bridge.source.discovery import Found, NotFound, find
from bridge.source.faults import Fault, Kind
from bridge.source.session import Session, connect

REVIEW = "authentication.k8s.io/v1"
"""SelfSubjectReview, since 1.28 (KEP-3325)."""
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
UNNAMED = "The cluster's name in the records is `unknown`. Set `cluster`"


class Look(Struct, frozen=True):
    """What there is to watch for one stream. *selection* is None where it was not found, or not asked for."""

    selection: Selection | None = None
    access: AllowedVerbs = AllowedVerbs()
    problems: tuple[str, ...] = ()


async def reach(config: Config) -> tuple[Session | None, KubernetesEnd]:
    """The session if the API server answers us, for the caller to close."""
    try:
        session = await connect(config.kubernetes)
    except ConfigError as error:
        return None, KubernetesEnd(problem=str(error))
    uid = await session.cluster_uid()
    if isinstance(uid, Fault):
        await session.close()
        return None, KubernetesEnd(session.server, problem=_told(uid, session.server))
    account = await _account(session)
    note = "" if uid or config.cluster else await _nameless(session, account)
    return session, KubernetesEnd(session.server, account, uid, note=note)


async def _nameless(session: Session, account: str) -> str:
    """Why nothing names the cluster. To the API server a namespace lies in itself (apiserver, requestinfo.go)."""
    answer = await session.access("get", Selection(NAMESPACES, SYSTEM), SYSTEM)
    if isinstance(answer, Fault) or answer.allowed:
        return f"{session.server} has no namespace {SYSTEM} to name the cluster by. {UNNAMED}."
    rule = kubernetes.identity()
    return f"{UNNAMED}, or allow what is missing: {kubernetes.lacking(account, rule, rule.verbs)}"


async def look(session: Session, account: str, spec: StreamSpec) -> Look:
    """What the API server says of one stream."""
    found = await find(session, spec.watch.resource)
    match found:
        case NotFound(message):
            return Look(problems=(message,))
        case Fault():
            return Look(problems=(_told(found, session.server),))
        case Found(resource):
            pass
    if spec.namespace is not None and not resource.namespaced:
        return Look(problems=(f"{resource.name} have no namespaces. Remove `namespaces` from the watch.",))
    watch = spec.watch
    selection = Selection(resource, spec.namespace, watch.label_selector, watch.field_selector)
    access, problems = await _access(session, account, selection)
    if access.list:
        problems += await _trial(session, selection)
    return Look(selection, access, tuple(problems))


async def _access(session: Session, account: str, selection: Selection) -> tuple[AllowedVerbs, list[str]]:
    """Both verbs; for those that are not allowed, the commands that allow them."""
    allowed: dict[str, bool] = {}
    for verb in VERBS:
        answer = await session.access(verb, selection)
        if isinstance(answer, Fault):
            return AllowedVerbs(), [_told(answer, session.server)]
        allowed[verb] = answer.allowed
    missing = tuple(verb for verb, may in allowed.items() if not may)
    access = AllowedVerbs(allowed["list"], allowed["watch"])
    if not missing:
        return access, []
    rule = kubernetes.watched(meant(selection.resource), selection.namespace, "")
    return access, [kubernetes.lacking(account, rule, missing)]


async def _trial(session: Session, selection: Selection) -> list[str]:
    """One object's metadata, asked for as the bridge does: it shows whether the selectors are understood."""
    newest = await Api(session, selection).newest()
    if not isinstance(newest, Fault):
        return []
    if newest.status == 400 and (selection.label_selector or selection.field_selector):
        return [f"{session.server} does not take the selectors: {newest.message}. Change them."]
    return [_told(newest, session.server)]


def _told(fault: Fault, server: str) -> str:
    """A failure with its mend."""
    message = (fault.message or f"{server} answered {fault.status}").rstrip(".")
    match fault:
        case Fault(status=401):
            return (
                f"{server} refused our credentials (401 Unauthorized). Renew the token or certificate, or log in again."
            )
        case Fault(status=400) if "HTTP request to an HTTPS server" in message:
            return f"{message}. Write https:// before the server's address in the kubeconfig."
        case Fault(status=403):
            return f"{server} forbids it (403): {message}. Check which account the credentials are of."
        case Fault(kind=Kind.CREDENTIALS):
            return f"{message}. Without credentials nothing can be asked: renew them."
        case Fault(kind=Kind.NETWORK) if "certificate" in message:
            return f"{message}. Correct certificate-authority in the kubeconfig, or the server's name."
        case Fault(kind=Kind.NETWORK):
            return f"{message}. Check that it runs, and the address in the kubeconfig."
        case _:
            return f"{server}: {fault}. Try again; if it stays so, ask the cluster's administrator."


class _User(Struct, frozen=True):
    username: str = ""


class _Status(Struct, frozen=True):
    user: _User = msgspec.field(default=_User(), name="userInfo")


class _Review(Struct, frozen=True):
    status: _Status = _Status()


async def _account(session: Session) -> str:
    """Who the API server takes us for; empty if it does not say."""
    body = await session.post(f"/apis/{REVIEW}/selfsubjectreviews", {"apiVersion": REVIEW, "kind": "SelfSubjectReview"})
    if isinstance(body, Fault):
        return ""
    try:
        return msgspec.json.decode(body, type=_Review).status.user.username
    except msgspec.DecodeError:
        return ""
