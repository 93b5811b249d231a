"""The demo as a picture that is drawn anew ten times a second."""

import time
from collections import Counter, deque
from collections.abc import Callable

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from bridge.consumer.records import Keyed, Synced
from bridge.demo.ledger import STREAMS
from bridge.demo.lines import COLOURS, is_marker, kind_of, line

SHOWN = 14
"""Records."""
WIDTH = 96

Counts = Callable[[], dict[str, str]]


class Picture:
    """Owns the last records and the words of the act. Drawn by rich, which asks for it as often as it likes."""

    def __init__(self, cluster: Counts, consumer: Counts, pid: Callable[[], int | None]) -> None:
        self._cluster, self._consumer, self._pid = cluster, consumer, pid
        self._records: deque[Text] = deque(maxlen=SHOWN)
        self._words: list[str] = []
        self._began = time.monotonic()
        self._count = 0
        self._moment: tuple[Text, ...] = ()

    def say(self, words: str) -> None:
        self._words.append(words)

    def told(self, keyed: Keyed, partition: int) -> None:
        self._count += 1
        if is_marker(keyed):
            if partition == 0:  # they are the same in every partition
                self._records.append(Text(f"── {line(keyed)} ".ljust(WIDTH - 6, "─"), "bold yellow", no_wrap=True))
                if isinstance(keyed.record, Synced) and any("inferred" in shown.plain for shown in self._records):
                    self._moment = tuple(self._records)
            return
        style = COLOURS.get(kind_of(keyed), "") + (" bold" if "inferred" in line(keyed) else "")
        self._records.append(Text(line(keyed), style, no_wrap=True, overflow="ellipsis"))

    def go_back(self) -> None:
        """To the records of the last SYNCED that came with inferred deletes: what a still picture should show."""
        self._records.extend(self._moment)

    def __rich__(self) -> Panel:
        told = [Text(f"  {words}", "dim") for words in self._words[-3:-1]]
        now = Text(f"▶ {self._words[-1] if self._words else ''}", "bold")
        empty = [Text("")] * (SHOWN - len(self._records) + 2 - len(told))
        body = Group(*told, now, Text(""), self._table(), Text(""), *self._records, *empty)
        title = f"event-bridge demo · {time.monotonic() - self._began:4.1f} s · {self._count} records"
        return Panel(body, title=title, width=WIDTH)

    def _table(self) -> Table:
        cluster, consumer = self._cluster(), self._consumer()
        table = Table.grid(padding=(0, 3, 0, 0))
        table.add_row(Text("bridge", "bold"), self._state())
        table.add_row("", *STREAMS)
        table.add_row(Text("cluster", "bold"), *_counts(cluster))
        same = Text("= the cluster, object by object", "green") if cluster == consumer else Text("behind", "yellow")
        table.add_row(Text("consumer", "bold"), *_counts(consumer), same)
        return table

    def _state(self) -> Text:
        pid = self._pid()
        return Text("does not run", "bold red") if pid is None else Text(f"runs, pid {pid}", "green")


def _counts(objects: dict[str, str]) -> list[str]:
    found = Counter(key.partition("/")[0] for key in objects)
    return [str(found[resource]) for resource in STREAMS.values()]
