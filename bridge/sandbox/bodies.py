"""What believable objects look like, of the size that real ones have: a pod is about 2 KB, a fifth of it managedFields.

Pure: times (seconds since 1970), uids and names come in. An object is never changed in place, a later state is another.
"""

import datetime as dt
from typing import Any

Object = dict[str, Any]


def iso(now: float) -> str:
    return dt.datetime.fromtimestamp(int(now), dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def namespace(name: str, uid: str, now: float) -> Object:
    return {"metadata": _metadata("", name, uid, now)}


def node(name: str, uid: str, number: int, now: float) -> Object:
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "topology.kubernetes.io/zone": f"z{number % 3}",
    }
    capacity = {"cpu": "8", "memory": "32601516Ki", "pods": "110", "ephemeral-storage": "101430960Ki"}
    info = {"kubeletVersion": "v1.37.2", "osImage": "Debian GNU/Linux 13", "architecture": "amd64"}
    address = {"type": "InternalIP", "address": f"192.0.2.{10 + number}"}
    status = {"capacity": capacity, "allocatable": capacity, "addresses": [address], "nodeInfo": info}
    metadata = _metadata("", name, uid, now, labels)
    return heard({"metadata": metadata, "spec": {"podCIDR": f"10.{number}.0.0/24"}, "status": status}, now)


def heard(body: Object, now: float) -> Object:
    """A node that has just said that it is well."""
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
    }
    condition |= {"lastHeartbeatTime": iso(now), "lastTransitionTime": body["metadata"]["creationTimestamp"]}
    return body | {"status": body["status"] | {"conditions": [condition]}}


def deployment(home: str, name: str, uid: str, replicas: int, now: float) -> Object:
    labels = {"app": name}
    container = {"name": name, "image": f"registry.example.com/{name}:1.0.0", "ports": [{"containerPort": 8080}]}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    status = {"observedGeneration": 1, "replicas": 0, "readyReplicas": 0}
    metadata = _metadata(home, name, uid, now, labels) | {"generation": 1}
    metadata["managedFields"] = [
        _managed("kubectl-create", "apps/v1", now, {"f:spec": {"f:replicas": {}, "f:template": {}}})
    ]
    return {"metadata": metadata, "spec": spec, "status": status}


def asked(body: Object, **spec: object) -> Object:
    """A deployment of which something else is wanted."""
    metadata = body["metadata"] | {"generation": body["metadata"]["generation"] + 1}
    return body | {"metadata": metadata, "spec": body["spec"] | spec}


def counted(body: Object, ready: int) -> Object:
    """A deployment with *ready* pods."""
    wanted, seen = body["spec"]["replicas"], body["metadata"]["generation"]
    status = {"observedGeneration": seen, "replicas": wanted, "updatedReplicas": wanted}
    status |= {"readyReplicas": ready, "availableReplicas": ready}
    return body | {"status": status}


def pod(home: str, name: str, uid: str, image: str, owner: Object, now: float) -> Object:
    """New: nobody has said yet where it will run. *owner* is its one ownerReference."""
    app = owner["name"]
    container = {
        "name": app,
        "image": image,
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "PORT", "value": "8080"}],
        "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
        "volumeMounts": [
            {"name": "token", "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
        ],
        "terminationMessagePath": "/dev/termination-log",
        "imagePullPolicy": "IfNotPresent",
    }
    volume = {
        "name": "token",
        "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}], "defaultMode": 420},
    }
    spec = {
        "volumes": [volume],
        "containers": [container],
        "restartPolicy": "Never" if owner["kind"] == "Job" else "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default",
        "schedulerName": "default-scheduler",
        "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        "enableServiceLinks": True,
    }
    fields: Object = {"f:metadata": {"f:generateName": {}, "f:labels": {".": {}, "f:app": {}}, "f:ownerReferences": {}}}
    fields["f:spec"] = {
        f"f:{field}": {} for field in ("containers", "dnsPolicy", "restartPolicy", "schedulerName", "volumes")
    }
    metadata = _metadata(home, name, uid, now, {"app": app}) | {"generation": 1, "ownerReferences": [owner]}
    metadata["managedFields"] = [_managed("kube-controller-manager", "v1", now, fields)]
    return {"metadata": metadata, "spec": spec, "status": {"phase": "Pending", "qosClass": "Burstable"}}


