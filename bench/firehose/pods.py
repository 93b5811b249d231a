"""Pods as a cluster has them, of a wanted size: what is random in real ones (uids, digests, addresses) is random here.

A pod is as long as the size says on average over its life: young ones are smaller. The smallest tell hardly
any status; the larger ones have probes, projected volumes, sidecars, and settings in the environment.
"""

import json
import random
from typing import Any

Object = dict[str, Any]

NAME, UID, VERSION, CREATED, NOW = "<<n>>", "<<u>>", "<<v>>", "<<c>>", "<<t>>"
"""What differs from pod to pod and change to change: put in when the change is sent."""
WIDTHS = {NAME: 5, UID: 36, VERSION: 10, CREATED: 20, NOW: 20}
"""In bytes: a uid, a time as Kubernetes writes it, the end of a name; versions have ten digits from the start."""
PHASES = 8
"""Changes in a pod's life, see `life`: a rolling update without crashes has as many."""
WORDY = 2000
"""Bytes from which on pods tell their digests and all their conditions."""
SETTING = 60
"""Bytes of the smallest environment variable."""
WORDS = ("cache", "endpoint", "feature", "gateway", "limit", "metrics", "pool", "queue", "region", "retry", "session")


def life(size: int, dice: random.Random, namespace: str) -> list[Object]:
    """The eight objects that a watch sees of one pod, from ADDED to DELETED, *size* bytes long on average."""
    app = f"{dice.choice(WORDS)}-{dice.choice(WORDS)}-{dice.randrange(100):02}"
    body = _new(app, namespace, dice)
    spot = _Spot(dice, wordy=size >= WORDY)
    for grow in (_owned, _probes, _token, _managed, _sidecar, _sidecar, _annotated):
        grown = grow(body, dice)
        if _mean(_phases(grown, spot)) <= size:
            body = grown
    return _phases(_with_settings(body, dice, size - int(_mean(_phases(body, spot)))), spot)


class _Spot:
    """Where it runs."""

    def __init__(self, dice: random.Random, *, wordy: bool) -> None:
        self.wordy = wordy
        self.node = f"ip-10-{dice.randrange(256)}-{dice.randrange(256)}-{dice.randrange(256)}.eu-central-1.internal"
        self.address = f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}"
        self.digests = [_hex(dice, 64) for _ in range(16)]


def _phases(body: Object, spot: _Spot) -> list[Object]:
    """New, scheduled, creating, running, ready, told to end, ended, gone."""
    scheduled = _with(body, spot, {"PodScheduled": "True"})
    scheduled["status"] = {"phase": "Pending", "conditions": scheduled["status"]["conditions"]}
    creating = _with(body, spot, {"PodScheduled": "True", "Initialized": "True", "Ready": "False"})
    running = _with(body, spot, {"PodScheduled": "True", "Initialized": "True", "Ready": "False"}, "running")
    up = {"PodScheduled": "True", "Initialized": "True", "Ready": "True", "ContainersReady": "True"}
    ready = _with(body, spot, up, "running")
    ending = {**ready, "metadata": _ended(ready["metadata"])}
    down = {"PodScheduled": "True", "Initialized": "True", "Ready": "False", "ContainersReady": "False"}
    ended = _with(body, spot, down, "terminated")
    ended["metadata"] = _ended(ended["metadata"])
    new = {**body, "status": {"phase": "Pending", "qosClass": "Burstable"}}
    return [new, scheduled, creating, running, ready, ending, ended, ended]


def _new(app: str, namespace: str, dice: random.Random) -> Object:
    owner = f"{app}-{_hex(dice, 10)}"
    metadata = {
        "name": f"{owner}-{NAME}",
        "namespace": namespace,
        "uid": UID,
        "resourceVersion": VERSION,
        "creationTimestamp": CREATED,
        "labels": {"app": app, "pod-template-hash": owner[-10:]},
    }
    image = f"registry.example.com/{app}:{dice.randrange(9)}.{dice.randrange(40)}.{dice.randrange(20)}"
    container = {"name": app, "image": image, "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}}}
    spec = {"containers": [container], "restartPolicy": "Always", "serviceAccountName": "default"}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec}


def _owned(body: Object, dice: random.Random) -> Object:
    owner = body["metadata"]["name"].removesuffix(f"-{NAME}")
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": uid(dice), "controller": True}
    return {**body, "metadata": {**body["metadata"], "generateName": f"{owner}-", "ownerReferences": [reference]}}


def _with(body: Object, spot: _Spot, conditions: dict[str, str], state: str = "") -> Object:
    """Scheduled, with these conditions, and its containers in that state."""
    kinds = conditions if spot.wordy else {"Ready": conditions.get("Ready", "False")}
    told = [
        {"type": kind, "status": conditions[kind], "lastTransitionTime": NOW} for kind in kinds if kind in conditions
    ]
    status: Object = {"phase": "Running" if state == "running" else "Pending", "conditions": told}
    status |= {"hostIP": "192.0.2.10", "startTime": CREATED}
    if state:
        status |= {"podIP": spot.address, "podIPs": [{"ip": spot.address}]}
    containers = body["spec"]["containers"]
    status["containerStatuses"] = [
        _container(one, state, digest if spot.wordy else "")
        for one, digest in zip(containers, spot.digests, strict=False)
    ]
    return {**body, "spec": {**body["spec"], "nodeName": spot.node}, "status": status}


