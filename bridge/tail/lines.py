"""How a telling looks: a line of text for people, with its colour, or a line of JSON for machines."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct

from bridge.consumer.follower import Resynced
from bridge.consumer.intake import Lost
from bridge.consumer.records import Added, Deleted, Foreign, Keyed, Listed, Modified, Progress, Restarted, Synced
from bridge.tail.difference import Difference, differences
from bridge.tail.fields import tag
from bridge.tail.reading import Told, is_ignored

FEW = 3
"""Differences on a line that is to be read at a glance; `wide` shows all."""
SHORT = 40
"""Characters of a value, of which the beginning tells what it is."""
KEY = 40
"""Columns for a key: most pods' fit, and longer ones move only their own line."""
EVENTS = ("events", "events.events.k8s.io")

COLOURS = {
    "ADDED": "green",
    "MODIFIED": "yellow",
    "DELETED": "red",
    "LISTED": "cyan",
    "RESTARTED": "bold magenta",
    "SYNCED": "bold blue",
    "PROGRESS": "dim",
}
REFUSED = "bold red"


class Line(Struct, frozen=True):
    """One line. A *rule* is drawn across the terminal, the words within it."""

    text: str
    colour: str
    rule: bool = False


class Happening(Struct, frozen=True):
    """Of an object of the kind Event: what it says. `events.k8s.io` calls the message a note."""

    reason: str = ""
    message: str = ""
    note: str = ""
    count: int | None = None


def line(told: Told | Lost, *, wide: bool) -> Line:
    match told:
        case Lost(log=log, offset=offset):
            words = f"from offset {offset}: records are missing, deleted by retention or with the topic"
            return Line(f"{log.topic}[{log.partition}] {words}", REFUSED, rule=True)
        case Told(keyed=Foreign(why=why), log=log):
            return Line(f"{log.topic}[{log.partition}] at offset {told.entry.offset}: passed over: {why}", REFUSED)
        case Told(keyed=Keyed(key=key, record=Added() | Modified() | Listed() | Deleted() as record)):
            place = f"{told.log.topic}[{told.log.partition}]@{told.entry.offset}  {record.stream}  " if wide else ""
            time = record.time if wide else record.time[11:23]
            version = f"{record.resource_version or '-'}  " if wide else ""
            head = f"{time:12}  {place}{tag(record):8}  {key:{KEY}}  {version}"
            return Line(printable(head + _what(told, record, wide=wide)).rstrip(), COLOURS[tag(record)])
        case Told(keyed=Keyed(record=Restarted() | Synced() | Progress() as record)):
            place = f"{record.stream}  {told.log.topic}[{told.log.partition}]"
            more = f"@{told.entry.offset}  epoch {record.epoch}" if wide else ""
            words = f"{record.time[11:23]}  {tag(record)} {_marked(told, record)}  {place}{more}"
            return Line(printable(words), COLOURS[tag(record)], rule=True)
        case _:
            raise AssertionError(told)


def json_line(told: Told | Lost) -> str:
    """The record in its own bytes. *changed*: the paths that differ to the object that was held before."""
    match told:
        case Lost(log=log, offset=offset):
            return _json({"topic": log.topic, "partition": log.partition, "offset": offset, "lost": True})
        case Told(keyed=Foreign(why=why), log=log):
            return _json({"topic": log.topic, "partition": log.partition, "offset": told.entry.offset, "refused": why})
        case Told(keyed=Keyed(key=key)):
            fields: dict[str, Any] = {"topic": told.log.topic, "partition": told.log.partition}
            fields |= {"offset": told.entry.offset, "key": key}
            value = (told.entry.value or b"null").replace(b"\n", b" ").replace(b"\r", b" ")
            changed = _changed(told)
            if changed is not None:
                fields["changed"] = [one.path for one in changed]
            return _json({**fields, "record": Raw(value)})
        case _:
            raise AssertionError(told)


def printable(text: str) -> str:
    """Objects hold what their writers like: nothing of it may steer the terminal, or break the line."""
    return "".join(mark if mark.isprintable() else " " for mark in text)


def _json(fields: dict[str, Any]) -> str:
    return msgspec.json.encode(fields).decode()


def _changed(told: Told) -> list[Difference] | None:
    """None: there is nothing to compare with."""
    if not isinstance(told.keyed, Keyed) or told.before is None or is_ignored(told):
        return None
    record = told.keyed.record
    if not isinstance(record, Added | Modified | Listed):
        return None
    if told.before.oversize or record.oversize is not UNSET:  # a part of an object differs from the whole of it
        return None
    return differences(told.before.body, bytes(record.object))


def _what(told: Told, record: Added | Modified | Listed | Deleted, *, wide: bool) -> str:
    notes = [f"oversize: {record.oversize} bytes"] if record.oversize is not UNSET else []
    if is_ignored(told):
        return "; ".join([f"of epoch {record.epoch}, which is over: changes nothing", *notes])
    assert isinstance(told.keyed, Keyed)
    if isinstance(record, Deleted):
        return "; ".join(["inferred"] * record.inferred + notes)
    if told.keyed.key.partition("/")[0] in EVENTS and (words := _happening(bytes(record.object))):
        return words
    changed = _changed(told)
    if changed is None:
        return "; ".join(notes)
    return "; ".join([_differ(changed, wide=wide), *notes])


def _happening(body: bytes) -> str:
    try:
        event = msgspec.json.decode(body, type=Happening)
    except (msgspec.DecodeError, RecursionError):
        return ""
    times = f" (x{event.count})" if event.count is not None and event.count > 1 else ""
    return f"{event.reason}: {event.message or event.note}{times}" if event.reason else ""


def _differ(changed: Sequence[Difference], *, wide: bool) -> str:
    shown = changed if wide else changed[:FEW]
    words = [f"{one.path}: {_value(one.before, wide=wide)} → {_value(one.after, wide=wide)}" for one in shown]
    if len(changed) > len(shown):
        words.append(f"and {len(changed) - len(shown)} more")
    return "; ".join(words) or "as before"


def _value(text: str, *, wide: bool) -> str:
    """As JSON, but words without their quotes."""
    if len(text) > 1 and text[0] == '"':
        text = msgspec.json.decode(text, type=str) or '""'
    elif not wide and text[:1] in ("{", "["):
        return f"{text[0]}…{text[-1]}" if len(text) > 2 else text
    if not wide and len(text) > SHORT:
        text = text[: SHORT - 1] + "…"
    return text or "none"


def _marked(told: Told, record: Restarted | Synced | Progress) -> str:
    match record:
        case Restarted():
            since = f", last position {record.previous.resource_version}" if record.previous is not None else ""
            return f"{record.reason or 'without a reason'} ({record.message}){since}"
        case Progress():
            return f"at {record.resource_version}"
        case Synced():
            return f"{_objects(record)} at {record.resource_version}{_resynced(told)}"


def _objects(record: Synced) -> str:
    return f"{record.objects} object{'s' * (record.objects != 1)}" if record.objects is not UNSET else "objects"


def _resynced(told: Told) -> str:
    """What only a consumer knows: how much of the snapshot it has read, and what that swept."""
    for notice in told.notices:
        if isinstance(notice, Resynced):
            swept = f", {len(notice.swept)} swept" if notice.swept else ""
            partly = f", only {notice.listed} of them were read" if not notice.whole else ""
            return f"{swept}{partly}"
    return ""
