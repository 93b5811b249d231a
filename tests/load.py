"""An independent writer: works on a cluster through its API, and keeps a ledger of what was acknowledged.

Law: nobody else writes its keys, and it has at most one request open for a key. So whatever a lost answer hides can be
found out by reading back: the object is either as it was, or as the one open request made it.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable
from typing import Any

import aiohttp
from msgspec import Struct

from tests.audit.ledger import Act, Ledger, Live, Write, key_of
from tests.servers.kube import Kube, Object, RefusedError

LOST = (aiohttp.ClientError, TimeoutError, ConnectionError)
"""No answer came, and the write may have happened or not."""

READ_BACK = 90.0
"""How long to try to find out: a restart of the API server takes 5 s, on a busy machine some times that."""

APPS = ["web", "db", "cache"]
TEXT = "Grüße, γειά, 世界, 🌍 "


class Kind(Struct, frozen=True):
    """A resource to work on. *resource* as it stands in keys, *root* as in `/api/v1`."""

    resource: str
    plural: str
    root: str
    body: dict[str, Any]

    def path(self, namespace: str) -> str:
        return f"{self.root}/namespaces/{namespace}/{self.plural}"


CONFIGMAPS = Kind("configmaps", "configmaps", "/api/v1", {"data": {"text": TEXT * 20, "flag": "false"}})
PODS = Kind("pods", "pods", "/api/v1", {"spec": {"containers": [{"name": "c", "image": "example.com/image:1"}]}})
EVENTS = Kind(
    "events",
    "events",
    "/api/v1",
    {
        "reason": "Tested",
        "message": TEXT * 3,
        "type": "Normal",
        "count": 1,
        "source": {"component": "tests"},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "some-pod"},
    },
)
WIDGETS = Kind(
    "widgets.example.com",
    "widgets",
    "/apis/example.com/v1",
    {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {"size": 1, "text": TEXT * 10}},
)
KINDS = (CONFIGMAPS, PODS, EVENTS, WIDGETS)

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS_CRD: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


class Slot:
    """A name that one worker owns, and the object that is there now (`uid` empty: none)."""

    def __init__(self, kind: Kind, namespace: str, name: str) -> None:
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = ""
        self.version = ""
        self.labels: dict[str, str] = {}
        self.is_unknown = False

    @property
    def path(self) -> str:
        return f"{self.kind.path(self.namespace)}/{self.name}"

    @property
    def key(self) -> str:
        return key_of(self.kind.resource, self.namespace, self.name)


class Writer:
    """Owns the ledger and the slots. `prepare`, `work` as often as wanted, then `ledger`."""

    def __init__(self, kube: Kube, seed: int, namespaces: list[str], kinds: tuple[Kind, ...] = KINDS) -> None:
        self.writes: list[Write] = []
        self.lost_answers = 0
        self._kube = kube
        self._seed = seed
        self._namespaces = namespaces
        self._kinds = kinds
        self._slots: dict[str, Slot] = {}
        self._number = 0

    async def prepare(self) -> None:
        """The namespaces and the custom resource, where missing."""
        for namespace in self._namespaces:
            await self.prepare_namespace(namespace)
        if WIDGETS in self._kinds:
            await make_widgets(self._kube)

    async def prepare_namespace(self, name: str) -> None:
        """One that `work` leaves alone, unless it was named at the beginning."""
        await make(self._kube, "/api/v1/namespaces", {"metadata": {"name": name}})

    async def work(self, seconds: float, rate: float, workers: int = 8, slots: int = 10) -> None:
        """About *rate* writes per second while the API server answers; each worker has *slots* names per kind."""
        async with asyncio.TaskGroup() as group:
            for worker in range(workers):
                group.create_task(self._work(worker, time.monotonic() + seconds, rate / workers, slots))

    async def create(self, kind: Kind, namespace: str, name: str, **fields: Any) -> Write:  # noqa: ANN401
        """One object of the caller's own making; *fields* go over the kind's body."""
        slot = self._slot(kind, namespace, name)
        labels = fields.pop("labels", {"app": "web"})
        await self._make(slot, labels, fields)
        assert slot.uid, f"{slot.key} could not be made"
        return self.writes[-1]

    async def change(self, kind: Kind, namespace: str, name: str, labels: dict[str, str] | None = None) -> None:
        slot = self._slot(kind, namespace, name)
        await self._patch(slot, labels or slot.labels)

    async def delete(self, kind: Kind, namespace: str, name: str) -> None:
        await self._delete(self._slot(kind, namespace, name))

    async def ledger(self) -> Ledger:
        """Everything that was done, and what the cluster holds now. Only when no write is open."""
        unknown = {slot.key for slot in self._slots.values() if slot.is_unknown}
        final: list[Live] = []
        for kind in self._kinds:
            for item in await self._kube.list(f"{kind.root}/{kind.plural}"):
                meta = item["metadata"]
                where = (kind.resource, meta["namespace"], meta["name"])
                final.append(Live(*where, meta["uid"], meta["resourceVersion"], meta.get("labels", {})))
        return Ledger(self.writes, unknown, final)

    async def _work(self, worker: int, until: float, rate: float, slots: int) -> None:
        dice = random.Random(f"{self._seed}/{worker}")
        while True:
            await asyncio.sleep(dice.expovariate(rate))
            if time.monotonic() > until:
                return
            kind, namespace = dice.choice(self._kinds), dice.choice(self._namespaces)
            slot = self._slot(kind, namespace, f"object-{worker}-{dice.randrange(slots)}")
            if not slot.is_unknown:
                await self._act(slot, dice)

    async def _act(self, slot: Slot, dice: random.Random) -> None:
        """Mostly changes, as in life; and every way to come and go."""
        labels = {"app": dice.choice(APPS)}
        if not slot.uid:
            await self._make(slot, labels, {})
            return
        match dice.choices(["change", "relabel", "delete", "replace"], [70, 12, 9, 9])[0]:
            case "change":
                await self._patch(slot, slot.labels)
            case "relabel":
                await self._patch(slot, labels)
            case "delete":
                await self._delete(slot)
            case _:
                await self._delete(slot)
                if not slot.uid and not slot.is_unknown:
                    await self._make(slot, labels, {})

    async def _make(self, slot: Slot, labels: dict[str, str], fields: dict[str, Any]) -> None:
        body = {**slot.kind.body, **fields, "metadata": {"name": slot.name, "labels": labels}}
        if "involvedObject" in body:
            body["involvedObject"] = {**body["involvedObject"], "namespace": slot.namespace}
        await self._write(slot, self._kube.create(slot.kind.path(slot.namespace), body))

    async def _patch(self, slot: Slot, labels: dict[str, str]) -> None:
        """Never a patch that changes nothing: it would get no new version, so nothing would be owed."""
        self._number += 1
        body: Object = {"metadata": {"labels": labels, "annotations": {"tests/number": str(self._number)}}}
        await self._write(slot, self._kube.patch(slot.path, body))

    async def _delete(self, slot: Slot) -> None:
        """The answer tells no version: that of the last write is what the ledger can know."""
        try:
            await self._kube.delete(slot.path)
        except (*LOST, RefusedError) as error:
            await self._read_back(slot, error)
        else:
            self._gone(slot)

    async def _write(self, slot: Slot, answer: Awaitable[Object]) -> None:
        try:
            item = await answer
        except (*LOST, RefusedError) as error:
            await self._read_back(slot, error)
        else:
            self._there(slot, item)

    async def _read_back(self, slot: Slot, error: Exception) -> None:
        """What did the open request do? Refusals that a healthy server would not give are errors of the test.

        A delete may have got half-way: the server marks pods first, and whoever touches a marked one later ends it.
        """
        if isinstance(error, RefusedError) and error.status in (400, 401, 403, 405, 415, 422):
            raise error
        self.lost_answers += 1
        until = time.monotonic() + READ_BACK
        while time.monotonic() < until:
            await asyncio.sleep(0.3)
            try:
                item = await self._kube.get(slot.path)
            except RefusedError as refused:
                if refused.status == 404 and refused.reason == "NotFound":
                    self._gone(slot)
                    return
                continue
            except LOST:
                continue
            if "deletionTimestamp" not in item["metadata"]:
                self._there(slot, item)
                return
            with contextlib.suppress(*LOST, RefusedError):
                await self._kube.delete(slot.path)
        slot.is_unknown = True

    def _there(self, slot: Slot, item: Object) -> None:
        meta = item["metadata"]
        if meta["resourceVersion"] == slot.version and meta["uid"] == slot.uid:
            return
        assert slot.uid in ("", meta["uid"]), f"{slot.key} was replaced by somebody else"
        after = slot.version
        act: Act = "MODIFIED" if slot.uid else "ADDED"
        slot.uid, slot.version, slot.labels = meta["uid"], meta["resourceVersion"], meta.get("labels", {})
        self._enter(slot, act, slot.version, after)

    def _gone(self, slot: Slot) -> None:
        if slot.uid:
            self._enter(slot, "DELETED", "", slot.version)
        slot.uid = slot.version = ""

    def _enter(self, slot: Slot, act: Act, version: str, after: str) -> None:
        where = (slot.kind.resource, slot.namespace, slot.name, slot.uid)
        self.writes.append(Write(*where, act, version, after, dict(slot.labels), time.time()))

    def _slot(self, kind: Kind, namespace: str, name: str) -> Slot:
        slot = Slot(kind, namespace, name)
        return self._slots.setdefault(slot.key, slot)


async def make(kube: Kube, path: str, body: Object) -> None:
    """Create it; as wished if it exists."""
    try:
        await kube.create(path, body)
    except RefusedError as refused:
        if refused.status != 409:
            raise


async def make_widgets(kube: Kube) -> None:
    """The custom resource; returns when the API server serves it, which is some tenths of a second later."""
    await make(kube, CRDS, WIDGETS_CRD)
    async with asyncio.timeout(30):
        while True:
            crd = await kube.get(f"{CRDS}/widgets.example.com")
            states = {c["type"]: c["status"] for c in crd["status"].get("conditions") or []}
            if states.get("Established") == "True":
                break
            await asyncio.sleep(0.1)
        while True:
            try:
                await kube.get(f"{WIDGETS.root}/{WIDGETS.plural}")
            except RefusedError:  # established, and not yet served
                await asyncio.sleep(0.1)
            else:
                return
