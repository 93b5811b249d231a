"""What a server says, as text: `wire` tells the grammar."""

import msgspec

from bridge.sandbox.apiserver import shapes
from bridge.sandbox.apiserver.replies import Answer, End, Late, Reply, Step, Stream, members, pieces
from tests.scenarios.play import frame

JSON = {"Content-Type": "application/json"}
SHAPES: dict[str, Reply] = {
    "page-expired": shapes.page_expired("token"),
    "too-large": shapes.TOO_LARGE,
    "behind-proxy": shapes.BEHIND_PROXY,
}


def reply(text: str) -> Reply:
    """An answer, from its own words on."""
    word, _, rest = text.partition(" ")
    match word:
        case "nothing":
            return shapes.NOTHING
        case "answer":
            return _answer(rest)
        case "body":
            return Answer(body=rest.encode(), headers=JSON)
        case "shape":
            return SHAPES[rest]
        case "late":
            return Late(float(rest))
        case "split":
            return Stream(tuple(piece for step in _steps(rest) for piece in _pieces(step)))
        case "gzip":
            return members(*(step for step in _steps(rest) if isinstance(step, bytes)))
        case _:
            return Stream(tuple(_steps(text)))


def _answer(text: str) -> Answer:
    """`410`, `410 Expired why`, `410 printed Expired why`; `hint=9` in the body, `after=7` in the header."""
    code, *words = text.split()
    marks = dict(word.split("=") for word in words if "=" in word)
    words = [word for word in words if "=" not in word]
    headers = {"Retry-After": marks["after"]} if "after" in marks else {}
    if not words and "hint" not in marks:
        return Answer(int(code), b"", headers)
    is_printed = words[:1] == ["printed"]
    reason, *message = words[is_printed:] or [""]
    details = {"retryAfterSeconds": int(marks["hint"])} if "hint" in marks else {}
    answer = shapes.refused(int(code), reason, " ".join(message), **details)
    answer = shapes.pretty(answer) if is_printed else answer
    return msgspec.structs.replace(answer, headers={**answer.headers, **headers})


def _steps(text: str) -> list[Step]:
    return [_step(part.strip()) for part in text.split("; ")]


def _step(text: str) -> Step:
    word, _, rest = text.partition(" ")
    match word:
        case "WAIT":
            return float(rest)
        case "CUT" | "SILENCE":
            return End(word.lower())
        case "PART":
            return rest.encode()
        case _:
            return frame(text) + b"\n"


def _pieces(step: Step) -> tuple[Step, ...]:
    return pieces(step) if isinstance(step, bytes) else (step,)
