"""The newest epoch of one stream, pinned: what is gone in a blink in the flow of records is what the bridge is for."""

from rich.text import Text

from bridge.consumer.records import Deleted, Keyed, Listed, Restarted, Synced
from bridge.demo.lines import COLOURS, cut, line, rule

STYLE = "bold yellow"
INFERRED = 4
"""Inferred deletes that are shown one by one."""
HEIGHT = INFERRED + 4
"""Lines at the most: both markers, the deletes and how many more, the snapshot."""


class Epoch:
    """Owns what the newest epoch of *stream* has told."""

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._epoch = 0
        self._opening = self._closing = ""
        self._inferred: list[str] = []
        self._listed = 0

    def take(self, keyed: Keyed) -> bool:
        """Whether the record is shown here, and need not be in the flow."""
        record = keyed.record
        if record.stream != self._stream or record.epoch < self._epoch:
            return False
        if record.epoch > self._epoch:
            self._epoch, self._opening, self._closing, self._inferred, self._listed = record.epoch, "", "", [], 0
        match record:
            case Restarted():
                self._opening = line(keyed)
            case Synced():
                self._closing = line(keyed)
            case Listed():
                self._listed += 1
            case Deleted(inferred=True):
                self._inferred.append(f"{'inferred':12}  {'DELETED':8}  {keyed.key}  nobody saw it")
            case _:
                return False
        return True

    def lines(self, width: int) -> list[Text]:
        """In the order of the protocol, whatever partition was read first."""
        shown = [rule(self._opening, width, STYLE)] if self._opening else []
        shown += [cut(words, "bold red") for words in self._inferred[:INFERRED]]
        if len(self._inferred) > INFERRED:
            shown.append(cut(f"{'':12}  and {len(self._inferred) - INFERRED} more", "red"))
        if self._listed:
            shown.append(cut(f"{'':12}  LISTED    {self._listed} {self._stream} that are there", COLOURS["LISTED"]))
        if self._closing:
            shown.append(rule(self._closing, width, STYLE))
        return shown