def _container(container: Object, state: str, digest: str) -> Object:
    named = {"name": container["name"], "image": container["image"]}
    if not state:
        waiting = {"waiting": {"reason": "ContainerCreating"}}
        return {**named, "imageID": "", "state": waiting, "ready": False, "restartCount": 0}
    times = {"startedAt": NOW} if state == "running" else {"exitCode": 0, "reason": "Completed", "finishedAt": NOW}
    digests = {"imageID": f"sha256:{digest}"}
    if digest:
        digests["containerID"] = f"containerd://{digest[::-1]}"
    told = {**named, "state": {state: times}, "ready": state == "running", "restartCount": 0}
    return told | digests


def _ended(metadata: Object) -> Object:
    return {**metadata, "deletionTimestamp": NOW, "deletionGracePeriodSeconds": 30}


def _probes(body: Object, _: random.Random) -> Object:
    probe = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10}
    more = {"ports": [{"containerPort": 8080, "protocol": "TCP"}], "livenessProbe": probe, "readinessProbe": probe}
    return _first_container(body, more | {"terminationMessagePath": "/dev/termination-log"})


def _token(body: Object, dice: random.Random) -> Object:
    """The volume that every pod gets, and the defaults that the API server fills in."""
    name = f"kube-api-access-{_hex(dice, 5)}"
    certificate = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    token = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
    mount = {"name": name, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    bad = ({"key": f"node.kubernetes.io/{what}", "operator": "Exists"} for what in ("not-ready", "unreachable"))
    spec = {
        **body["spec"],
        "volumes": [{"name": name, "projected": {"sources": [token, certificate], "defaultMode": 420}}],
        "tolerations": [{**one, "effect": "NoExecute", "tolerationSeconds": 300} for one in bad],
        "schedulerName": "default-scheduler",
        "dnsPolicy": "ClusterFirst",
    }
    return _first_container({**body, "spec": spec}, {"volumeMounts": [mount]})


def _managed(body: Object, _: random.Random) -> Object:
    """Who set which field: a fifth of a real pod."""
    names: Object = {f'k:{{"name":"{one["name"]}"}}': {".": {}, "f:image": {}} for one in body["spec"]["containers"]}
    spec = {"f:spec": {"f:containers": names, "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}}}
    status: Object = {"f:status": {"f:conditions": {".": {}}, "f:containerStatuses": {}, "f:phase": {}, "f:podIP": {}}}
    entries = [_manager("kube-controller-manager", spec), _manager("kubelet", status) | {"subresource": "status"}]
    return {**body, "metadata": {**body["metadata"], "managedFields": entries}}


def _manager(name: str, fields: Object) -> Object:
    entry = {"manager": name, "operation": "Update", "apiVersion": "v1", "time": CREATED}
    return entry | {"fieldsType": "FieldsV1", "fieldsV1": fields}


def _sidecar(body: Object, dice: random.Random) -> Object:
    name = f"{dice.choice(WORDS)}-proxy-{_hex(dice, 3)}"
    settings = [
        {"name": f"PROXY_{dice.choice(WORDS).upper()}_{n}", "value": f"{dice.choice(WORDS)}-{_hex(dice, 8)}"}
        for n in range(12)
    ]
    limits = {"limits": {"cpu": "2", "memory": "1Gi"}, "requests": {"cpu": "100m", "memory": "128Mi"}}
    image = f"docker.io/mesh/proxy@sha256:{_hex(dice, 64)}"
    sidecar = {"name": name, "image": image, "args": ["proxy", "sidecar", "--log=warning"], "env": settings}
    return _spec(body, containers=[*body["spec"]["containers"], {**sidecar, "resources": limits}])


def _annotated(body: Object, dice: random.Random) -> Object:
    """As a mesh's injector does it: a document within the document."""
    document = json.dumps({"version": _hex(dice, 64), "templates": {dice.choice(WORDS): _hex(dice, 40) for _ in WORDS}})
    annotations = {"sidecar.mesh.example.com/status": document, "checksum/config": _hex(dice, 64)}
    return {**body, "metadata": {**body["metadata"], "annotations": annotations}}


def _with_settings(body: Object, dice: random.Random, lacking: int) -> Object:
    """With as many environment variables as make it *lacking* bytes longer."""
    env: list[Object] = []
    while lacking > SETTING:
        env.append(_setting(dice, len(env), 2 * SETTING if lacking > 4 * SETTING else lacking - SETTING // 2))
        lacking -= len(encode(env[-1])) + 1
    return _first_container(body, {"env": env}) if env else body


def _setting(dice: random.Random, number: int, length: int) -> Object:
    """One whose value is *length* long: an address, and a part that nobody can guess."""
    words = f"https://{dice.choice(WORDS)}.svc/{_hex(dice, 12)}/"
    while len(words) < length:
        words += f"{dice.choice(WORDS)}-"
    return {"name": f"{dice.choice(WORDS).upper()}_{number:03}", "value": words[:length]}


def _first_container(body: Object, more: Object) -> Object:
    first, *rest = body["spec"]["containers"]
    return _spec(body, containers=[{**first, **more}, *rest])


def _spec(body: Object, **more: object) -> Object:
    return {**body, "spec": {**body["spec"], **more}}


def _mean(phases: list[Object]) -> float:
    return sum(map(length, phases)) / len(phases)


def length(body: Object) -> int:
    """Bytes, when everything is put in."""
    text = encode(body)
    return len(text) + sum(text.count(mark) * (width - len(mark)) for mark, width in WIDTHS.items())


def encode(body: Object) -> str:
    """As Go writes it: no spaces."""
    return json.dumps(body, separators=(",", ":"))


def uid(dice: random.Random) -> str:
    """Version 4, as the API server makes them."""
    text = _hex(dice, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _hex(dice: random.Random, length: int) -> str:
    return f"{dice.getrandbits(4 * length):0{length}x}"
