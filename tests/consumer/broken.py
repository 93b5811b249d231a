"""Files that are no vectors: every player must name each, go on with the others, and end with exit code 1."""

import json
from pathlib import Path

from tests.consumer.vectors import VECTORS

WHOLE = (VECTORS / "garbage.json").read_text(encoding="utf-8")


def _step(**fields: object) -> bytes:
    """The second step has *fields*; None: it has not got the field at all."""
    vector = json.loads(WHOLE)
    vector["steps"][1] = {name: value for name, value in {**vector["steps"][1], **fields}.items() if value is not ...}
    return json.dumps(vector).encode()


BROKEN = {
    "a-list": b"[]",
    "cut-off": WHOLE.encode()[: len(WHOLE) // 2],
    "empty": b"",
    "hex-of-half-a-byte": _step(hex="fff"),
    "hex-of-other-letters": _step(hex="xy"),
    "hex-with-blanks": _step(hex="ff fe"),
    "hex-as-number": _step(hex=10),
    "key-as-number": _step(key=5),
    "no-json": b"hello",
    "no-key": _step(key=...),
    "no-partition": _step(partition=...),
    "no-state": _step(state=...),
    "no-steps": b'{"name":"x","why":"y"}',
    "no-utf-8": WHOLE.encode().replace(b"garbage", b"garb\xffge"),
    "no-value": _step(value=...),
    "partition-as-fraction": _step(partition=0.5),
    "partition-as-text": _step(partition="0"),
    "partition-below-zero": _step(partition=-1),
    "refused-as-text": _step(refused="true"),
    "state-as-list": _step(state=[]),
    "state-null": _step(state=None),
    "step-as-text": b'{"steps":["pods"]}',
    "steps-as-object": b'{"steps":{"partition":0}}',
    "steps-empty": b'{"name":"x","why":"y","steps":[]}',
    "steps-null": b'{"steps":null}',
    "text-as-number": _step(text=5),
}


def spoil(directory: Path) -> None:
    """All of them, and behind them two vectors: one with a wrong state, and one that is right."""
    for name, content in BROKEN.items():
        (directory / f"{name}.json").write_bytes(content)
    (directory / "wrong.json").write_bytes(_step(state={}).replace(b"garbage", b"wrong", 1))
    (directory / "zz-right.json").write_text(WHOLE, encoding="utf-8")
