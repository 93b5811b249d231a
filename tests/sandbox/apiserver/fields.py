"""`python -m tests.sandbox.apiserver.fields`: writes the sandbox's table of fields anew, from the types of k8s.io/api.

Those are Go's, in the cache of modules that the real kube-apiserver of the tests is built from.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from bridge.sandbox.apiserver.fields import TABLE, package
from bridge.sandbox.apiserver.resources import BUILT_IN, CRDS
from tests.servers.versions import KUBERNETES

BORDERS = {"metav1": "meta", "corev1": "core", "v1": "core"}
"""What Go's files call the packages that they import."""
SCALARS = {"string": "string", "bool": "bool", "int32": "int", "int64": "int", "int": "int", "[]byte": "bytes"}
PLAIN = {
    "metav1.Time": "Time",
    "metav1.MicroTime": "MicroTime",
    "metav1.Duration": "Duration",
    "metav1.FieldsV1": "Raw",
    "runtime.RawExtension": "Raw",
    "resource.Quantity": "Quantity",
    "intstr.IntOrString": "IntOrString",
}
"""Types that are written otherwise in JSON than their fields would have it."""
MORE = ("meta.DeleteOptions", "autoscaling.Scale")
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^type (\w+) =? ?([\w\[\]\.\*]+)$", re.MULTILINE)
FIELD = re.compile(r'^\t(?:\w+\s+)?([\w\[\]\.\*]+)\s+`json:"([^"]*)"[^`]*protobuf:"\w+,(\d+)', re.MULTILINE)


class Source(Struct):
    """What the files of one package define: structs by name, and other names of types."""

    structs: dict[str, str]
    names: dict[str, str]


def modules() -> Path:
    found = subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True, check=True)
    return Path(found.stdout.strip()) / "k8s.io"


def table() -> str:
    """Raises OSError where the modules are not there."""
    sources: dict[str, Source] = {}
    wanted = [f"{package(one.api_version)}.{one.kind}" for one in BUILT_IN if one != CRDS]
    wanted += MORE
    done: dict[str, list[str]] = {}
    while wanted:
        kind = wanted.pop()
        if kind not in done:
            home, name = kind.split(".")
            source = sources.setdefault(home, _source(home))
            done[kind] = list(_fields(home, source, name))
            wanted += [found for line in done[kind] if "." in (found := line.split(" ")[2].rstrip("?[]{}"))]
    return "".join(f"{kind}\n" + "".join(f" {line}\n" for line in done[kind]) for kind in sorted(done))


def _source(home: str) -> Source:
    version = "v0." + KUBERNETES.partition(".")[2]
    inside = "apimachinery@{}/pkg/apis/meta/v1" if home == "meta" else "api@{}/" + home + "/v1"
    files = [path for path in modules().joinpath(inside.format(version)).glob("*.go") if "generated" not in path.name]
    if not files:
        raise FileNotFoundError(home)
    text = "\n".join(path.read_text() for path in files)
    return Source(dict(STRUCT.findall(text)), dict(NAMED.findall(text)))


def _fields(home: str, source: Source, name: str) -> Iterator[str]:
    """Number, name (`-`: its fields are its owner's), and type. `?`: said also where it is empty."""
    for form, json, number in FIELD.findall(source.structs[name]):
        if "v1alpha" in form:  # of versions that are not served
            continue
        label, _, options = json.partition(",")
        always = "?" if form.startswith("*") or (label and "omitempty" not in options) else ""
        kind = _kind(home, source, form.lstrip("*"))
        yield f"{number} {label or '-'} {kind}{'' if kind[-1] in ']}' else always}"


def _kind(home: str, source: Source, form: str) -> str:
    if form in SCALARS:
        return SCALARS[form]
    if form.startswith("types."):  # of names and uids
        return "string"
    if form.startswith("[]"):
        return f"{_kind(home, source, form[2:])}[]"
    if form.startswith("map["):
        return f"{_kind(home, source, form.partition(']')[2])}{{}}"
    if plain := PLAIN.get(f"metav1.{form}" if home == "meta" else form):
        return plain
    if "." in form:
        border, name = form.split(".")
        there = BORDERS.get(border, border)
        return _kind(there, _source(there), name)
    return _kind(home, source, source.names[form]) if form in source.names else f"{home}.{form}"


if __name__ == "__main__":
    TABLE.write_text(table())
