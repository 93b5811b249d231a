"""How a record reads in one line; for the picture and for plain lines alike."""

from rich.text import Text

from bridge.consumer.records import Deleted, Keyed, Progress, Restarted, Seen, Synced
from bridge.demo.audit import Verdict
from bridge.demo.ledger import STREAMS

COLOURS = {"ADDED": "green", "MODIFIED": "cyan", "DELETED": "red", "LISTED": "blue"}


def kind_of(keyed: Keyed) -> str:
    return type(keyed.record).__name__.upper()


def is_marker(keyed: Keyed) -> bool:
    return isinstance(keyed.record, Restarted | Synced | Progress)


def line(keyed: Keyed) -> str:
    record = keyed.record
    match record:
        case Restarted(reason=reason, message=message):
            return f"RESTARTED {record.stream}: {reason}{message and f' ({message})'}"
        case Synced(resource_version=version):
            return f"SYNCED {record.stream} at version {version}: what was not told since RESTARTED is gone"
        case Progress(resource_version=version):
            return f"PROGRESS {record.stream}: all up to version {version} has been said"
        case Deleted(inferred=True):
            return f"{record.time[11:23]}  {'DELETED':8}  {keyed.key}  inferred: nobody saw it"
        case Seen(resource_version=version) | Deleted(resource_version=version):
            return f"{record.time[11:23]}  {kind_of(keyed):8}  {keyed.key}  version {version}"
        case _:
            return keyed.key


def cut(words: str, style: str) -> Text:
    """One line, whatever the terminal's width."""
    return Text(words, style, no_wrap=True, overflow="ellipsis")


def rule(words: str, width: int, style: str) -> Text:
    """A line across, for markers."""
    return cut(f"── {words} ".ljust(width, "─"), style)


def conclusion(verdict: Verdict) -> str:
    """The last line."""
    gaps = len(verdict.gaps) // len(STREAMS)
    told = f"{verdict.told} told one by one, {verdict.excused} inside the announced gap or the first snapshot"
    return (
        f"{verdict.changes} changes, {verdict.lost} lost, {verdict.doubled} doubled, {gaps} announced"
        f" gap{'' if gaps == 1 else 's'} ({told}); the consumer's state equals the cluster's"
    )
