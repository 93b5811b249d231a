"""`python -m tests.consumer.vectors` makes `protocol/vectors/*.json` of the handwritten `protocol/vectors.txt`.

It knows how a record looks and nothing of what it means: the states are the hand's.
"""

import json
import re
import shutil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "protocol" / "vectors.txt"
VECTORS = ROOT / "protocol" / "vectors"

TYPES = {
    "R": "RESTARTED",
    "L": "LISTED",
    "A": "ADDED",
    "M": "MODIFIED",
    "D": "DELETED",
    "I": "DELETED",
    "S": "SYNCED",
    "P": "PROGRESS",
}
TIME = "2026-11-23T08:30:00.123Z"
OVERSIZE = 2_000_000
OBJECT = re.compile(r"(?P<name>[^#@~!]+)(#(?P<uid>\d+))?(@(?P<version>\d+))?(~(?P<text>[^!]+))?(?P<over>!)?$")
KINDS = {"pods": ("v1", "Pod"), "nodes": ("v1", "Node")}

Json = dict[str, Any]


def vectors(text: str) -> dict[str, str]:
    """Name -> the file's content, of every vector in *text*."""
    found: dict[str, str] = {}
    for part in re.split(r"^== ", text, flags=re.MULTILINE)[1:]:
        head, *lines = part.strip().splitlines()
        name, _, why = head.partition(": ")
        assert name not in found, f"two vectors are called {name}"
        found[name] = _file(name, why, [line for line in lines if line and not line.startswith("#")])
    return found


def _file(name: str, why: str, lines: list[str]) -> str:
    """One step on each line, so that a difference shows its step."""
    steps = []
    state: Json = {}
    for line in lines:
        told, _, after = line.rpartition("|")
        state = state if after.strip() == "=" else _state(after)
        steps.append({**_step(told.strip()), "state": state})
    body = ",\n".join("  " + json.dumps(step, ensure_ascii=False) for step in steps)
    names = json.dumps(name), json.dumps(why, ensure_ascii=False)
    return f'{{"name": {names[0]},\n "why": {names[1]},\n "steps": [\n{body}\n]}}\n'


def _step(told: str) -> Json:
    if told.startswith("? "):
        return {"partition": 0, "key": "pods/default/a", **_raw(told[2:]), "refused": True}
    if told.startswith(("! ", "!? ")):
        _, text = told.split(" ", 1)
        key, end = json.JSONDecoder().raw_decode(text)
        return {"partition": 0, "key": key, **_raw(text[end + 1 :])} | ({"refused": True} if told[1] == "?" else {})
    words = told.split()
    partition = int(words.pop(0)) if words[0].isdigit() else 0
    stream = words.pop(0).removeprefix("stream=") if words[0].startswith("stream=") else "pods"
    letter, epoch, *rest = words
    plain = [word for word in rest if not word.startswith(("+", "key=", "order="))]
    head = {"type": TYPES[letter], "cluster": "prod", "stream": stream, "epoch": int(epoch)}
    key, fields = _marker(letter, partition, plain) if letter in "RSP" else _change(letter, *plain)
    extra = dict(word[1:].split("=", 1) for word in rest if word.startswith("+"))
    value = {**head, **fields, "time": TIME, **{name: json.loads(text) for name, text in extra.items()}}
    if "order=reversed" in rest:
        value = dict(reversed(value.items()))
    keys = [json.loads(word[4:]) for word in rest if word.startswith("key=")]
    return {"partition": partition, "key": keys[0] if keys else key or stream, "value": value}


def _raw(text: str) -> Json:
    if text.strip() == "null":
        return {"value": None}
    if text.startswith("hex:"):
        return {"hex": text[4:]}
    return {"text": re.sub(r"\$([^,}]+)", lambda found: json.dumps(_object(found[1])[1]), text)}


def _marker(letter: str, partition: int, words: list[str]) -> tuple[str, Json]:
    options = dict(word.split("=", 1) for word in words if "=" in word)
    end = {"partition": partition, "partitions": int(options.get("of", "1"))}
    if letter == "R":
        epoch, _, version = options.get("prev", "").partition("@")
        previous = {"epoch": int(epoch), "resourceVersion": version, "time": TIME} if epoch else None
        return "", {"reason": words[0], "message": "because", "previous": previous, **end}
    at = {"resourceVersion": words[0].removeprefix("@")}
    return "", at | ({"objects": int(options["n"])} if letter == "S" else {}) | end


def _change(letter: str, word: str) -> tuple[str, Json]:
    key, thing, is_oversize = _object(word)
    if letter == "I":
        return key, {"inferred": True, "object": thing}
    size = {"oversize": OVERSIZE} if is_oversize else {}
    return key, {"resourceVersion": thing["metadata"]["resourceVersion"], **size, "object": thing}


def _state(text: str) -> Json:
    """Partition -> stream -> key -> object. What is empty is left out."""
    state: Json = {}
    for word in text.split():
        partition, stream, name = "0", "pods", word
        if place := re.match(r"(\d+):(?:([a-z.]+):)?(.*)", word):
            partition, stream, name = place[1], place[2] or stream, place[3]
        key, thing, _ = _object(name)
        state.setdefault(partition, {}).setdefault(stream, {})[key] = thing
    return state


def _object(word: str) -> tuple[str, Json, bool]:
    """The key, the object, and whether it is oversize."""
    found = OBJECT.match(word)
    assert found, word
    key = found["name"] if "/" in found["name"] else f"pods/default/{found['name']}"
    resource, *namespace, name = key.split("/")
    version, kind = KINDS.get(resource, (f"{resource.partition('.')[2]}/v1", resource.partition(".")[0].title()))
    uid = f"uid-{name}" + (f"-{found['uid']}" if found["uid"] else "")
    metadata = ({"namespace": namespace[0]} if namespace else {}) | {"name": name, "uid": uid}
    thing: Json = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if found["version"]:
        metadata["resourceVersion"] = found["version"]
        if not found["over"]:
            thing["spec"] = {"at": found["version"]} | ({"text": found["text"]} if found["text"] else {})
    return key, thing, bool(found["over"])


def write() -> None:
    shutil.rmtree(VECTORS, ignore_errors=True)
    VECTORS.mkdir(parents=True)
    for name, content in vectors(SOURCE.read_text(encoding="utf-8")).items():
        (VECTORS / f"{name}.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