def scheduled(body: Object, to: str, now: float) -> Object:
    status = body["status"] | {"conditions": [_condition("PodScheduled", "True", now)]}
    return body | {"spec": body["spec"] | {"nodeName": to}, "status": status}


def running(body: Object, address: str, now: float, restarts: int = 0) -> Object:
    state = {"running": {"startedAt": iso(now)}}
    started = {"startTime": iso(now), "podIP": address, "podIPs": [{"ip": address}], "hostIP": "192.0.2.10"}
    return _with_status(body | {"status": body["status"] | started}, "Running", state, now, restarts)


def crashed(body: Object, now: float, restarts: int) -> Object:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off restarting failed container"}}
    return _with_status(body, "Running", waiting, now, restarts)


def succeeded(body: Object, now: float) -> Object:
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": iso(now)}}
    return _with_status(body, "Succeeded", ended, now, 0)


def terminating(body: Object, now: float) -> Object:
    metadata = body["metadata"] | {"deletionTimestamp": iso(now), "deletionGracePeriodSeconds": 30}
    return body | {"metadata": metadata}


def event(about: Object, name: str, uid: str, reason: str, message: str, now: float) -> Object:
    """Of what happened to *about*, a reference. Warnings are those whose reason says so."""
    warning = reason in ("BackOff", "Unhealthy", "FailedScheduling")
    component = "kubelet" if about["kind"] == "Pod" and reason != "Scheduled" else "default-scheduler"
    return {
        "metadata": _metadata(about.get("namespace", "default"), name, uid, now),
        "involvedObject": about,
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": iso(now),
        "lastTimestamp": iso(now),
        "count": 1,
        "type": "Warning" if warning else "Normal",
        "eventTime": None,
        "reportingComponent": component,
        "reportingInstance": "",
    }


def repeated(body: Object, now: float) -> Object:
    """An event that has happened again."""
    return body | {"count": body["count"] + 1, "lastTimestamp": iso(now)}


def reference(kind: str, body: Object) -> Object:
    """What an event says that it is about."""
    metadata = body["metadata"]
    home = {"namespace": metadata["namespace"]} if "namespace" in metadata else {}
    version = "apps/v1" if kind == "Deployment" else "v1"
    return {"kind": kind, **home, "name": metadata["name"], "uid": metadata["uid"], "apiVersion": version}


def _metadata(home: str, name: str, uid: str, now: float, labels: dict[str, str] | None = None) -> Object:
    place = {"namespace": home} if home else {}
    marked = {"labels": labels} if labels else {}
    return {"name": name, **place, "uid": uid, "creationTimestamp": iso(now), **marked}


def _managed(manager: str, version: str, now: float, fields: Object) -> Object:
    entry = {"manager": manager, "operation": "Update", "apiVersion": version, "time": iso(now)}
    return entry | {"fieldsType": "FieldsV1", "fieldsV1": fields}


def _with_status(body: Object, phase: str, state: Object, now: float, restarts: int) -> Object:
    """And with the kubelet's entry in managedFields, as it wrote it."""
    fields: Object = {
        "f:status": {f"f:{field}": {} for field in ("conditions", "containerStatuses", "phase", "podIP", "startTime")}
    }
    entry = _managed("kubelet", "v1", now, fields) | {"subresource": "status"}
    others = [one for one in body["metadata"]["managedFields"] if one["manager"] != "kubelet"]
    metadata = body["metadata"] | {"managedFields": [*others, entry]}
    return body | {"metadata": metadata, "status": _status(body, phase, state, now, restarts)}


def _status(body: Object, phase: str, state: Object, now: float, restarts: int) -> Object:
    ready = "running" in state
    kinds = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    truths = ("True", "True", str(ready), str(ready), "True")
    (container,) = body["spec"]["containers"]
    one = {"name": container["name"], "image": container["image"], "state": state, "ready": ready, "started": ready}
    one |= {"restartCount": restarts, "containerID": f"containerd://{body['metadata']['uid'].replace('-', '')}"}
    conditions = [_condition(kind, truth, now) for kind, truth in zip(kinds, truths, strict=True)]
    return {**body["status"], "phase": phase, "conditions": conditions, "containerStatuses": [one]}


def _condition(kind: str, status: str, now: float) -> Object:
    return {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": iso(now)}
