"""Protobuf in: kubectl's typed commands (`create configmap`, `auth can-i`...) send nothing else. Answers are JSON.

Only the kinds that are written so are known, by the numbers of their fields in the generated.proto files of k8s.io/api.
What is not known is refused, never guessed.
"""

import base64
import datetime as dt
from collections.abc import Iterator

from bridge.sandbox.apiserver.refusals import Object, unsupported_media

MEDIA = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

Fields = dict[int, tuple[str, str]]
"""By number: the name in JSON, and the type. `[]` is a list, `{}` a map with text for keys, `?` also said if zero."""

_MESSAGES: dict[str, Fields] = {
    "Unknown": {
        1: ("type", "TypeMeta"),
        2: ("raw", "raw?"),
        3: ("contentEncoding", "string"),
        4: ("contentType", "string"),
    },
    "TypeMeta": {1: ("apiVersion", "string"), 2: ("kind", "string")},
    "ObjectMeta": {
        1: ("name", "string"),
        2: ("generateName", "string"),
        3: ("namespace", "string"),
        4: ("selfLink", "string"),
        5: ("uid", "string"),
        6: ("resourceVersion", "string"),
        7: ("generation", "int"),
        8: ("creationTimestamp", "Time"),
        9: ("deletionTimestamp", "Time"),
        10: ("deletionGracePeriodSeconds", "int"),
        11: ("labels", "string{}"),
        12: ("annotations", "string{}"),
        14: ("finalizers", "string[]"),
    },
    "Time": {1: ("seconds", "int"), 2: ("nanos", "int")},
    "ConfigMap": {
        1: ("metadata", "ObjectMeta"),
        2: ("data", "string{}"),
        3: ("binaryData", "bytes{}"),
        4: ("immutable", "bool"),
    },
    "Secret": {
        1: ("metadata", "ObjectMeta"),
        2: ("data", "bytes{}"),
        3: ("type", "string"),
        4: ("stringData", "string{}"),
        5: ("immutable", "bool"),
    },
    "ServiceAccount": {1: ("metadata", "ObjectMeta")},
    "Namespace": {1: ("metadata", "ObjectMeta"), 2: ("spec", "NamespaceSpec"), 3: ("status", "NamespaceStatus")},
    "NamespaceSpec": {1: ("finalizers", "string[]")},
    "NamespaceStatus": {1: ("phase", "string")},
    "SelfSubjectReview": {1: ("metadata", "ObjectMeta"), 2: ("status", "ReviewStatus")},
    "SelfSubjectAccessReview": {
        1: ("metadata", "ObjectMeta"),
        2: ("spec", "ReviewSpec"),
        3: ("status", "ReviewStatus"),
    },
    "ReviewSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "PathAttributes")},
    "ReviewStatus": {1: ("allowed", "bool"), 2: ("reason", "string"), 3: ("error", "string"), 4: ("denied", "bool")},
    "ResourceAttributes": {
        number: (name, "string")
        for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
    },
    "PathAttributes": {1: ("path", "string"), 2: ("verb", "string")},
    "Deployment": {1: ("metadata", "ObjectMeta"), 2: ("spec", "DeploymentSpec"), 3: ("status", "DeploymentStatus")},
    "DeploymentSpec": {
        1: ("replicas", "int?"),
        2: ("selector", "LabelSelector"),
        3: ("template", "PodTemplateSpec"),
        4: ("strategy", "DeploymentStrategy"),
        5: ("minReadySeconds", "int"),
        6: ("revisionHistoryLimit", "int?"),
        7: ("paused", "bool"),
        9: ("progressDeadlineSeconds", "int?"),
    },
    "DeploymentStatus": dict.fromkeys(range(1, 10), ("", "int")),
    "DeploymentStrategy": {1: ("type", "string")},
    "LabelSelector": {1: ("matchLabels", "string{}")},
    "PodTemplateSpec": {1: ("metadata", "ObjectMeta"), 2: ("spec", "PodSpec")},
    "PodSpec": {
        2: ("containers", "Container[]"),
        3: ("restartPolicy", "string"),
        6: ("dnsPolicy", "string"),
        8: ("serviceAccountName", "string"),
        9: ("serviceAccount", "string"),
        10: ("nodeName", "string"),
        11: ("hostNetwork", "bool"),
        12: ("hostPID", "bool"),
        13: ("hostIPC", "bool"),
        16: ("hostname", "string"),
        17: ("subdomain", "string"),
        19: ("schedulerName", "string"),
        24: ("priorityClassName", "string"),
    },
    "Container": {
        1: ("name", "string"),
        2: ("image", "string"),
        3: ("command", "string[]"),
        4: ("args", "string[]"),
        5: ("workingDir", "string"),
        6: ("ports", "ContainerPort[]"),
        8: ("resources", "Resources"),
        13: ("terminationMessagePath", "string"),
        14: ("imagePullPolicy", "string"),
        16: ("stdin", "bool"),
        17: ("stdinOnce", "bool"),
        18: ("tty", "bool"),
        20: ("terminationMessagePolicy", "string"),
    },
    "ContainerPort": {
        1: ("name", "string"),
        2: ("hostPort", "int"),
        3: ("containerPort", "int"),
        4: ("protocol", "string"),
        5: ("hostIP", "string"),
    },
    "Resources": {},
}


def decoded(data: bytes) -> Object:
    """The object in a request's body, as JSON would have it."""
    if not data.startswith(MAGIC):
        raise unsupported_media()
    try:
        unknown = _message("Unknown", data[len(MAGIC) :])
        named = unknown["type"]
        return {**named, **_message(named["kind"], unknown["raw"])}
    except (KeyError, IndexError, ValueError):
        raise unsupported_media() from None


def _message(kind: str, data: bytes) -> Object:
    fields, result = _MESSAGES[kind], Object()
    for number, value in _parts(data):
        name, form = fields[number]
        if form.endswith("{}"):
            key, item = _entry(form[:-2], value)
            result.setdefault(name, {})[key] = item
        elif form.endswith("[]"):
            result.setdefault(name, []).append(_value(form[:-2], value))
        elif (read := _value(form.rstrip("?"), value)) or form.endswith("?"):
            result[name] = read
    return result


def _entry(form: str, value: int | bytes) -> tuple[str, object]:
    parts = dict(_parts(_bytes(value)))
    return _bytes(parts.get(1, b"")).decode(), _value(form, parts.get(2, b""))


def _value(form: str, value: int | bytes) -> object:
    match form:
        case "int":
            return value
        case "bool":
            return bool(value)
        case "string":
            return _bytes(value).decode()
        case "bytes":
            return base64.b64encode(_bytes(value)).decode()
        case "raw":
            return value
        case "Time":
            seconds = _message(form, _bytes(value)).get("seconds")
            return seconds and dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case _:
            return _message(form, _bytes(value))


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError(value)


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Number and content of each field: numbers (wire type 0), and all that has a length (2)."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        size, place = _varint(data, place)
        match tag & 7:
            case 0:
                yield tag >> 3, size
            case 2 if place + size <= len(data):
                yield tag >> 3, data[place : place + size]
                place += size
            case other:
                raise ValueError(other)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = data[place]
        place += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result, place
        shift += 7
