"""Conversations as text. What the server says goes through the decoder, the machine and the index, as it does live.

@ resume 1/100                   start from a checkpoint (else: `@ restart REASON 1/100`, else: the first start)
@ knows a b:uid-9                what the durable index says
< opened                         a watch, or a WatchList, is open
< newest 100                     the answer to the probe
< page 100 a:98 b:99:uid-9       a LIST's page: its version, its items; `token=t` if it is not the last
< quiet                          an open stream says nothing for as long as it is listened to
< look 110 a:98 b:99:uid-9       a verification's page: as `page`
< frames ADDED a:101; BOOKMARK 105; END 105; ERROR 410 Expired too old; LINE {"type":
< fault open network             phase and kind; then status=, reason=, retry=, frames=, age=, absent
"""

from msgspec.structs import replace

from bridge.model.event import Change, Event, Progress, Restarted, RestartReason, Synced
from bridge.model.position import NO_EPOCH, NO_VERSION, Epoch, Position, ResourceVersion
from bridge.source.comparison import Comparison, Differences
from bridge.source.faults import Fault, Kind, Phase, Relist, RetryOnce, Wait
from bridge.source.frames import Page, decode
from bridge.source.index import Index
from bridge.source.machine import step
from bridge.source.states import (
    Compared,
    Comparing,
    Detached,
    Frames,
    Listing,
    Newest,
    Opened,
    Origin,
    Over,
    Quiet,
    Reply,
    Settling,
    Silent,
    State,
    Streaming,
    Trouble,
    Unlisted,
    Unproven,
    Watching,
    resumed,
    unlisted,
)
from tests.source.words import PODS, compact, line, listed

NOW = 1
"""What the clock says, so that epochs are counted."""


def play(script: str) -> str:
    """The outcome: `>` what consumers are told, `=` where each reply leaves us, if that is another place."""
    state, index = beginning(script)
    outcome = [f"= {show_state(state)}"]
    comparison = Comparison(index, NO_VERSION)
    for told in _said(script, "<"):
        answer = reply(told)
        if isinstance(state, Comparing) and isinstance(answer, Page):
            comparison = comparison if state.token else Comparison(index, state.position.version)
            comparison.add(answer)
            answer = Compared(answer.version, answer.token, {} if answer.token else comparison.end())
        state, events = step(state, answer, NOW)
        outcome += [f"> {show(event)}" for event in index.apply(events)]
        place = f"= {show_state(state)}"
        if place != next(line for line in reversed(outcome) if line.startswith("=")):
            outcome.append(place)
    return "\n".join([*outcome, ""])


def _said(script: str, mark: str) -> list[str]:
    return [text[2:] for text in script.splitlines() if text.startswith(mark)]


def beginning(script: str) -> tuple[State, Index]:
    state: State = unlisted(NO_EPOCH, Origin(RestartReason.INITIAL))
    uids: dict[str, str] = {}
    for words in [text.split() for text in _said(script, "@")]:
        match words:
            case ["resume", place]:
                state = resumed(position(place))
            case ["restart", reason, place]:
                before = position(place)
                state = unlisted(before.epoch, Origin(RestartReason(reason), "", before))
            case ["knows", *names]:
                uids = {
                    f"pods/default/{name}": uid or f"uid-{name}" for name, _, uid in (n.partition(":") for n in names)
                }
            case _:
                raise ValueError(words)
    return state, Index(uids)


def position(place: str) -> Position:
    epoch, _, version = place.partition("/")
    return Position(Epoch(int(epoch)), ResourceVersion(version), NOW)


def reply(text: str) -> Reply:
    match text.split():
        case ["opened"]:
            return Opened()
        case ["newest", *version]:
            return Newest(ResourceVersion("".join(version)))
        case ["quiet"]:
            return Quiet()
        case ["page" | "look", version, *items]:
            token = "".join(item.removeprefix("token=") for item in items if item.startswith("token="))
            changes = [listed(*item.split(":")) for item in items if not item.startswith("token=")]
            return Page(changes, ResourceVersion(version.strip('"')), token)
        case ["frames", *_]:
            lines = [frame(part.strip()) for part in text.removeprefix("frames").split(";")]
            return Frames(decode(lines, PODS))
        case ["fault", phase, kind, *fields]:
            return fault(Fault(Phase(phase), Kind(kind)), fields)
        case words:
            raise ValueError(words)


def frame(text: str) -> bytes:
    """The line of a watch that says *text*."""
    kind, _, rest = text.partition(" ")
    match kind:
        case "ADDED" | "MODIFIED" | "DELETED":
            return line(kind, *rest.split(":"))
        case "BOOKMARK":
            return _bookmark({"resourceVersion": rest} if rest else {})
        case "END":
            return _bookmark({"resourceVersion": rest, "annotations": {"k8s.io/initial-events-end": "true"}})
        case "ERROR":
            code, _, said = rest.partition(" ")
            reason, _, message = said.partition(" ")
            status = {"kind": "Status", "code": int(code), "reason": reason, "message": message}
            return compact({"type": "ERROR", "object": status})
        case "LINE":
            return rest.encode()
        case _:
            raise ValueError(text)


def _bookmark(metadata: dict[str, object]) -> bytes:
    return compact({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": metadata}})


def fault(plain: Fault, fields: list[str]) -> Fault:
    for name, _, value in (field.partition("=") for field in fields):
        match name:
            case "status":
                plain = replace(plain, status=int(value))
            case "reason":
                plain = replace(plain, reason=value)
            case "retry":
                plain = replace(plain, retry_after=float(value))
            case "frames":
                plain = replace(plain, frames=int(value))
            case "age":
                plain = replace(plain, age=float(value))
            case "absent":
                plain = replace(plain, absent=True)
            case _:
                raise ValueError(name)
    return plain


def show(event: Event) -> str:
    match event:
        case Change(inferred=True):
            return f"{event.type.value} {_name(event)} inferred"
        case Change():
            return f"{event.type.value} {_name(event)} {event.version}"
        case Restarted(epoch, reason, _, previous):
            after = f" after {_at(previous)}" if previous else ""
            return f"RESTARTED {epoch} {reason.value}{after}"
        case Synced(place):
            return f"SYNCED {_at(place)}"
        case Progress(place):
            return f"PROGRESS {_at(place)}"


def _name(change: Change) -> str:
    name = change.key.removeprefix("pods/default/")
    return name if change.uid == f"uid-{name}" else f"{name}:{change.uid}"


def show_state(state: State) -> str:
    match state:
        case Unlisted(_, origin, method, trouble):
            return f"Unlisted, {origin.reason.value}, by {method.value}{_show_trouble(trouble)}"
        case Streaming():
            return "Streaming, begun" if state.begun else "Streaming"
        case Listing(method=method, token=token, trouble=trouble):
            return f"Listing on from {token}, by {method.value}{_show_trouble(trouble)}"
        case Unproven() | Detached() | Watching():
            verified = f", verified since {state.since}" if state.since else ""
            return f"{type(state).__name__} {_at(state.position)}{verified}{_show_trouble(state.trouble)}"
        case Silent(_, place, trouble):
            return f"Silent {_at(place)}{_show_trouble(trouble)}"
        case Comparing(_, place, token, suspects, _, trouble, _):
            page = f", on from {token}" if token else ""
            return f"Comparing {_at(place)}{page}{_differ(suspects)}{_show_trouble(trouble)}"
        case Settling(_, place, version, differences, _, trouble):
            return f"Settling {_at(place)}, a list at {version}{_differ(differences)}{_show_trouble(trouble)}"
        case Over(_, trouble):
            return f"Over{_show_trouble(trouble)}"


def _differ(differences: Differences) -> str:
    names = [
        f"{key.removeprefix('pods/default/')}:{entry.version if entry else 'gone'}"
        for key, entry in differences.items()
    ]
    return f", differing in {' '.join(names)}" if names else ""


def _show_trouble(trouble: Trouble | None) -> str:
    """The verdict that the reader waits by."""
    match trouble:
        case None:
            return ""
        case Trouble(_, Relist(reason) | RetryOnce(reason)):
            return f" ({type(trouble.verdict).__name__} {reason.value})"
        case Trouble(_, Wait(seconds)):
            return f" (Wait {seconds:g})"
        case Trouble(_, verdict):
            return f" ({type(verdict).__name__}{' at once' if getattr(verdict, 'at_once', False) else ''})"


def _at(place: Position) -> str:
    return f"{place.epoch}/{place.version}"
